"""What the services that resolve conflicts answer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "conflict_answers",
        sa.Column("conflict_id", sa.Text(), nullable=False),
        sa.Column("responsible", sa.Text(), nullable=False, comment="the service that answered"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="open, settled or gone"),
        sa.Column("changed_at", TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("conflict_id"),
    )


def downgrade() -> None:
    op.drop_table("conflict_answers")
