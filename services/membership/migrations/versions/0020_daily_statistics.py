"""The statistics of each day, from this one on."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "daily_statistics",
        sa.Column("kind", sa.Text(), nullable=False, comment="total, several-clusters, cluster, lineage, departement"),
        sa.Column("day", sa.Date(), nullable=False, comment="in France"),
        sa.Column("key", sa.Text(), nullable=False, comment="its code; empty: none, or unknown"),
        sa.Column("members", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.BigInteger(), nullable=False),
        sa.Column("paid_up", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "day", "key"),
    )


def downgrade() -> None:
    op.drop_table("daily_statistics")
