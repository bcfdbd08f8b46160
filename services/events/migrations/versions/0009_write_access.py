"""Which API keys may write, as membership announced it last."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "write_access",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False, comment="there is one row"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the newest announcement"),
        sa.Column(
            "expires_at", ARRAY(TIMESTAMP(timezone=True)), nullable=False, comment="of each API key that may write"
        ),
        sa.CheckConstraint("id = 1", name="write_access_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("write_access")
