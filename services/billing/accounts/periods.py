"""What was billed and paid for each period, with a reason for each amount. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from schemas.billing import AccountDocument, AccountInvoice, PeriodOfAccount

NEWEST: Final = 1_000
"""Of periods: no more are stated. A membership of a thousand years has fewer."""
Days = tuple[date, date]
"""First and last day, both included."""
Item = tuple[str, str]
"""An invoice by its id, or a document of ours by its number. A former system may give one number many times."""


class Amount(NamedTuple):
    """What one invoice, credit note or notice adds to a period; ``billed`` of a credit note is negative."""

    item: Item
    days: Days
    on: date
    billed: Decimal
    paid: Decimal
    reason: str
    written_off: Decimal = Decimal()


def periods_of(
    invoices: Iterable[AccountInvoice],
    documents: Iterable[AccountDocument],
    paid: Mapping[str, Decimal],
    listed: Collection[Item],
) -> tuple[PeriodOfAccount, ...]:
    """The periods of an account, by day. ``invoices`` are those of former systems that count.

    ``paid`` is what was paid on documents of ours, by number. Only items that are ``listed`` get a sentence.
    """
    counted = list(invoices)
    own_days = {invoice.invoice_id: _days(invoice) for invoice in counted}
    amounts = [
        *(amount for invoice in counted for amount in _of_invoice(invoice, own_days)),
        *(_of_document(document, paid) for document in documents if not document.mirrored),
    ]
    by_days: defaultdict[Days, list[Amount]] = defaultdict(list)
    for amount in amounts:
        by_days[amount.days].append(amount)
    return tuple(_period(days, by_days[days], listed) for days in sorted(by_days)[-NEWEST:])


def _period(days: Days, amounts: Iterable[Amount], listed: Collection[Item]) -> PeriodOfAccount:
    ordered = sorted(amounts, key=lambda amount: (amount.on, amount.reason))
    billed = sum((amount.billed for amount in ordered), Decimal())
    paid = sum((amount.paid for amount in ordered), Decimal())
    written_off = sum((amount.written_off for amount in ordered), Decimal())
    return PeriodOfAccount(
        starts_on=days[0],
        ends_on=days[1],
        billed=billed,
        paid=paid,
        outstanding=billed - paid - written_off,
        written_off=written_off or None,
        paid_up=billed > 0 and paid >= billed,
        reasons=tuple(amount.reason for amount in ordered if amount.item in listed),
    )


def item_of(line: AccountInvoice | AccountDocument) -> Item:
    """By what it is told apart."""
    return ("invoice", line.invoice_id) if isinstance(line, AccountInvoice) else ("document", line.number)


def _days(invoice: AccountInvoice) -> Days | None:
    first, last = invoice.period_starts_on, invoice.period_ends_on
    return (first, last) if first and last else None


def _of_invoice(invoice: AccountInvoice, own_days: Mapping[str, Days | None]) -> list[Amount]:
    """Nothing without a period; a credit note without one has that of the invoice that it corrects."""
    days = _days(invoice) or own_days.get(invoice.corrects or "")
    if days is None:
        return []
    credit = invoice.kind == "credit-note"
    paid = invoice.paid or Decimal()
    if invoice.status == "paid" and not credit:
        # The former system says so, whatever payments it told us of.
        paid = invoice.gross
    # What is paid too much is free on the account, and no part of the period.
    paid = paid if credit else min(paid, invoice.gross)
    billed = -abs(invoice.gross) if credit else invoice.gross
    name = "avoir" if credit else "facture"
    label = f" : {invoice.label}" if invoice.label else ""
    reason = f"{name} {invoice.number} du système d'origine, {_euros(billed)}{label}"
    given_up = invoice.written_off or Decimal()
    if given_up:
        reason += f", dont {_euros(given_up)} abandonnés"
    return [Amount(item_of(invoice), days, invoice.issued_on, billed, paid, reason, given_up)]


def _of_document(document: AccountDocument, paid: Mapping[str, Decimal]) -> Amount:
    credit = document.kind == "credit-note"
    billed = -document.gross if credit else document.gross
    days = document.period_starts_on, document.period_ends_on
    reason = f"{document.number}, {_euros(billed)} : {document.why}"
    return Amount(item_of(document), days, document.issued_on, billed, paid.get(document.number, Decimal()), reason)


def _euros(amount: Decimal) -> str:
    return f"{amount:.2f} €".replace(".", ",")
