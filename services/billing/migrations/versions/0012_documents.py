"""Documents that were issued, their lines, the days that they bill, and the series of their numbers."""

from alembic import op

from services.billing.migration_steps import refuse_changes

revision = "0012"
down_revision = "0011"

TABLES = (
    """
    create table series (
        issuer text not null,
        kind text not null,
        year integer not null,
        next integer not null,
        last_on date not null,
        constraint series_pkey primary key (issuer, kind)
    )
    """,
    """
    create table documents (
        document_id uuid primary key,
        issuer text not null,
        kind text not null,
        year integer not null,
        place integer not null,
        number text not null,
        issued_on date not null,
        due_on date,
        cluster text not null,
        record_id text not null,
        first date not null,
        corrects uuid references documents,
        seller json not null,
        buyer json not null,
        net numeric(12, 2) not null,
        vat numeric(12, 2) not null,
        gross numeric(12, 2) not null,
        reference text not null,
        why text not null,
        run_id uuid references runs,
        issued_by text not null,
        issued_at timestamptz not null default now(),
        constraint documents_kind check (kind in ('invoice', 'credit-note', 'dues-notice')),
        constraint documents_number unique (number),
        constraint documents_in_series unique (issuer, kind, year, place),
        constraint documents_reference unique (reference),
        constraint documents_add_up check (gross = net + vat and net > 0 and vat >= 0),
        constraint documents_corrects check ((kind = 'credit-note') = (corrects is not null))
    )
    """,
    "create index documents_by_record on documents (cluster, record_id, first)",
    """
    create table document_lines (
        document_id uuid not null references documents,
        place integer not null,
        code text not null,
        label text not null,
        amount numeric(12, 2) not null,
        units integer[] not null,
        vat_regime text not null,
        vat_rate numeric(5, 2) not null,
        vat_code text,
        account text not null,
        corrects_place integer,
        constraint document_lines_pkey primary key (document_id, place),
        constraint document_lines_amount check (amount > 0)
    )
    """,
    """
    create table billed_days (
        id bigint generated always as identity primary key,
        payer uuid not null,
        days daterange not null,
        document_id uuid not null,
        place integer not null,
        released_by uuid references documents,
        constraint billed_days_line foreign key (document_id, place) references document_lines,
        constraint billed_days_once exclude using gist (payer with =, days with &&) where (released_by is null)
    )
    """,
    "create index billed_days_by_line on billed_days (document_id, place)",
)
NEVER_CHANGED = ("documents", "document_lines")
DAYS_ARE_RELEASED = """
    create function refuse_changed_days() returns trigger language plpgsql as $$
    begin
        if old.released_by is not null
           or (old.payer, old.days, old.document_id, old.place) is distinct from
              (new.payer, new.days, new.document_id, new.place) then
            raise exception 'days that were billed are only ever released, once, by a credit note';
        end if;
        return new;
    end $$
"""
CREDIT_FITS = """
    create function refuse_excessive_credit() returns trigger language plpgsql as $$
    declare
        corrected uuid;
        billed numeric;
        credited numeric;
    begin
        select d.corrects into corrected from documents d where d.document_id = new.document_id;
        if (corrected is null) <> (new.corrects_place is null) then
            raise exception 'each line of a credit note names the line that it corrects, and no other line does';
        end if;
        if corrected is null then
            return new;
        end if;
        select l.amount into billed from document_lines l
        where l.document_id = corrected and l.place = new.corrects_place for update;
        select coalesce(sum(l.amount), 0) into credited
        from document_lines l join documents d using (document_id)
        where d.corrects = corrected and l.corrects_place = new.corrects_place;
        if billed is null or credited + new.amount > billed then
            raise exception 'a credit line is never above what is left of the line that it corrects';
        end if;
        return new;
    end $$
"""


def upgrade() -> None:
    for table in TABLES:
        op.execute(table)
    refuse_changes(NEVER_CHANGED)
    op.execute(DAYS_ARE_RELEASED)
    op.execute(
        "create trigger billed_days_stay before update on billed_days "
        "for each row execute function refuse_changed_days()"
    )
    op.execute(
        "create trigger billed_days_remain before delete on billed_days "
        "for each statement execute function refuse_change()"
    )
    op.execute(
        "create trigger series_remain before delete on series for each statement execute function refuse_change()"
    )
    op.execute(CREDIT_FITS)
    op.execute(
        "create trigger document_lines_fit before insert on document_lines "
        "for each row execute function refuse_excessive_credit()"
    )


def downgrade() -> None:
    for table in ("billed_days", "document_lines", "documents", "series"):
        op.drop_table(table)
    for function in ("refuse_excessive_credit", "refuse_changed_days"):
        op.execute(f"drop function {function}()")
