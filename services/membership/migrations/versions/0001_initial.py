"""Source records, what other services hold about them, consolidated views, API keys, and the messaging tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID

revision = "0001"
down_revision = None


def upgrade() -> None:
    # Trusted since PostgreSQL 13: whoever owns the database may create it.
    op.execute("create extension if not exists pg_trgm")
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False, comment="the public half of the key"),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="of the secret half"),
        sa.Column("name", sa.Text(), nullable=False, comment="who or what uses it"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", TIMESTAMP(timezone=True)),
        sa.CheckConstraint("role in ('reader', 'staff', 'admin')", name="api_keys_role"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="of the body: the same message parks once"),
        sa.Column("message_id", sa.Text()),
        sa.Column("type", sa.Text()),
        sa.Column("producer", sa.Text(), comment="the broker-validated user_id"),
        sa.Column("routing_key", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text()),
        sa.Column("headers", JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="a stable word to group by"),
        sa.Column("detail", sa.Text(), nullable=False, comment="for a person; holds no personal data"),
        sa.Column("status", sa.Text(), server_default="parked", nullable=False),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("first_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("history", JSONB(), server_default="[]", nullable=False, comment="every step: at, what, by, note"),
        sa.CheckConstraint("status in ('parked', 'replaying', 'replayed', 'discarded')", name="dead_letters_status"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("queue", "digest", name="dead_letters_once"),
    )
    op.create_index("dead_letters_by_reason", "dead_letters", ["status", "reason"])
    op.create_table(
        "inbox",
        sa.Column("message", sa.Text(), nullable=False, comment="CloudEvents source and id"),
        sa.Column("digest", sa.LargeBinary(), comment="of its content: an id used for something else is no duplicate"),
        sa.Column("received_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("message"),
    )
    op.create_index("inbox_by_age", "inbox", ["received_at"], postgresql_using="brin")
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("routing_key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text()),
        sa.Column("headers", JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "record_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("fields", ARRAY(sa.Text()), nullable=False, comment="names of what changed, never the values"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("record_history_by_record", "record_history", ["cluster", "record_id", "id"])
    op.create_table(
        "related",
        sa.Column("kind", sa.Text(), nullable=False, comment="invoice, payment, event, registration, consent, mailing"),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), comment="the source record that it names; an event names none"),
        sa.Column("event_id", sa.Text(), comment="the event that a registration is for"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "cluster", "item_id"),
    )
    op.create_index(
        "related_by_event", "related", ["cluster", "event_id"], postgresql_where=sa.text("event_id is not null")
    )
    op.create_index("related_by_record", "related", ["cluster", "record_id"])
    op.create_table(
        "source_records",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("written", sa.JSON(), nullable=False, comment="the fact, as the former system wrote it"),
        sa.Column("understood", sa.JSON(), nullable=False, comment="the same, normalised, with its problems"),
        sa.Column("siren", sa.Text(), comment="valid, or null"),
        sa.Column("same_as", sa.Text()),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("own_id", UUID(as_uuid=False), nullable=False, comment="the member id if it stood alone; for ever"),
        sa.Column("member_id", UUID(as_uuid=False), comment="the member that it belongs to; null once none is left"),
        sa.PrimaryKeyConstraint("cluster", "record_id"),
    )
    op.create_index("source_records_by_member", "source_records", ["member_id"])
    op.create_index("source_records_by_own_id", "source_records", ["own_id"], unique=True)
    op.create_index(
        "source_records_by_same_as",
        "source_records",
        ["cluster", "same_as"],
        postgresql_where=sa.text("same_as is not null"),
    )
    op.create_index(
        "source_records_by_siren", "source_records", ["siren"], postgresql_where=sa.text("siren is not null")
    )
    op.create_table(
        "views",
        sa.Column("member_id", UUID(as_uuid=False), nullable=False),
        sa.Column(
            "document", sa.LargeBinary(), nullable=False, comment="the consolidated view: UTF-8 JSON, served as it is"
        ),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("summary", JSONB(), nullable=False, comment="name, brand, SIREN and town, for lists"),
        sa.Column("sort_key", sa.Text(collation="C"), nullable=False, comment="name without accents and case"),
        sa.Column(
            "search", sa.Text(), nullable=False, comment="names, brand, town and SIRENs without accents and case"
        ),
        sa.Column("sirens", ARRAY(sa.Text()), nullable=False),
        sa.Column("clusters", ARRAY(sa.Text()), nullable=False),
        sa.Column("lineages", ARRAY(sa.Text()), nullable=False),
        sa.Column("departement", sa.Text()),
        sa.Column("paid_until", sa.Date()),
        sa.Column("exempt", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False, comment="a membership that has not ended"),
        sa.Column("updated_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("member_id"),
    )
    op.create_index("views_by_name", "views", ["sort_key", "member_id"])
    op.create_index("views_by_siren", "views", ["sirens"], postgresql_using="gin")
    op.create_index(
        "views_search", "views", ["search"], postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}
    )


def downgrade() -> None:
    for table in (
        "views",
        "source_records",
        "related",
        "record_history",
        "outbox",
        "inbox",
        "dead_letters",
        "api_keys",
    ):
        op.drop_table(table)
