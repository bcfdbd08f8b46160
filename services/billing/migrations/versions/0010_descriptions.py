"""Source records as membership describes them to billing: whom a due concerns, and what it depends on."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "descriptions",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the newest description"),
        sa.Column("document", sa.JSON(), nullable=False, comment="the fact, as membership announced it"),
        sa.PrimaryKeyConstraint("cluster", "record_id"),
    )


def downgrade() -> None:
    op.drop_table("descriptions")
