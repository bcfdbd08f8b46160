"""People, what they may do, how they came in, and who did or looked at what."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0017"
down_revision = "0016"

NOW = sa.text("now()")


def moment(name: str, *, required: bool = False) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=not required)


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("locale", sa.Text(), nullable=False, server_default="fr"),
        sa.Column("shortcuts", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=NOW),
        moment("disabled_at"),
    )
    op.create_index("people_email", "people", [sa.text("lower(email)")], unique=True)
    op.create_table(
        "identities",
        sa.Column("issuer", sa.Text(), primary_key=True),
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=NOW),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("key_id", sa.Text(), sa.ForeignKey("api_keys.id")),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("cluster", sa.Text()),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", TIMESTAMP(timezone=True), nullable=False, server_default=NOW),
        moment("ended_at"),
        sa.Column("ended_by", sa.Text()),
        sa.CheckConstraint("(person_id is null) <> (key_id is null)", name="grants_holder"),
        sa.CheckConstraint("role in ('reader', 'staff', 'treasurer', 'operator', 'admin')", name="grants_role"),
    )
    op.create_index("grants_of_people", "grants", ["person_id"], postgresql_where="ended_at is null")
    op.create_index("grants_of_keys", "grants", ["key_id"], postgresql_where="ended_at is null")
    op.create_table(
        "sign_in_links",
        sa.Column("hash", sa.LargeBinary(), primary_key=True),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", TIMESTAMP(timezone=True), nullable=False, server_default=NOW),
        moment("expires_at", required=True),
        moment("used_at"),
    )
    op.create_table(
        "sessions",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("signed_in_at", TIMESTAMP(timezone=True), nullable=False, server_default=NOW),
        sa.Column("seen_at", TIMESTAMP(timezone=True), nullable=False, server_default=NOW),
        moment("until", required=True),
        moment("ended_at"),
    )
    op.create_index("sessions_of_people", "sessions", ["person_id"])
    op.create_index("sessions_alive", "sessions", ["until"], postgresql_where="ended_at is null")
    op.create_table(
        "sign_in_attempts",
        sa.Column("state", sa.LargeBinary(), primary_key=True),
        sa.Column("browser", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("return_to", sa.Text(), nullable=False),
        moment("expires_at", required=True),
    )
    op.create_table(
        "access_audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("session", sa.BigInteger()),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("cluster", sa.Text()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("times", sa.BigInteger(), nullable=False, server_default="1"),
    )
    op.create_index("access_audit_about", "access_audit", ["about", "id"])
    op.create_index("access_audit_who", "access_audit", ["who", "id"])
    op.create_index("access_audit_at", "access_audit", ["at"])
    # What a version before writes without this column is a key that signs for others, as all keys did then.
    op.add_column("api_keys", sa.Column("signs_for_others", sa.Boolean(), nullable=False, server_default=sa.true()))
