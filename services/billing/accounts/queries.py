"""The rows that accounts are made of, read by source record."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import AnnouncedRecord
from schemas.billing import AccountChanged, AccountInvoice, AccountPayment
from services.billing.accounts.account import InvoiceRow, account_of
from services.common.sections import Record, Section
from shared.persistence.database import rows_of

_INVOICE = [name for name in AccountInvoice.model_fields if name != "paid"]
_PAYMENT = list(AccountPayment.model_fields)

# A payment, and a credit note, may name another record than the invoice that they are about.
#
# Offset 0 makes the planner look up each record by its key. While a table is empty it would read it whole instead, and
# a prepared statement keeps its plan. Nor is it asked whether a credit note exists: it would expect one among the first
# rows of the cluster, and read them all where there is none.
_INVOICES = f"""
    select i.cluster, i.record_id, {", ".join(f"i.{name}" for name in _INVOICE)},
           (select sum(p.amount) from payments p where p.cluster = i.cluster and p.invoice_id = i.invoice_id),
           coalesce((select c.status = 'cancelled' from invoices c
                     where c.cluster = i.cluster and c.invoice_id = i.corrects), false),
           (select count(*) > 0 from invoices c where c.cluster = i.cluster and c.corrects = i.invoice_id
                                                  and c.status not in ('draft', 'cancelled'))
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from invoices where (cluster, record_id) = (n.cluster, n.record_id) offset 0) i
"""
_PAYMENTS = f"""
    select p.cluster, p.record_id, {", ".join(f"p.{name}" for name in _PAYMENT)}
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from payments where (cluster, record_id) = (n.cluster, n.record_id) offset 0) p
"""


async def accounts(connection: AsyncConnection, records: Sequence[Record]) -> Mapping[Record, AnnouncedRecord]:
    """The account of each of these records as it is now, under version 0; an empty one where there is nothing."""
    keys = [record.cluster for record in records], [record.record_id for record in records]
    invoices: defaultdict[Record, list[InvoiceRow]] = defaultdict(list)
    for cluster, record_id, *values, paid, corrects_cancelled, credited in await _rows(connection, _INVOICES, keys):
        invoice = AccountInvoice(**dict(zip(_INVOICE, values, strict=True)), paid=paid)
        invoices[Record(cluster, record_id)].append(InvoiceRow(invoice, corrects_cancelled, credited))
    payments: defaultdict[Record, list[AccountPayment]] = defaultdict(list)
    for cluster, record_id, *values in await _rows(connection, _PAYMENTS, keys):
        payments[Record(cluster, record_id)].append(AccountPayment(**dict(zip(_PAYMENT, values, strict=True))))
    return {record: account_of(*record, invoices[record], payments[record]) for record in records}


async def _rows(connection: AsyncConnection, sql: str, keys: tuple[list[str], list[str]]) -> Sequence[tuple[Any, ...]]:
    return rows_of(await connection.exec_driver_sql(sql, keys))


ACCOUNTS = Section("accounts", AccountChanged, accounts)
"""What billing states of each source record."""
