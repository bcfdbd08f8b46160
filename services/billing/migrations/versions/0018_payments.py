"""Payments that are recorded here: allocated to documents, paid back, returned by a bank. Nothing is ever altered."""

from alembic import op

from services.billing.migration_steps import refuse_changes

revision = "0018"
down_revision = "0017"

TABLES = (
    """
    create table payments_received (
        payment_id uuid primary key,
        issuer text not null,
        cluster text not null,
        record_id text not null,
        amount numeric(12, 2) not null,
        received_on date not null,
        means text not null,
        reference text not null,
        key text not null,
        account text not null,
        advances text not null,
        recorded_by text not null,
        recorded_key text,
        reason text not null,
        at timestamptz not null default now(),
        constraint payments_received_once unique (issuer, key),
        constraint payments_received_amount check (amount > 0),
        constraint payments_received_means check (means in ('transfer', 'direct-debit', 'cheque', 'card', 'cash'))
    )
    """,
    "create index payments_received_by_record on payments_received (cluster, record_id)",
    """
    create table allocations (
        allocation_id uuid primary key,
        payment_id uuid not null references payments_received,
        document_id uuid not null references documents,
        amount numeric(12, 2) not null,
        undoes uuid references allocations,
        booked_on date not null,
        author text not null,
        reason text not null,
        at timestamptz not null default now(),
        constraint allocations_undone_once unique (undoes),
        constraint allocations_amount check (amount <> 0 and (amount < 0) = (undoes is not null))
    )
    """,
    "create index allocations_by_payment on allocations (payment_id)",
    "create index allocations_by_document on allocations (document_id)",
    """
    create table refunds (
        refund_id uuid primary key,
        payment_id uuid not null references payments_received,
        amount numeric(12, 2) not null,
        asked_by text not null,
        asked_key text,
        reason text not null,
        at timestamptz not null default now(),
        constraint refunds_amount check (amount > 0)
    )
    """,
    "create index refunds_by_payment on refunds (payment_id)",
    """
    create table refund_approvals (
        refund_id uuid primary key references refunds,
        paid_on date not null,
        account text not null,
        approved_by text not null,
        approved_key text not null,
        reason text not null,
        at timestamptz not null default now()
    )
    """,
    """
    create table payment_returns (
        payment_id uuid primary key references payments_received,
        return_id uuid not null,
        returned_on date not null,
        code text not null,
        fee numeric(12, 2) not null,
        bank text not null,
        fees text not null,
        author text not null,
        reason text not null,
        at timestamptz not null default now(),
        constraint payment_returns_id unique (return_id),
        constraint payment_returns_fee check (fee >= 0)
    )
    """,
)
NEVER_CHANGED = ("payments_received", "allocations", "refunds", "refund_approvals", "payment_returns")
FREE = """
    create function free_of(payment uuid) returns numeric language sql as $$
        select case when exists (select from payment_returns r where r.payment_id = payment) then 0 else p.amount end
               - coalesce((select sum(a.amount) from allocations a where a.payment_id = payment), 0)
               - coalesce((select sum(r.amount) from refunds r join refund_approvals using (refund_id)
                           where r.payment_id = payment), 0)
        from payments_received p where p.payment_id = payment
    $$
"""
OWED = """
    create function owed_of(document uuid) returns numeric language sql as $$
        select case when d.kind = 'credit-note' then 0 else d.gross end
               - coalesce((select sum(c.gross) from documents c where c.corrects = document), 0)
               - coalesce((select sum(a.amount) from allocations a where a.document_id = document), 0)
        from documents d where d.document_id = document
    $$
"""
BY_CORRECTED = "create index documents_by_corrected on documents (corrects) where corrects is not null"
# Rows are locked before they are added up: of two who take the same euro the second sees what the first took.
ALLOCATION_FITS = """
    create function refuse_excessive_allocation() returns trigger language plpgsql as $$
    declare
        payer text;
        seller text;
    begin
        select issuer into payer from payments_received where payment_id = new.payment_id for no key update;
        if new.undoes is not null then
            if not exists (select from allocations a where a.allocation_id = new.undoes and a.undoes is null
                           and (a.payment_id, a.document_id, a.amount)
                               = (new.payment_id, new.document_id, - new.amount)) then
                raise exception 'an allocation is undone whole, and once';
            end if;
            return null;
        end if;
        select issuer into seller from documents where document_id = new.document_id for no key update;
        if payer <> seller then
            raise exception 'a payment to one issuer pays no document of another';
        end if;
        if free_of(new.payment_id) < 0 then
            raise exception 'no more is allocated of a payment than is free';
        end if;
        if owed_of(new.document_id) < 0 then
            raise exception 'no more is allocated to a document than is owed on it';
        end if;
        return null;
    end $$
"""
MONEY_IS_FREE = """
    create function refuse_excessive_refund() returns trigger language plpgsql as $$
    declare
        asked refunds;
    begin
        select * into asked from refunds where refund_id = new.refund_id;
        if asked.asked_key = new.approved_key then
            raise exception 'a refund is approved by another key than the one that asked for it';
        end if;
        perform from payments_received where payment_id = asked.payment_id for no key update;
        if free_of(asked.payment_id) < 0 then
            raise exception 'no more is paid back of a payment than is free';
        end if;
        return null;
    end $$
"""
RETURN_FITS = """
    create function refuse_excessive_return() returns trigger language plpgsql as $$
    begin
        perform from payments_received where payment_id = new.payment_id for no key update;
        if free_of(new.payment_id) < 0 then
            raise exception 'a payment is returned whole: undo its allocations first, and nothing of it was paid back';
        end if;
        return null;
    end $$
"""
CREDIT_IS_OWED = """
    create function refuse_credit_of_paid() returns trigger language plpgsql as $$
    begin
        perform from documents where document_id = new.corrects for no key update;
        if owed_of(new.corrects) < 0 then
            raise exception 'what was paid on a document and is credited now is free again: undo its allocations';
        end if;
        return null;
    end $$
"""
# The replica of the version before issues credit notes too. So this is looked at when all of it is done.
GUARDS = (
    "create trigger allocations_fit after insert on allocations "
    "for each row execute function refuse_excessive_allocation()",
    "create trigger refund_approvals_fit after insert on refund_approvals "
    "for each row execute function refuse_excessive_refund()",
    "create trigger payment_returns_fit after insert on payment_returns "
    "for each row execute function refuse_excessive_return()",
    "create constraint trigger documents_credited after insert on documents deferrable initially deferred "
    "for each row when (new.corrects is not null) execute function refuse_credit_of_paid()",
)
PAYER = "select cluster, record_id from payments_received where payment_id = {of}.payment_id offset 0"
MARKED = {
    "payments_received": "select cluster, record_id from changed",
    "allocations": f"""
        select m.* from changed c cross join lateral ({PAYER.format(of="c")}) m
        union
        select m.* from changed c cross join lateral
            (select cluster, record_id from documents where document_id = c.document_id offset 0) m
    """,
    "refund_approvals": f"""
        select m.* from changed c
        cross join lateral (select payment_id from refunds where refund_id = c.refund_id offset 0) r
        cross join lateral ({PAYER.format(of="r")}) m
    """,
    "payment_returns": f"select m.* from changed c cross join lateral ({PAYER.format(of='c')}) m",
}
MARK = """
    create function mark_accounts_of_{table}() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        insert into section_changes (cluster, record_id) {records};
        return null;
    end $$
"""
MARKS = """
    create trigger {table}_inserted after insert on {table} referencing new table as changed
    for each statement execute function mark_accounts_of_{table}()
"""


def upgrade() -> None:
    for statement in (*TABLES, BY_CORRECTED):
        op.execute(statement)
    refuse_changes(NEVER_CHANGED)
    for statement in (FREE, OWED, ALLOCATION_FITS, MONEY_IS_FREE, RETURN_FITS, CREDIT_IS_OWED, *GUARDS):
        op.execute(statement)
    for table, records in MARKED.items():
        op.execute(MARK.format(table=table, records=records))
        op.execute(MARKS.format(table=table))


def downgrade() -> None:
    op.execute("drop trigger documents_credited on documents")
    op.drop_index("documents_by_corrected", "documents")
    for table in reversed(NEVER_CHANGED):
        op.drop_table(table)
    for table in MARKED:
        op.execute(f"drop function mark_accounts_of_{table}()")
    for name in ("excessive_allocation", "excessive_refund", "excessive_return", "credit_of_paid"):
        op.execute(f"drop function refuse_{name}()")
    op.execute("drop function free_of(uuid)")
    op.execute("drop function owed_of(uuid)")
