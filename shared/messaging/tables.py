"""The tables that every service's database holds for its messages."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP


@dataclass(frozen=True, slots=True)
class MessagingTables:
    """Inbox, outbox and dead letters of one service."""

    inbox: sa.Table
    outbox: sa.Table
    dead_letters: sa.Table


def messaging_tables(metadata: sa.MetaData) -> MessagingTables:
    """Define them in a service's metadata, so that its migrations own them."""
    now = sa.text("now()")
    inbox = sa.Table(
        "inbox",
        metadata,
        sa.Column("message", sa.Text, primary_key=True, comment="CloudEvents source and id"),
        sa.Column("digest", sa.LargeBinary, comment="of its content: an id used for something else is no duplicate"),
        sa.Column("received_at", TIMESTAMP(timezone=True), nullable=False, server_default=now),
        sa.Index("inbox_by_age", "received_at", postgresql_using="brin"),
    )
    outbox = sa.Table(
        "outbox",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("exchange", sa.Text, nullable=False),
        sa.Column("routing_key", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("content_type", sa.Text),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=now),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("not_before", TIMESTAMP(timezone=True), nullable=False, server_default=now),
        sa.Column("last_error", sa.Text),
    )
    dead_letters = sa.Table(
        "dead_letters",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False, comment="of the body: the same message parks once"),
        sa.Column("message_id", sa.Text),
        sa.Column("type", sa.Text),
        sa.Column("producer", sa.Text, comment="the broker-validated user_id"),
        sa.Column("routing_key", sa.Text, nullable=False),
        sa.Column("content_type", sa.Text),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False, comment="a stable word to group by"),
        sa.Column("detail", sa.Text, nullable=False, comment="for a person; holds no personal data"),
        sa.Column("status", sa.Text, nullable=False, server_default="parked"),
        sa.Column("count", sa.Integer, nullable=False, server_default="1"),
        sa.Column("first_at", TIMESTAMP(timezone=True), nullable=False, server_default=now),
        sa.Column("last_at", TIMESTAMP(timezone=True), nullable=False, server_default=now),
        sa.Column("history", JSONB, nullable=False, server_default="[]", comment="every step: at, what, by, note"),
        sa.UniqueConstraint("queue", "digest", name="dead_letters_once"),
        sa.CheckConstraint("status in ('parked', 'replaying', 'replayed', 'discarded')", name="dead_letters_status"),
        sa.Index("dead_letters_by_reason", "status", "reason"),
    )
    return MessagingTables(inbox, outbox, dead_letters)
