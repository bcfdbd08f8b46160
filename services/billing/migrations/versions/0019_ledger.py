"""The ledger: each document, payment, allocation, refund and return enters the books in its own transaction.

Triggers write the entries: whichever program adds the row, none goes without its entry. Documents that were issued
before get theirs now.
"""

from alembic import op

from services.billing.migration_steps import refuse_changes

revision = "0019"
down_revision = "0018"

TABLES = (
    """
    create table entries (
        entry_id uuid primary key,
        place bigint generated always as identity,
        issuer text not null,
        journal text not null,
        booked_on date not null,
        piece text not null,
        piece_on date not null,
        label text not null,
        at timestamptz not null default now()
    )
    """,
    "create index entries_by_day on entries (issuer, booked_on)",
    """
    create table entry_lines (
        entry_id uuid not null references entries,
        place integer not null,
        account text not null,
        auxiliary text,
        debit numeric(12, 2) not null,
        credit numeric(12, 2) not null,
        constraint entry_lines_pkey primary key (entry_id, place),
        constraint entry_lines_one_side check (debit >= 0 and credit >= 0 and (debit = 0) <> (credit = 0))
    )
    """,
)
# A plan that was made while a table held three rows reads it whole, and is kept while it grows.
BY_KEY = "set enable_seqscan = off"
# An entry's lines come in one statement. So it balances from its first line on, and nothing is added to it later.
BALANCED = f"""
    create function refuse_unbalanced_entry() returns trigger language plpgsql {BY_KEY} as $$
    begin
        if exists (
            select from changed c group by c.entry_id
            having sum(c.debit) <> sum(c.credit)
                or count(*) <> (select count(*) from entry_lines l where l.entry_id = c.entry_id)
        ) then
            raise exception 'an entry balances: its debits are its credits, and all its lines come at once';
        end if;
        return null;
    end $$
"""
# A credit note takes off what its document put on, from the accounts that held then.
#
# The entry of a document has its id. All rates of VAT share one account, and so one line. Sellers are JSON, and
# are read once each: with every document that took a tenth of the statement's time.
OF_DOCUMENTS = """
    with issued as (
        select d.* from (select distinct document_id from {lines}) c cross join lateral (
            select document_id, issuer, kind, issued_on, issued_at, number, cluster || '/' || record_id as member,
                   gross, vat,
                   coalesce((select o.seller from documents o where o.document_id = documents.corrects), seller)::text
                       as seller,
                   (kind = 'credit-note')::int as credited, (kind <> 'credit-note')::int as billed
            from documents where document_id = c.document_id offset 0
        ) d
    ), sellers as (
        select seller, coalesce(seller::json->>'account', '411') as receivable,
               coalesce(seller::json->'accounts'->>'vat', '44571') as vat_account
        from (select distinct seller from issued) s
    ), entered as (
        insert into entries (entry_id, issuer, journal, booked_on, piece, piece_on, label)
        select document_id, issuer, 'VE', issued_on, number, issued_on,
               case kind when 'credit-note' then 'Avoir ' when 'invoice' then 'Facture ' else 'Appel ' end || number
        from issued order by issued_at, number
    )
    insert into entry_lines (entry_id, place, account, auxiliary, debit, credit)
    select document_id, 0, receivable, member, gross * billed, gross * credited from issued join sellers using (seller)
    union all
    select document_id, 1, vat_account, null, vat * credited, vat * billed
    from issued join sellers using (seller) where vat > 0
    union all
    select document_id, 2 + place, account, null,
           case when corrects_place is null then 0 else amount end,
           case when corrects_place is null then amount else 0 end
    from {lines}
"""
ENTER_DOCUMENTS = f"""
    create function enter_documents() returns trigger language plpgsql {BY_KEY} as $$
    begin
        {OF_DOCUMENTS.format(lines="changed")};
        return null;
    end $$
"""
ENTER = """
    create function enter(issuer text, journal text, booked_on date, piece text, piece_on date, label text, id uuid,
                          amount numeric, debited text, debtor text, credited text, creditor text)
    returns void language sql as $$
        insert into entries (issuer, journal, booked_on, piece, piece_on, label, entry_id)
        values ($1, $2, $3, $4, $5, $6, $7);
        insert into entry_lines (entry_id, place, account, auxiliary, debit, credit)
        values ($7, 0, $9, $10, $8, 0), ($7, 1, $11, $12, 0, $8)
    $$
"""
JOURNAL = """
    create function journal_of(account text) returns text language sql immutable as $$
        select case when account like '53%' then 'CA' else 'BQ' end
    $$
"""
BY_ROW = {
    "payments_received": """
        perform enter(new.issuer, journal_of(new.account), new.received_on, new.key, new.received_on,
                      'Paiement reçu', new.payment_id, new.amount,
                      new.account, null, new.advances, new.cluster || '/' || new.record_id);
    """,
    "allocations": """
        select * into p from payments_received where payment_id = new.payment_id;
        select * into d from documents where document_id = new.document_id;
        payer := p.cluster || '/' || p.record_id;
        member := d.cluster || '/' || d.record_id;
        if new.amount > 0 then
            perform enter(p.issuer, 'OD', new.booked_on, d.number, d.issued_on, 'Affectation, ' || d.number,
                          new.allocation_id, new.amount, p.advances, payer, d.seller->>'account', member);
        else
            perform enter(p.issuer, 'OD', new.booked_on, d.number, d.issued_on, 'Affectation annulée, ' || d.number,
                          new.allocation_id, - new.amount, d.seller->>'account', member, p.advances, payer);
        end if;
    """,
    "refund_approvals": """
        select * into r from refunds where refund_id = new.refund_id;
        select * into p from payments_received where payment_id = r.payment_id;
        perform enter(p.issuer, journal_of(new.account), new.paid_on, p.key, p.received_on, 'Remboursement',
                      new.refund_id, r.amount, p.advances, p.cluster || '/' || p.record_id, new.account, null);
    """,
    "payment_returns": """
        select * into p from payments_received where payment_id = new.payment_id;
        perform enter(p.issuer, journal_of(p.account), new.returned_on, p.key, p.received_on, 'Rejet ' || new.code,
                      new.return_id, p.amount, p.advances, p.cluster || '/' || p.record_id, p.account, null);
        if new.fee > 0 then
            perform enter(p.issuer, journal_of(new.bank), new.returned_on, p.key, p.received_on,
                          'Frais de rejet ' || new.code, gen_random_uuid(), new.fee, new.fees, null, new.bank, null);
        end if;
    """,
}
FUNCTION = """
    create function enter_{table}() returns trigger language plpgsql as $$
    declare
        p payments_received;
        d documents;
        r refunds;
        payer text;
        member text;
    begin
        {body}
        return null;
    end $$
"""


