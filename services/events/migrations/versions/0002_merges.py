"""Which member each source record is part of, and the conflicts that merges bring."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "member_records",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("member_id", UUID(as_uuid=False), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the newest fact that names the record"),
        sa.PrimaryKeyConstraint("cluster", "record_id"),
    )
    op.create_table(
        "merge_conflicts",
        sa.Column("conflict_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the newest fact"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("member_id", UUID(as_uuid=False), nullable=False),
        sa.Column("records", JSONB(), nullable=False, comment="the two source records that it is between"),
        sa.Column("held_twice", JSONB(), nullable=False, comment="what is there twice; empty once it is gone"),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("raised_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="as last answered"),
        sa.Column("answers", sa.BigInteger(), nullable=False, comment="how many there were: the newest one's version"),
        sa.Column("changed_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("assigned_at", TIMESTAMP(timezone=True)),
        sa.Column("assigned_by", sa.Text()),
        sa.Column("settled_at", TIMESTAMP(timezone=True)),
        sa.Column("settled_by", sa.Text()),
        sa.Column("settled_reason", sa.Text()),
        sa.Column("settled_twice", JSONB(), nullable=False, comment="digests of what was there twice at that time"),
        sa.Column("history", JSONB(), nullable=False, comment="every step: at, what, by, owner, reason"),
        sa.CheckConstraint("state in ('open', 'settled', 'gone')", name="merge_conflicts_state"),
        sa.PrimaryKeyConstraint("conflict_id"),
    )
    op.create_index("merge_conflicts_by_state", "merge_conflicts", ["state", "raised_at"])


def downgrade() -> None:
    op.drop_table("merge_conflicts")
    op.drop_table("member_records")
