"""Reminders of documents that are overdue: each level once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

from services.billing.migration_steps import refuse_changes

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "reminders",
        sa.Column("document_id", UUID(as_uuid=False), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("owed", sa.Numeric(12, 2), nullable=False),
        sa.Column("reminded_on", sa.Date(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("level between 1 and 3", name="reminders_level"),
        sa.ForeignKeyConstraint(["document_id"], ["documents.document_id"]),
        sa.PrimaryKeyConstraint("document_id", "level"),
    )
    refuse_changes(("reminders",))


def downgrade() -> None:
    op.drop_table("reminders")