def upgrade() -> None:
    for statement in (*TABLES, BALANCED, ENTER, JOURNAL, ENTER_DOCUMENTS):
        op.execute(statement)
    op.execute(
        "create trigger entry_lines_balance after insert on entry_lines referencing new table as changed "
        "for each statement execute function refuse_unbalanced_entry()"
    )
    # Triggers of one event fire by name: "allocations_fit" before "ledger", "refund_approvals_fit" and
    # "payment_returns_fit" after it. What any of them refuses is rolled back with its entry.
    op.execute(
        "create trigger ledger after insert on document_lines referencing new table as changed "
        "for each statement execute function enter_documents()"
    )
    for table, body in BY_ROW.items():
        op.execute(FUNCTION.format(table=table, body=body))
        op.execute(f"create trigger ledger after insert on {table} for each row execute function enter_{table}()")
    op.execute(OF_DOCUMENTS.format(lines="document_lines"))
    refuse_changes(("entries", "entry_lines"))


def downgrade() -> None:
    for table in ("document_lines", *BY_ROW):
        op.execute(f"drop trigger ledger on {table}")
        op.execute(f"drop function {'enter_documents' if table == 'document_lines' else f'enter_{table}'}()")
    op.drop_table("entry_lines")
    op.drop_table("entries")
    op.execute("drop function refuse_unbalanced_entry()")
    op.execute("drop function enter(text, text, date, text, date, text, uuid, numeric, text, text, text, text)")
    op.execute("drop function journal_of(text)")
