"""Consents and mailings of former systems, and the messaging tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "consents",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text()),
        sa.Column("decided_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("proof", sa.Text()),
        sa.PrimaryKeyConstraint("cluster", "consent_id"),
    )
    op.create_index("consents_by_record", "consents", ["cluster", "record_id"])
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
        "mailings",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("mailing_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text()),
        sa.Column("brand", sa.Text()),
        sa.Column("sent_at", TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("cluster", "mailing_id"),
    )
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
        "recipients",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("mailing_id", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the newest telling that names him"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("cluster", "mailing_id", "record_id"),
    )
    op.create_index("recipients_by_record", "recipients", ["cluster", "record_id"])


def downgrade() -> None:
    op.drop_table("recipients")
    op.drop_table("outbox")
    op.drop_table("mailings")
    op.drop_table("inbox")
    op.drop_table("dead_letters")
    op.drop_table("consents")
