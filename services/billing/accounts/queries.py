"""The rows that accounts are made of, read by source record."""

from asyncio import to_thread
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import AnnouncedRecord
from schemas.billing import AccountChanged, AccountDocument, AccountInvoice, AccountPayment
from schemas.billing_lines import Allocation
from services.billing.accounts.account import DocumentRow, InvoiceRow, account_of
from services.billing.dues.days import year_from
from services.billing.tables import payments as mirrored_payments
from services.common.sections import Record, Section
from shared.persistence.database import rows_of
from shared.persistence.mirror import as_fields

_INVOICE = [name for name in AccountInvoice.model_fields if name != "paid"]
_PAYMENT = list(AccountPayment.model_fields)
# What payments of former systems that are for several invoices bring to one; ``id`` and ``cluster`` are SQL.
ALLOCATED = """
    (select sum((a->>'amount')::numeric) from payments p cross join lateral jsonb_array_elements(p.allocations) a
     where p.cluster = {cluster} and p.allocations @> jsonb_build_array(jsonb_build_object('invoice_id', {id}))
       and a->>'invoice_id' = {id})
"""

# A payment, and a credit note, may name another record than the invoice that they are about.
#
# Offset 0 makes the planner look up each record by its key. While a table is empty it would read it whole instead, and
# a prepared statement keeps its plan. Nor is it asked whether a credit note exists: it would expect one among the first
# rows of the cluster, and read them all where there is none.
_INVOICES = f"""
    select i.cluster, i.record_id, {", ".join(f"i.{name}" for name in _INVOICE)},
           (select sum(p.amount) from payments p where p.cluster = i.cluster and p.invoice_id = i.invoice_id),
           {ALLOCATED.format(cluster="i.cluster", id="i.invoice_id")},
           (select sum(a.amount) from documents d join allocations a using (document_id)
            where d.number = i.number and d.cluster = i.cluster),
           coalesce((select c.status = 'cancelled' from invoices c
                     where c.cluster = i.cluster and c.invoice_id = i.corrects), false),
           (select count(*) > 0 from invoices c where c.cluster = i.cluster and c.corrects = i.invoice_id
                                                  and c.status not in ('draft', 'cancelled')),
           exists (select from documents d where d.number = i.number and d.cluster = i.cluster
                                             and d.charge_id is not null)
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from invoices where (cluster, record_id) = (n.cluster, n.record_id) offset 0) i
"""
_PAYMENTS = f"""
    select p.cluster, p.record_id, {", ".join(f"p.{name}" for name in _PAYMENT)}
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from payments where (cluster, record_id) = (n.cluster, n.record_id) offset 0) p
"""
# A former system that was told of a document of ours says it again under the same number.
_DOCUMENTS = f"""
    select d.cluster, d.record_id, d.number, d.kind, d.issued_on, d.due_on, d.net, d.vat, d.gross, d.why,
           (select o.number from documents o where o.document_id = d.corrects),
           d.first, d.last, d.charge_id is not null,
           exists (select from invoices i where i.cluster = d.cluster and i.number = d.number
                                            and i.status not in ('draft', 'cancelled')),
           (select coalesce(sum(p.amount), 0) from payments p where p.cluster = d.cluster and p.invoice_id = d.number)
           + coalesce({ALLOCATED.format(cluster="d.cluster", id="d.number")}, 0)
           + (select coalesce(sum(a.amount), 0) from allocations a where a.document_id = d.document_id)
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from documents where (cluster, record_id) = (n.cluster, n.record_id) offset 0) d
"""
# Payments that were recorded here; refunds and returns are payments that go out.
_RECEIVED = """
    select n.cluster, n.record_id, m.*
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral
        (select * from payments_received where (cluster, record_id) = (n.cluster, n.record_id) offset 0) p
    cross join lateral (
        select p.payment_id::text, p.received_on, p.amount, p.means, (
            select json_object_agg(a.number, a.amount::text) from (
                select d.number, sum(a.amount) as amount from allocations a join documents d using (document_id)
                where a.payment_id = p.payment_id group by d.number having sum(a.amount) > 0) a)::text
        union all
        select r.refund_id::text, a.paid_on, - r.amount, p.means, null
        from refunds r join refund_approvals a using (refund_id) where r.payment_id = p.payment_id
        union all
        select r.return_id::text, r.returned_on, - p.amount, p.means, null
        from payment_returns r where r.payment_id = p.payment_id
    ) m
"""
# What others' payments settle of a record's documents, less what its own payments settle of others'.
_TRANSFERRED = """
    select n.cluster, n.record_id, coalesce(sum(t.amount), 0)
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    left join lateral (
        select a.amount, p.cluster, p.record_id
        from (select document_id from documents where (cluster, record_id) = (n.cluster, n.record_id) offset 0) d
        cross join lateral (select * from allocations where document_id = d.document_id offset 0) a
        cross join lateral (select * from payments_received where payment_id = a.payment_id offset 0) p
        union all
        select - a.amount, d.cluster, d.record_id
        from (select payment_id from payments_received
              where (cluster, record_id) = (n.cluster, n.record_id) offset 0) p
        cross join lateral (select * from allocations where payment_id = p.payment_id offset 0) a
        cross join lateral (select * from documents where document_id = a.document_id offset 0) d
    ) t on (t.cluster, t.record_id) <> (n.cluster, n.record_id)
    group by n.cluster, n.record_id
"""
Rows = Sequence[tuple[Any, ...]]
_DOCUMENT = ("number", "kind", "issued_on", "due_on", "net", "vat", "gross", "why", "corrects")


