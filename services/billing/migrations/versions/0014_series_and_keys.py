"""Whose key prepared and approved, which line a remission is of, numbers after a restore, and files that fail."""

import sqlalchemy as sa
from alembic import op

from services.billing.migration_steps import refuse_changes

revision = "0014"
down_revision = "0013"

TABLES = (
    """
    create table series_comparisons (
        id bigint generated always as identity primary key,
        fingerprint text not null,
        sent text[] not null,
        author text not null,
        reason text not null,
        at timestamptz not null default now()
    )
    """,
    """
    create table lost_numbers (
        issuer text not null,
        kind text not null,
        year integer not null,
        first integer not null,
        last integer not null,
        comparison bigint not null references series_comparisons,
        constraint lost_numbers_pkey primary key (issuer, kind, year, first)
    )
    """,
    """
    create table document_failures (
        document_id uuid primary key references documents,
        attempts integer not null,
        error text not null,
        first_at timestamptz not null default now(),
        next_at timestamptz not null
    )
    """,
)
# Where documents were issued by the version before, the database is the one that issued them.
THIS_DATABASE = """
    insert into series_comparisons (fingerprint, sent, author, reason)
    select s.system_identifier || '/' || c.timeline_id || '/' || d.oid, '{}', 'traboule', 'upgraded where it was issued'
    from pg_control_system() s, pg_control_checkpoint() c, pg_database d
    where d.datname = current_database() and exists (select from documents)
"""
DECISION_STAYS = """
    create or replace function refuse_changed_decision() returns trigger language plpgsql as $$
    begin
        if old.taken_back_at is not null
           or (old.kind, old.cluster, old.record_id, old.amount, old.author, old.reason, old.at)
              is distinct from (new.kind, new.cluster, new.record_id, new.amount, new.author, new.reason, new.at)
           or (old.first, old.last, old.line) is distinct from (new.first, new.last, new.line) then
            raise exception 'a decision is never altered: take it back, and decide anew';
        end if;
        return new;
    end $$
"""
COLUMNS = (("runs", "prepared_key"), ("runs", "approved_key"), ("grids", "proposed_key"), ("due_decisions", "line"))


def upgrade() -> None:
    op.add_column("runs", sa.Column("prepared_key", sa.Text()))
    op.add_column("runs", sa.Column("approved_key", sa.Text()))
    op.add_column("grids", sa.Column("proposed_key", sa.Text()))
    op.add_column("due_decisions", sa.Column("line", sa.Text()))
    for table in TABLES:
        op.execute(table)
    op.execute(THIS_DATABASE)
    op.execute(DECISION_STAYS)
    refuse_changes(("series_comparisons", "lost_numbers"))


def downgrade() -> None:
    for table in ("document_failures", "lost_numbers", "series_comparisons"):
        op.drop_table(table)
    op.execute(DECISION_STAYS.replace(", old.line)", ")").replace(", new.line)", ")"))
    for table, column in COLUMNS:
        op.drop_column(table, column)
