"""Table of charges: what events says that registrations cost."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, UUID


def charges_tables(metadata: sa.MetaData) -> None:
    """Define it in billing's metadata, so that its migrations own it."""
    sa.Table(
        "charges",
        metadata,
        sa.Column("registration_id", UUID(as_uuid=False), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("record_cluster", sa.Text),
        sa.Column("record_id", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("seats", sa.Integer, nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("ours", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("settled", sa.Numeric(12, 2), comment="what staff entered as billed elsewhere"),
        sa.Column("settled_by", sa.Text),
        sa.Column("settled_at", TIMESTAMP(timezone=True)),
        sa.Column("references", ARRAY(sa.Text), nullable=False, server_default="{}", comment="where it was billed"),
        sa.CheckConstraint("amount >= 0 and seats > 0", name="charges_amount"),
        sa.Index("charges_by_day", "day", "registration_id"),
    )
