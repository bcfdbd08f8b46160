"""Grids, decisions about dues, the prices at which periods were billed, and runs. What was decided is never altered."""

import sqlalchemy as sa
from alembic import op

from services.billing.migration_steps import refuse_changes

revision = "0011"
down_revision = "0010"

NEVER_CHANGED = ("grids", "grid_adoptions", "dues")


TABLES = (
    """
    create table grids (
        grid_id uuid primary key,
        issuer text not null,
        number integer not null,
        document json not null,
        proposed_by text not null,
        proposed_at timestamptz not null default now(),
        reason text not null,
        constraint grids_by_number unique (issuer, number)
    )
    """,
    """
    create table grid_adoptions (
        grid_id uuid primary key references grids,
        issuer text not null,
        valid daterange not null,
        replaces uuid references grids,
        adopted_by text not null,
        adopted_at timestamptz not null default now(),
        reason text not null,
        constraint grid_adoptions_replace_once unique (replaces),
        constraint grid_adoptions_apart exclude using gist (issuer with =, valid with &&) where (replaces is null)
    )
    """,
    """
    create table due_decisions (
        decision_id uuid primary key,
        kind text not null,
        cluster text not null,
        record_id text not null,
        first date,
        last date,
        amount numeric(12, 2) not null default 0,
        author text not null,
        reason text not null,
        at timestamptz not null default now(),
        taken_back_by text,
        taken_back_at timestamptz,
        taken_back_reason text,
        constraint due_decisions_kind
            check (kind in ('exempt', 'one-bill', 'extension', 'release', 'remit', 'credit')),
        constraint due_decisions_amount check (amount >= 0)
    )
    """,
    """
    create index due_decisions_by_record on due_decisions (cluster, record_id)
    """,
    """
    create table dues (
        issuer text not null,
        cluster text not null,
        record_id text not null,
        first date not null,
        grid_id uuid not null references grids,
        price json not null,
        frozen_at timestamptz not null default now(),
        constraint dues_pkey primary key (issuer, cluster, record_id, first)
    )
    """,
    """
    create table runs (
        run_id uuid primary key,
        issuer text not null,
        first date not null,
        digest bytea not null,
        documents integer not null,
        total numeric(14, 2) not null,
        prepared_by text not null,
        prepared_at timestamptz not null default now(),
        reason text not null,
        approved_by text,
        approved_at timestamptz,
        issued_by text,
        issued_at timestamptz
    )
    """,
)
DECISION_STAYS = """
    create function refuse_changed_decision() returns trigger language plpgsql as $$
    begin
        if old.taken_back_at is not null
           or (old.kind, old.cluster, old.record_id, old.amount, old.author, old.reason, old.at)
              is distinct from (new.kind, new.cluster, new.record_id, new.amount, new.author, new.reason, new.at)
           or (old.first, old.last) is distinct from (new.first, new.last) then
            raise exception 'a decision is never altered: take it back, and decide anew';
        end if;
        return new;
    end $$
"""


def upgrade() -> None:
    op.execute("create extension if not exists btree_gist")
    for table in TABLES:
        op.execute(table)
    refuse_changes(NEVER_CHANGED)
    op.execute(DECISION_STAYS)
    op.execute(
        "create trigger due_decisions_stay before update on due_decisions "
        "for each row execute function refuse_changed_decision()"
    )
    op.execute(
        "create trigger due_decisions_remain before delete on due_decisions "
        "for each statement execute function refuse_change()"
    )


def downgrade() -> None:
    for table in ("runs", "dues", "due_decisions", "grid_adoptions", "grids"):
        op.drop_table(table)
    for function in ("refuse_changed_decision", "refuse_change"):
        op.execute(sa.text(f"drop function {function}()"))
