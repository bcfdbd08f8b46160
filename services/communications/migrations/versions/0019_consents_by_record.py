"""Consents are found by their record's id alone, so that no look-up by consent can take that index instead."""

from alembic import op

revision = "0019"
down_revision = "0018"
phase = "post"


def upgrade() -> None:
    op.drop_index("consent_history_by_record", "consent_history")
    op.create_index("consent_history_by_record", "consent_history", ["record_id"])


def downgrade() -> None:
    op.drop_index("consent_history_by_record", "consent_history")
    op.create_index("consent_history_by_record", "consent_history", ["cluster", "record_id"])
