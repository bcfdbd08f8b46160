"""Which comparisons with a manifest were begun and not ended: one that ends its process is not begun at once again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "parity_attempts",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("manifest", sa.BigInteger(), nullable=False, comment="the version of the manifest compared with"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="begun one after the other, and none ended"),
        sa.Column("begun_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="the last of them"),
        sa.PrimaryKeyConstraint("cluster"),
    )


def downgrade() -> None:
    op.drop_table("parity_attempts")
