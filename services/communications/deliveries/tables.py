"""Tables of deliveries: one row a mail and recipient, what it says, every attempt, and the pace of each domain."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

_NOW = sa.text("now()")


def _delivery() -> sa.Column[str]:
    return sa.Column("delivery_id", sa.Uuid(as_uuid=False), sa.ForeignKey("deliveries.delivery_id"), primary_key=True)


def delivery_tables(metadata: sa.MetaData) -> None:
    """Define them in the service's metadata, so that its migrations own them."""
    sa.Table(
        "contents",
        metadata,
        sa.Column("content_id", sa.LargeBinary, primary_key=True),  # SHA-256 of what it says
        sa.Column("document", JSONB, nullable=False),  # subject, text, html, with placeholders; {} once forgotten
        sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
        sa.Index("contents_to_forget", "created_at", postgresql_where=sa.text("document <> '{}'")),
    )
    sa.Table(
        "attachments",
        metadata,
        sa.Column("content_id", sa.LargeBinary, sa.ForeignKey("contents.content_id"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    sa.Table(
        "deliveries",
        metadata,
        sa.Column("delivery_id", sa.Uuid(as_uuid=False), primary_key=True),
        sa.Column("cause", sa.Text, nullable=False),  # the fact or campaign that it goes out for
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("brand", sa.Text, nullable=False),
        sa.Column("person_key", sa.Text, nullable=False),  # who it is for: once per cause and kind
        sa.Column("name", sa.Text),  # of the recipient; null once it was forgotten
        sa.Column("address", sa.Text),  # normalised; null once it was forgotten
        sa.Column("domain", sa.Text, nullable=False),  # of the address; empty once it was forgotten
        sa.Column("key_id", sa.Text, nullable=False),  # of the secret of address_key and of the tokens
        sa.Column("address_key", sa.LargeBinary, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),  # SHA-256 of the token in its links
        sa.Column("return_hash", sa.LargeBinary, nullable=False),  # SHA-256 of the token in its return path
        sa.Column("content_id", sa.LargeBinary, sa.ForeignKey("contents.content_id"), nullable=False),
        sa.Column("fields", JSONB, nullable=False, server_default="{}"),  # its own values of placeholders
        sa.Column("state", sa.Text, nullable=False, server_default="due"),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
        sa.Column("scheduled_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),  # its first due_at
        sa.Column("due_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
        sa.Column("not_after", TIMESTAMP(timezone=True)),  # it is given up then: what it says is over
        sa.Column("claim", sa.Uuid(as_uuid=False)),  # the sender that has it
        sa.Column("claimed_until", TIMESTAMP(timezone=True)),
        sa.Column("paced", sa.Boolean, nullable=False, server_default=sa.false()),  # due_at is its domain's slot
        sa.Column("handed_at", TIMESTAMP(timezone=True)),  # when it was marked, before its text left
        sa.Column("ended_at", TIMESTAMP(timezone=True)),
        sa.Column("code", sa.Integer),
        sa.Column("answer", sa.Text),
        sa.CheckConstraint("mode in ('bulk', 'transactional')", name="deliveries_mode"),
        sa.CheckConstraint(
            "state in ('due', 'handing', 'accepted', 'refused', 'gave-up', 'uncertain', 'suppressed', 'cancelled')",
            name="deliveries_state",
        ),
        sa.UniqueConstraint("cause", "kind", "person_key", name="deliveries_once_a_person"),
        sa.UniqueConstraint("token_hash", name="deliveries_token"),
        sa.UniqueConstraint("return_hash", name="deliveries_return"),
        sa.Index(
            "deliveries_once_an_address",
            "cause",
            "kind",
            "address_key",
            unique=True,
            postgresql_where=sa.text("mode = 'bulk'"),
        ),
        sa.Index("deliveries_due", "due_at", postgresql_where=sa.text("state = 'due'")),
        sa.Index("deliveries_handing", "claimed_until", postgresql_where=sa.text("state = 'handing'")),
        sa.Index("deliveries_by_address", "address_key"),
        sa.Index("deliveries_by_time", "created_at"),
        sa.Index("deliveries_by_content", "content_id"),
        sa.Index(
            "deliveries_to_forget",
            "ended_at",
            postgresql_where=sa.text("address is not null and ended_at is not null"),
        ),
    )
    sa.Table(
        "delivery_records",
        metadata,
        _delivery(),
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Index("delivery_records_by_record", "cluster", "record_id"),
    )
    sa.Table(
        "delivery_attempts",
        metadata,
        _delivery(),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("at", TIMESTAMP(timezone=True), primary_key=True, server_default=_NOW),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Integer),
        sa.Column("answer", sa.Text),
    )
    sa.Table(
        "paces",
        metadata,
        sa.Column("domain", sa.Text, primary_key=True),
        sa.Column("free_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),  # the next slot
        sa.Column("sent_at", TIMESTAMP(timezone=True)),  # when the last mail to it began
        sa.Column("paused_because", sa.Text),
        sa.Column("paused_at", TIMESTAMP(timezone=True)),
        sa.CheckConstraint("(paused_because is null) = (paused_at is null)", name="paces_paused"),
    )
    sa.Table(
        "bounces",
        metadata,
        sa.Column("digest", sa.LargeBinary, primary_key=True),  # SHA-256 of what came, and of whose it is
        sa.Column("delivery_id", sa.Uuid(as_uuid=False), sa.ForeignKey("deliveries.delivery_id")),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("meaning", sa.Text, nullable=False),
        sa.Column("enhanced", sa.Text),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("raw", sa.LargeBinary),  # its first part; null once it was forgotten
        sa.Column("received_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
        sa.Index("bounces_by_delivery", "delivery_id"),
        sa.Index("bounces_to_forget", "received_at", postgresql_where=sa.text("raw is not null or words <> ''")),
    )
    sa.Table(
        "mail_databases",
        metadata,
        sa.Column("single", sa.Boolean, sa.CheckConstraint("single"), primary_key=True, server_default=sa.true()),
        sa.Column("fingerprint", sa.Text, nullable=False),  # of the database that mail went out from
    )
