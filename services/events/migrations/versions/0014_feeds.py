"""Feeds: the digest of a feed's token beside that of the link that it came with, and look-ups by address."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("alter table links add column feed_digest bytea")
    op.execute("create unique index links_by_feed on links (feed_digest) where feed_digest is not null")
    op.execute("create index orders_by_address on orders (lower(email)) where email is not null")
    op.execute("create index attendees_by_address on attendees (lower(email)) where email is not null")


def downgrade() -> None:
    op.execute("drop index attendees_by_address")
    op.execute("drop index orders_by_address")
    op.execute("alter table links drop column feed_digest")
