"""Which member each source record is part of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

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


def downgrade() -> None:
    op.drop_table("member_records")
