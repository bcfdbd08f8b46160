"""Payments and entries are read page by page, each page by an index."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("create index payments_received_by_day on payments_received (received_on, at, payment_id)")
    op.execute("create index entries_by_place on entries (issuer, place)")


def downgrade() -> None:
    op.drop_index("entries_by_place", "entries")
    op.drop_index("payments_received_by_day", "payments_received")
