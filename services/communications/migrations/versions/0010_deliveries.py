"""Suppressions, deliveries with what they say and every attempt, and the pace of domains."""

from alembic import op

revision = "0010"
down_revision = "0009"

TABLES = (
    """
    create table suppressions (
        suppression_id bigint generated always as identity primary key,
        cause text not null,
        key_id text,
        address_key bytea,
        covers text not null,
        purpose text not null default '*',
        reason text not null,
        source text not null,
        at timestamptz not null,
        lifted_at timestamptz,
        lifted_by text,
        proof text,
        constraint suppressions_cause unique (cause),
        constraint suppressions_covers check (covers in ('everything', 'bulk')),
        constraint suppressions_key check ((key_id is null) = (address_key is null)),
        constraint suppressions_lifted check ((lifted_at is null) = (lifted_by is null))
    )
    """,
    """
    create table suppression_records (
        suppression_id bigint not null references suppressions,
        cluster text not null,
        record_id text not null,
        primary key (suppression_id, cluster, record_id)
    )
    """,
    """
    create table contents (
        content_id bytea primary key,
        document jsonb not null,
        created_at timestamptz not null default now()
    )
    """,
    """
    create table attachments (
        content_id bytea not null references contents,
        name text not null,
        media_type text not null,
        body bytea not null,
        primary key (content_id, name)
    )
    """,
    """
    create table deliveries (
        delivery_id uuid primary key,
        cause text not null,
        kind text not null,
        mode text not null,
        purpose text not null,
        brand text not null,
        person_key text not null,
        name text,
        address text,
        domain text not null,
        key_id text not null,
        address_key bytea not null,
        token_hash bytea not null,
        return_hash bytea not null,
        content_id bytea not null references contents,
        fields jsonb not null default '{}',
        state text not null default 'due',
        attempt integer not null default 0,
        created_at timestamptz not null default now(),
        scheduled_at timestamptz not null default now(),
        due_at timestamptz not null default now(),
        not_after timestamptz,
        claim uuid,
        claimed_until timestamptz,
        paced boolean not null default false,
        handed_at timestamptz,
        ended_at timestamptz,
        code integer,
        answer text,
        constraint deliveries_mode check (mode in ('bulk', 'transactional')),
        constraint deliveries_state check (state in
            ('due', 'handing', 'accepted', 'refused', 'gave-up', 'uncertain', 'suppressed', 'cancelled')),
        constraint deliveries_once_a_person unique (cause, kind, person_key),
        constraint deliveries_token unique (token_hash),
        constraint deliveries_return unique (return_hash)
    )
    """,
    """
    create table delivery_records (
        delivery_id uuid not null references deliveries,
        cluster text not null,
        record_id text not null,
        primary key (delivery_id, cluster, record_id)
    )
    """,
    """
    create table delivery_attempts (
        delivery_id uuid not null references deliveries,
        attempt integer not null,
        at timestamptz not null default now(),
        outcome text not null,
        code integer,
        answer text,
        primary key (delivery_id, attempt, at)
    )
    """,
    """
    create table paces (
        domain text primary key,
        free_at timestamptz not null default now(),
        sent_at timestamptz,
        paused_because text,
        paused_at timestamptz,
        constraint paces_paused check ((paused_because is null) = (paused_at is null))
    )
    """,
    "create index suppressions_by_address on suppressions (address_key)",
    "create index suppression_records_by_record on suppression_records (cluster, record_id)",
    "create unique index deliveries_once_an_address on deliveries (cause, kind, address_key) where mode = 'bulk'",
    "create index deliveries_due on deliveries (due_at) where state = 'due'",
    "create index deliveries_handing on deliveries (claimed_until) where state = 'handing'",
    "create index deliveries_by_address on deliveries (address_key)",
    "create index deliveries_by_time on deliveries (created_at)",
    "create index delivery_records_by_record on delivery_records (cluster, record_id)",
)
NAMES = (
    "paces", "delivery_attempts", "delivery_records", "deliveries", "attachments", "contents", "suppression_records",
    "suppressions",
)  # fmt: skip


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    for name in NAMES:
        op.drop_table(name)
