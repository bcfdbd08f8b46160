"""The table that a service keeps its conflicts in."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID


def merge_conflicts_table(metadata: sa.MetaData) -> sa.Table:
    """Define it in a service's metadata, so that its migrations own it."""
    moment = TIMESTAMP(timezone=True)
    return sa.Table(
        "merge_conflicts",
        metadata,
        sa.Column("conflict_id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False, comment="of the newest fact"),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("member_id", UUID(as_uuid=False), nullable=False),
        sa.Column("records", JSONB, nullable=False, comment="the two source records that it is between"),
        sa.Column("held_twice", JSONB, nullable=False, comment="what is there twice; empty once it is gone"),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("raised_at", moment, nullable=False),
        sa.Column("state", sa.Text, nullable=False, comment="as last answered"),
        sa.Column("answers", sa.BigInteger, nullable=False, comment="how many there were: the newest one's version"),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("assigned_at", moment),
        sa.Column("assigned_by", sa.Text),
        sa.Column("settled_at", moment),
        sa.Column("settled_by", sa.Text),
        sa.Column("settled_reason", sa.Text),
        sa.Column("settled_twice", JSONB, nullable=False, comment="digests of what was there twice at that time"),
        sa.Column("history", JSONB, nullable=False, comment="every step: at, what, by, owner, reason"),
        sa.CheckConstraint("state in ('open', 'settled', 'gone')", name="merge_conflicts_state"),
        sa.Index("merge_conflicts_by_state", "state", "raised_at"),
    )