async def accounts(connection: AsyncConnection, records: Sequence[Record]) -> Mapping[Record, AnnouncedRecord]:
    """The account of each of these records as it is now, under version 0; an empty one where there is nothing."""
    keys = [record.cluster for record in records], [record.record_id for record in records]
    rows = [await _rows(connection, sql, keys) for sql in (_INVOICES, _PAYMENTS, _DOCUMENTS, _RECEIVED, _TRANSFERRED)]
    # A former system that books all its cash sales on one card would hold up everything else for seconds.
    return await to_thread(_accounts, records, *rows)


def _accounts(
    records: Sequence[Record],
    invoice_rows: Rows,
    payment_rows: Rows,
    document_rows: Rows,
    received_rows: Rows,
    transferred_rows: Rows,
) -> Mapping[Record, AnnouncedRecord]:
    invoices: defaultdict[Record, list[InvoiceRow]] = defaultdict(list)
    for cluster, record_id, *values, paid, allocated, own, corrects_cancelled, credited, of_seats in invoice_rows:
        amounts = [amount for amount in (paid, allocated, own) if amount is not None]
        whole = sum(amounts, Decimal()) if amounts else None
        invoice = AccountInvoice(**dict(zip(_INVOICE, values, strict=True)), paid=whole)
        invoices[Record(cluster, record_id)].append(InvoiceRow(invoice, corrects_cancelled, credited, of_seats))
    payments: defaultdict[Record, list[AccountPayment]] = defaultdict(list)
    for cluster, record_id, *values in payment_rows:
        fields = as_fields(mirrored_payments, AccountPayment, dict(zip(_PAYMENT, values, strict=True)))
        payments[Record(cluster, record_id)].append(AccountPayment(**fields))
    for cluster, record_id, *values in received_rows:
        payments[Record(cluster, record_id)].append(_received(*values))
    documents = _documents(document_rows)
    transferred = {Record(*row[:2]): row[2] for row in transferred_rows}
    return {
        record: account_of(*record, invoices[record], payments[record], documents[record], transferred[record])
        for record in records
    }


def _received(payment_id: str, paid_on: date, amount: Decimal, means: str, allocated: str | None) -> AccountPayment:
    parts = orjson.loads(allocated or "{}")
    return AccountPayment(
        payment_id=payment_id,
        paid_on=paid_on,
        amount=amount,
        method=means,
        allocations=tuple(Allocation(invoice_id=number, amount=parts[number]) for number in sorted(parts)),
    )


def _document(values: Sequence[Any], first: date, last: date | None, of_seats: bool, mirrored: bool) -> AccountDocument:
    period = year_from(first)
    return AccountDocument(
        **dict(zip(_DOCUMENT, values, strict=True)),
        period_starts_on=period.first_day,
        period_ends_on=last or period.last_day,
        about="seats" if of_seats else None,
        mirrored=mirrored,
    )


async def issued_documents(
    connection: AsyncConnection, records: Sequence[Record]
) -> Mapping[Record, list[DocumentRow]]:
    """Documents of these records that were issued here, each with what was paid on it."""
    keys = [record.cluster for record in records], [record.record_id for record in records]
    return _documents(await _rows(connection, _DOCUMENTS, keys))


def _documents(rows: Rows) -> defaultdict[Record, list[DocumentRow]]:
    documents: defaultdict[Record, list[DocumentRow]] = defaultdict(list)
    for cluster, record_id, *values, first, last, of_seats, mirrored, paid in rows:
        documents[Record(cluster, record_id)].append(
            DocumentRow(_document(values, first, last, of_seats, mirrored), paid)
        )
    return documents


async def _rows(connection: AsyncConnection, sql: str, keys: tuple[list[str], list[str]]) -> Rows:
    return rows_of(await connection.exec_driver_sql(sql, keys))


ACCOUNTS = Section("accounts", AccountChanged, accounts)
"""What billing states of each source record."""
