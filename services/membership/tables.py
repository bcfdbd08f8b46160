"""Membership's tables: what former systems said, how it is linked, and the documents that are served."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID

from services.common.sections import section_tables
from services.cutover.parity.tables import parity_tables
from services.cutover.tables import cutover_tables
from services.membership.matching.tables import matching_tables
from shared.messaging.tables import messaging_tables
from shared.persistence.mirror import applied_late_column

metadata = sa.MetaData()
# Documents are json, not jsonb: their text comes back as it was written, with its fields in the same order, and so
# do the bytes of every view that is made of them.
messaging = messaging_tables(metadata)
cutover = cutover_tables(metadata)
parity = parity_tables(metadata)
matching = matching_tables(metadata)
section_tables(metadata)
section_tables(metadata, "contact")

_now = sa.text("now()")

source_records = sa.Table(
    "source_records",
    metadata,
    sa.Column("cluster", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("written_version", sa.BigInteger, nullable=False, comment="of what is written; -1: nothing ever was"),
    sa.Column("written_digest", sa.LargeBinary, nullable=False),
    sa.Column(
        "written_here",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="by a command, while its former system was no authority: whatever that says next is newer",
    ),
    sa.Column("removed", sa.Boolean, nullable=False, comment="its former system has it no more"),
    sa.Column("written", sa.JSON, nullable=False, comment="what the former system last wrote"),
    sa.Column("understood", sa.JSON, nullable=False, comment="the same, normalised, with its problems"),
    sa.Column("siren", sa.Text, comment="valid, or null"),
    sa.Column("same_as", sa.Text),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("own_id", UUID(as_uuid=False), nullable=False, comment="the member id if it stood alone; for ever"),
    sa.Column("member_id", UUID(as_uuid=False), comment="the member that it belongs to; null once none is left"),
    sa.Index("source_records_by_siren", "siren", postgresql_where=sa.text("siren is not null")),
    sa.Index("source_records_by_same_as", "cluster", "same_as", postgresql_where=sa.text("same_as is not null")),
    sa.Index("source_records_by_member", "member_id"),
    sa.Index("source_records_by_own_id", "own_id", unique=True),
    *(
        sa.Index(
            f"source_records_by_{field}",
            sa.literal_column(f"(understood ->> '{field}')").label("value"),
            postgresql_ops={"value": "text_pattern_ops"},
            postgresql_where=sa.text(f"understood ->> '{field}' is not null"),
        )
        for field in ("email", "phone", "mobile")
    ),
    sa.Index(
        "source_records_by_contact",
        sa.func.contact_words(sa.literal_column("written")).label("contact"),
        postgresql_using="gin",
        postgresql_ops={"contact": "gin_trgm_ops"},
    ),
)

record_history = sa.Table(
    "record_history",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("cluster", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("fields", ARRAY(sa.Text), nullable=False, comment="names of what changed, never the values"),
    sa.Index("record_history_by_record", "cluster", "record_id", "id"),
)

related = sa.Table(
    "related",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True, comment="invoice, payment, event, registration, consent, mailing"),
    sa.Column("cluster", sa.Text, primary_key=True),
    sa.Column("item_id", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, comment="the source record that it names; an event names none"),
    sa.Column("event_id", sa.Text, comment="the event that a registration is for"),
    applied_late_column("late messages about it that its own service applied: counts before the version"),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Index("related_by_record", "cluster", "record_id"),
    sa.Index("related_by_event", "cluster", "event_id", postgresql_where=sa.text("event_id is not null")),
)

views = sa.Table(
    "views",
    metadata,
    sa.Column("member_id", UUID(as_uuid=False), primary_key=True),
    sa.Column("document", sa.LargeBinary, nullable=False, comment="the consolidated view: UTF-8 JSON, served as it is"),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("summary", JSONB, nullable=False, comment="name, brand, SIREN and town, for lists"),
    sa.Column("sort_key", sa.Text(collation="C"), nullable=False, comment="name without accents and case"),
    sa.Column("search", sa.Text, nullable=False, comment="names, brand, town and SIRENs without accents and case"),
    sa.Column("sirens", ARRAY(sa.Text), nullable=False),
    sa.Column("clusters", ARRAY(sa.Text), nullable=False),
    sa.Column("lineages", ARRAY(sa.Text), nullable=False),
    sa.Column("departement", sa.Text),
    sa.Column("paid_until", sa.Date),
    sa.Column("exempt", sa.Boolean, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False, comment="a membership that has not ended"),
    sa.Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Index("views_by_name", "sort_key", "member_id"),
    sa.Index("views_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
    sa.Index("views_by_siren", "sirens", postgresql_using="gin"),
)

# Triggers keep the next two: see the migration that makes them.
view_counts = sa.Table(
    "view_counts",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True, comment="all that follows but the number, as JSON"),
    sa.Column("clusters", ARRAY(sa.Text), nullable=False),
    sa.Column("lineages", ARRAY(sa.Text), nullable=False),
    sa.Column("departement", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("exempt", sa.Boolean, nullable=False),
    sa.Column("paid_until", sa.Date),
    sa.Column("members", sa.BigInteger, nullable=False),
)

review_cases = sa.Table(
    "review_cases",
    metadata,
    sa.Column("case_id", sa.Text(collation="C"), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False, comment="pair or contested"),
    sa.Column("gain", sa.Double, nullable=False),
    sa.Column("probability", sa.Double, nullable=False),
    sa.Column("clusters", ARRAY(sa.Text), nullable=False),
    sa.Column("member_ids", ARRAY(UUID(as_uuid=False)), nullable=False),
    sa.Column("records", ARRAY(sa.Text), nullable=False, comment="of its members: cluster/record_id"),
    sa.Column("document", sa.JSON, nullable=False, comment="the case: see identity/review_rows.py"),
    sa.Index("review_cases_by_member", "member_ids", postgresql_using="gin"),
    sa.Index("review_cases_by_record", "records", postgresql_using="gin"),
)

# Triggers fill it: see the migration that makes it.
review_changes = sa.Table(
    "review_changes",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("cluster", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("transaction", sa.BigInteger, nullable=False, server_default=sa.text("txid_current()")),
    sa.Index("review_changes_by_transaction", "transaction"),
)

daily_statistics = sa.Table(
    "daily_statistics",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True, comment="total, several-clusters, cluster, lineage, departement"),
    sa.Column("day", sa.Date, primary_key=True, comment="in France"),
    sa.Column("key", sa.Text, primary_key=True, comment="its code; empty: none, or unknown"),
    sa.Column("members", sa.BigInteger, nullable=False),
    sa.Column("active", sa.BigInteger, nullable=False),
    sa.Column("paid_up", sa.BigInteger, nullable=False),
)

picture_versions = sa.Table(
    "picture_versions",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, comment="the transaction that changed it last"),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="the public half of the key"),
    sa.Column("hash", sa.LargeBinary, nullable=False, comment="of the secret half"),
    sa.Column("name", sa.Text, nullable=False, comment="who or what uses it"),
    sa.Column("role", sa.Text, nullable=False),  # for a version before: grants say what a key may
    sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Column("expires_at", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("revoked_at", TIMESTAMP(timezone=True)),
    sa.Column(
        "signs_for_others",
        sa.Boolean,
        nullable=False,
        server_default=sa.true(),  # a version before writes none: its keys all did
    ),
    sa.CheckConstraint("role in ('reader', 'staff', 'admin')", name="api_keys_role"),
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("locale", sa.Text, nullable=False, server_default="fr"),
    sa.Column("shortcuts", sa.Boolean, nullable=False, server_default=sa.true()),  # single keys of the console
    sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Column("disabled_at", TIMESTAMP(timezone=True)),
    sa.Index("people_email", sa.text("lower(email)"), unique=True),
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),  # whom the issuer means; never an e-mail address
    sa.Column("person_id", sa.Text, sa.ForeignKey("people.id"), nullable=False),
    sa.Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("person_id", sa.Text, sa.ForeignKey("people.id")),
    sa.Column("key_id", sa.Text, sa.ForeignKey("api_keys.id")),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("cluster", sa.Text),  # null: all
    sa.Column("granted_by", sa.Text, nullable=False),
    sa.Column("granted_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Column("ended_at", TIMESTAMP(timezone=True)),
    sa.Column("ended_by", sa.Text),
    sa.CheckConstraint("(person_id is null) <> (key_id is null)", name="grants_holder"),
    sa.CheckConstraint("role in ('reader', 'staff', 'treasurer', 'operator', 'admin')", name="grants_role"),
    sa.Index("grants_of_people", "person_id", postgresql_where="ended_at is null"),
    sa.Index("grants_of_keys", "key_id", postgresql_where="ended_at is null"),
)

sign_in_links = sa.Table(
    "sign_in_links",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("person_id", sa.Text, sa.ForeignKey("people.id"), nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Column("expires_at", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("used_at", TIMESTAMP(timezone=True)),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("hash", sa.LargeBinary, nullable=False, unique=True),  # of the cookie
    sa.Column("person_id", sa.Text, sa.ForeignKey("people.id"), nullable=False),
    sa.Column("how", sa.Text, nullable=False),  # link, or the issuer
    sa.Column("agent", sa.Text, nullable=False),  # browser and system, in two words
    sa.Column("network", sa.Text, nullable=False),  # an IPv4 /24 or IPv6 /48
    sa.Column("signed_in_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Column("seen_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),  # to the minute
    sa.Column("until", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("ended_at", TIMESTAMP(timezone=True)),
    sa.Index("sessions_of_people", "person_id"),
    sa.Index("sessions_alive", "until", postgresql_where="ended_at is null"),
)

sign_in_attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    sa.Column("state", sa.LargeBinary, primary_key=True),  # hash of it
    sa.Column("browser", sa.LargeBinary, nullable=False),  # hash of the cookie that began it
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("verifier", sa.Text, nullable=False),  # PKCE (RFC 7636)
    sa.Column("return_to", sa.Text, nullable=False),
    sa.Column("expires_at", TIMESTAMP(timezone=True), nullable=False),
)

access_audit = sa.Table(
    "access_audit",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("who", sa.Text, nullable=False),  # an API key's id, or person: and a person's
    sa.Column("name", sa.Text, nullable=False),  # as it was then
    sa.Column("session", sa.BigInteger),
    sa.Column("permission", sa.Text, nullable=False),  # the right that was used, or sign-in
    sa.Column("about", sa.Text, nullable=False),  # member:…, record:…, or a route; never a value
    sa.Column("cluster", sa.Text),
    sa.Column("outcome", sa.Text, nullable=False),  # done, read, asked, or the kind of a refusal
    sa.Column("reason", sa.Text),
    sa.Column("times", sa.BigInteger, nullable=False, server_default="1"),  # reads of a key within seconds
    sa.Index("access_audit_about", "about", "id"),
    sa.Index("access_audit_who", "who", "id"),
    sa.Index("access_audit_at", "at"),
)

# --- who is who, by whose word --------------------------------------------------------------------------------------

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text, comment="the API key that it came with; null from the command line"),
    sa.Column("decided_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Column("taken_back_at", TIMESTAMP(timezone=True)),
    sa.Column("taken_back_by", sa.Text),
    sa.Column("taken_back_reason", sa.Text),
)

decision_pairs = sa.Table(
    "decision_pairs",
    metadata,
    sa.Column("decision_id", sa.BigInteger, sa.ForeignKey("decisions.id"), primary_key=True),
    sa.Column("a_cluster", sa.Text, primary_key=True),
    sa.Column("a_record_id", sa.Text, primary_key=True),
    sa.Column("b_cluster", sa.Text, primary_key=True),
    sa.Column("b_record_id", sa.Text, primary_key=True),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.CheckConstraint("verdict in ('confirmed', 'rejected')", name="decision_pairs_verdict"),
    sa.CheckConstraint("(a_cluster, a_record_id) < (b_cluster, b_record_id)", name="decision_pairs_order"),
    sa.Index("decision_pairs_by_a", "a_cluster", "a_record_id"),
    sa.Index("decision_pairs_by_b", "b_cluster", "b_record_id"),
)

overrides = sa.Table(
    "overrides",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("cluster", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False, comment="the source record that it goes with"),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False, comment="as staff wrote it"),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text),
    sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Column("taken_back_at", TIMESTAMP(timezone=True)),
    sa.Column("taken_back_by", sa.Text),
    sa.Column("taken_back_reason", sa.Text),
    sa.Index(
        "overrides_in_force",
        "cluster",
        "record_id",
        "field",
        unique=True,
        postgresql_where=sa.text("taken_back_at is null"),
    ),
)

identity_version = sa.Sequence("identity_version", metadata=metadata)

identity_history = sa.Table(
    "identity_history",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Column("what", sa.Text, nullable=False, comment="merged or separated"),
    sa.Column("member_ids", ARRAY(UUID(as_uuid=False)), nullable=False, comment="every id that it concerns"),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Index("identity_history_by_member", "member_ids", postgresql_using="gin"),
)

merge_conflicts = sa.Table(
    "merge_conflicts",
    metadata,
    sa.Column("conflict_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("responsible", sa.Text, nullable=False, comment="the service that must resolve it"),
    sa.Column("a_cluster", sa.Text, nullable=False),
    sa.Column("a_record_id", sa.Text, nullable=False),
    sa.Column("b_cluster", sa.Text, nullable=False),
    sa.Column("b_record_id", sa.Text, nullable=False),
    sa.Column("member_id", UUID(as_uuid=False), nullable=False),
    sa.Column("overlaps", sa.JSON, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False, comment="of what was told of it last"),
    sa.Column("found_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Column("gone_at", TIMESTAMP(timezone=True)),
    sa.Index("merge_conflicts_by_member", "member_id"),
    sa.Index("merge_conflicts_open", "responsible", postgresql_where=sa.text("gone_at is null")),
)

conflict_answers = sa.Table(
    "conflict_answers",
    metadata,
    sa.Column("conflict_id", sa.Text, primary_key=True),
    sa.Column("responsible", sa.Text, nullable=False, comment="the service that answered"),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, comment="open, settled or gone"),
    sa.Column("changed_at", TIMESTAMP(timezone=True), nullable=False),
)

former_systems = sa.Table(
    "former_systems",
    metadata,
    sa.Column("cluster", sa.Text, primary_key=True),
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("since", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    comment="where each former system stands, as the services told; our own among them",
)

waiting_counts = sa.Table(
    "waiting_counts",
    metadata,
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, comment="of what the service announced"),
    sa.Column("parked", sa.BigInteger, nullable=False),
    sa.Column("parked_since", TIMESTAMP(timezone=True)),
    sa.Column("late", sa.BigInteger, nullable=False),
    sa.Column("differences", sa.BigInteger, nullable=False),
    sa.Column("clusters", sa.JSON, nullable=False, comment="late and differences of each"),
    comment="what waits for a person in each service, as it announced; our own among them",
)

record_changes = sa.Table(
    "record_changes",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("cluster", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False, comment="the one that it made"),
    sa.Column("command", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text, comment="the API key that it came with; null by the broker"),
    sa.Column("reason", sa.Text),
    sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    sa.Column("fields", ARRAY(sa.Text), nullable=False, comment="names of what changed, never the values"),
    sa.CheckConstraint("command in ('create', 'change', 'end', 'contact')", name="record_changes_command"),
    sa.Index("record_changes_by_record", "cluster", "record_id", "id"),
)

cutover_requests = sa.Table(
    "cutover_requests",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="a UUIDv7"),
    sa.Column("cluster", sa.Text, comment="null: about no former system alone"),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text, nullable=False, comment="the API key that it came with"),
    sa.Column("reason", sa.Text),
    sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
    sa.Column("outcome", sa.Text, comment="null until the service answers"),
    sa.Column("answer", sa.JSON),
    sa.Column("answered_at", TIMESTAMP(timezone=True)),
    sa.CheckConstraint("outcome in ('done', 'refused')", name="cutover_requests_outcome"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True, comment="the API key that it came with"),
    sa.Column("idempotency_key", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False, comment="of what was asked"),
    sa.Column("results", ARRAY(sa.Text), nullable=False, comment="ids of what it made"),
    sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
)
