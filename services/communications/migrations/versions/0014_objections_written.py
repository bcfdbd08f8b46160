"""Which objections that were taken here a former system was told of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "objections_written",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column(
            "item", sa.Text(), nullable=False, comment="an objection taken here, as its former system is told of it"
        ),
        sa.Column("written_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("cluster", "item"),
    )


def downgrade() -> None:
    op.drop_table("objections_written")
