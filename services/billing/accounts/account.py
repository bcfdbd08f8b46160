"""What a source record was billed, paid and owes: the rules. They are nowhere else."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

from schemas.billing import (
    AccountChanged,
    AccountDocument,
    AccountInvoice,
    AccountPayment,
    InvoiceStatus,
    PaidPeriod,
)
from services.billing.accounts.periods import item_of, periods_of
from services.common.listing import newest_that_fit

_NOT_IN_FORCE: Final[frozenset[InvoiceStatus]] = frozenset({"draft", "cancelled"})
_NOTHING: Final = Decimal()


class InvoiceRow(NamedTuple):
    """An invoice or credit note, and what other documents say of it.

    ``corrects_cancelled``: it corrects an invoice that is cancelled. ``credited``: a document in force corrects it.
    ``of_seats``: it repeats a document of ours for seats, which are no dues.
    """

    invoice: AccountInvoice
    corrects_cancelled: bool
    credited: bool
    of_seats: bool = False


class DocumentRow(NamedTuple):
    """A document that was issued here, and what was paid on it."""

    document: AccountDocument
    paid: Decimal


def account_of(
    cluster: str,
    record_id: str,
    invoices: Iterable[InvoiceRow],
    payments: Iterable[AccountPayment],
    documents: Iterable[DocumentRow] = (),
    transferred: Decimal = _NOTHING,
) -> AccountChanged:
    """The account of one source record, whole, under version 0; the order of the rows does not matter.

    ``transferred`` is what payments of other records settle of its documents, less what its own settle of theirs.
    """
    issued = sorted(documents, key=lambda row: (row.document.issued_on, row.document.number))
    rows = sorted(invoices, key=lambda row: (row.invoice.issued_on, row.invoice.invoice_id))
    received = sorted(payments, key=lambda payment: (payment.paid_on, payment.payment_id))
    counted = [row.invoice for row in rows if _counts(row)]
    ours = [row.document for row in issued if not row.document.mirrored]
    billed = _sum([*map(_signed, counted), *map(_signed, ours)])
    paid = _sum(payment.amount for payment in received)
    given_up = _sum(invoice.written_off for invoice in counted if invoice.written_off is not None)
    known = billed is not None or paid is not None or transferred
    periods = [
        *(row.invoice.period_ends_on for row in rows if _is_settled(row.invoice) and not row.of_seats),
        *(row.document.period_ends_on for row in _paid_documents(issued) if not row.document.about),
    ]
    dated: list[tuple[date, Any]] = [
        *((row.invoice.issued_on, row) for row in rows),
        *((payment.paid_on, payment) for payment in received),
        *((row.document.issued_on, row.document) for row in issued),
    ]
    by_day = [item for _, item in sorted(dated, key=lambda item: item[0])]
    listed = newest_that_fit(by_day, lambda item: item.invoice if isinstance(item, InvoiceRow) else item)
    kept = [item for item in listed if isinstance(item, InvoiceRow)]
    shown = tuple(item for item in listed if isinstance(item, AccountDocument))
    return AccountChanged(
        version=0,
        cluster=cluster,
        record_id=record_id,
        invoiced=billed,
        received=paid,
        transferred=transferred or None,
        outstanding=(billed or _NOTHING) - (paid or _NOTHING) - (given_up or _NOTHING) - transferred if known else None,
        written_off=given_up,
        paid_until=max((day for day in periods if day), default=None),
        paid_periods=tuple(period for row in kept for period in _paid_period(row)),
        invoices=tuple(row.invoice for row in kept),
        payments=tuple(item for item in listed if isinstance(item, AccountPayment)),
        documents=shown,
        periods=periods_of(
            [row.invoice for row in rows if _counts(row) and not row.of_seats],
            [document for document in ours if not document.about],
            {row.document.number: row.paid for row in issued},
            {*(item_of(row.invoice) for row in kept), *map(item_of, shown)},
        ),
        unlisted=len(rows) + len(received) + len(issued) - len(listed),
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal | None:
    terms = list(amounts)
    return sum(terms, Decimal()) if terms else None


def _in_force(invoice: AccountInvoice) -> bool:
    return invoice.status not in _NOT_IN_FORCE


def _counts(row: InvoiceRow) -> bool:
    """A cancelled invoice and the credit note that corrects it count nothing together.

    Either may arrive without the other, and taking off both would count a debt twice.
    """
    return _in_force(row.invoice) and not row.corrects_cancelled


def _signed(invoice: AccountInvoice | AccountDocument) -> Decimal:
    # Some systems write a credit note as a negative amount, some do not.
    return -abs(invoice.gross) if invoice.kind == "credit-note" else invoice.gross


def _is_settled(invoice: AccountInvoice) -> bool:
    """The former system says so, or payments add up to the whole."""
    if invoice.kind != "invoice" or not _in_force(invoice):
        return False
    return invoice.status == "paid" or (invoice.paid or Decimal()) >= invoice.gross


def _paid_documents(rows: Iterable[DocumentRow]) -> list[DocumentRow]:
    """Documents of ours that are paid: all that credit notes left of them, if they left anything."""
    own = [row for row in rows if not row.document.mirrored]
    credited: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    for row in own:
        credited[row.document.corrects] += row.document.gross
    return [
        row
        for row in own
        if row.document.kind != "credit-note" and 0 < row.document.gross - credited[row.document.number] <= row.paid
    ]


def _paid_period(row: InvoiceRow) -> list[PaidPeriod]:
    """Days that were paid for; nobody pays for what is free, or was taken off again."""
    invoice = row.invoice
    starts_on, ends_on = invoice.period_starts_on, invoice.period_ends_on
    if starts_on is None or ends_on is None or row.of_seats or row.credited:
        return []
    if invoice.gross <= 0 or not _is_settled(invoice):
        return []
    return [PaidPeriod(invoice_id=invoice.invoice_id, starts_on=starts_on, ends_on=ends_on)]
