"""Table of reminders. A trigger sees to it that none is altered."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID


def reminders_tables(metadata: sa.MetaData) -> None:
    """Define it in billing's metadata, so that its migrations own it."""
    sa.Table(
        "reminders",
        metadata,
        sa.Column("document_id", UUID(as_uuid=False), sa.ForeignKey("documents.document_id"), primary_key=True),
        sa.Column("level", sa.Integer, primary_key=True),
        sa.Column("owed", sa.Numeric(12, 2), nullable=False),
        sa.Column("reminded_on", sa.Date, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.CheckConstraint("level between 1 and 3", name="reminders_level"),
    )
