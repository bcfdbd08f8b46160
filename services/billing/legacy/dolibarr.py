"""Dolibarr: customers' invoices with their lines, and with their payments, as its exports write them in French.

Source: ``core/modules/modFacture.class.php`` and ``langs/fr_FR``. The query is ``SELECT DISTINCT``: without the id of a
line two equal lines are one row. Totals stand on each row, and those of a credit note are negative.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from schemas.billing import InvoiceRecorded, PaymentRecorded
from schemas.billing_lines import InvoiceLine, VatOfRate
from shared.importing.named_cells import CellError, Cells, made, rows_of
from shared.importing.outcomes import Accepted, NoFact, Notice, Outcome, Rejection, Repeated
from shared.importing.table import Table, normal

LINES, PAYMENTS, INVOICES = "Dolibarr invoices with lines", "Dolibarr invoices with payments", "Dolibarr invoices"
_LINE = ("Id ligne", "Identifiant de ligne")
_INVOICE = frozenset({"réf. facture", "date facturation", "total ttc"})
HAS_LINES: Final = _INVOICE | {"description de ligne"}
HAS_PAYMENTS: Final = _INVOICE | {"montant paiement affecté à la facture"}
HAS_INVOICES: Final = _INVOICE
INVOICE_NEEDS: Final = {"id facture": "Id facture", "identifiant société": "Identifiant société"}
PAYMENT_NEEDS: Final = INVOICE_NEEDS | {"id paiement": "Id paiement"}
_KINDS: Final = {"0": "invoice", "1": "invoice", "2": "credit-note", "3": "invoice", "5": "invoice", "": "invoice"}
"""0 invoice, 1 replacement, 2 credit note, 3 deposit, 5 situation; 4 is pro forma. Older exports have no Type."""
_STATUSES: Final = {
    "0": "draft", "1": "issued", "2": "paid", "3": "cancelled",
}  # fmt: skip
_OF_LINES: Final = frozenset({"label", "period_starts_on", "period_ends_on", "lines", "vat_rates"})
_OF_INVOICE: Final = frozenset(InvoiceRecorded.model_fields) - _OF_LINES - {"written_off"}
WRITTEN_OFF: Final = (
    "closed as not paid by a bad customer, and no column says how much was given up: it stays owed here; "
    "tick « Créance » and export again"
)
UNEVEN: Final = "the lines come to another total than the invoice: it is taken without its amounts by rate"


def translate_lines(table: Table, version: int) -> Iterator[Outcome[InvoiceRecorded]]:
    """One invoice of all rows that bear its id."""
    distinct = any(normal(name) in table.names for name in _LINE)
    has_lines = "montant ttc de la ligne" in table.names
    given_up = {"written_off"} if normal("Créance") in table.names else set[str]()
    table.covered.update(_OF_INVOICE | (_OF_LINES if has_lines else frozenset()) | given_up)
    groups: dict[str, list[Cells]] = {}
    for cells in rows_of(table):
        if isinstance(cells, Rejection):
            yield cells
            continue
        groups.setdefault(cells.text("Id facture"), []).append(cells)
    for invoice_id, rows in groups.items():
        try:
            if has_lines and not distinct:
                _check_sum(rows)
            fact, notices = _invoice(invoice_id, rows, version)
        except CellError as error:
            yield from (error.rejection(cells.line, invoice_id) for cells in rows)
        else:
            yield Accepted(tuple(cells.line for cells in rows), fact, notices)


def _check_sum(rows: Sequence[Cells]) -> None:
    """Without ids of lines: only where the rows add up to the invoice is none missing. Raises CellError."""
    total, lines = (
        rows[0].amount("Total TTC"),
        sum((cells.amount("Montant TTC de la ligne") for cells in rows), Decimal()),
    )
    if total != lines:
        raise CellError(
            "Identifiant de ligne",
            "",
            f"the lines come to {lines} and the invoice to {total}: tick « Identifiant de ligne » and export again",
        )


def _invoice(invoice_id: str, rows: Sequence[Cells], version: int) -> tuple[InvoiceRecorded, tuple[Notice, ...]]:
    """Raises CellError."""
    first = rows[0]
    kind, status = _known(first, "Type", _KINDS), _known(first, "Statut facture", _STATUSES)
    begins = [day for cells in rows if (day := cells.day("Date début"))]
    ends = [day for cells in rows if (day := cells.day("Date fin"))]
    notices: list[Notice] = []
    written_off = None
    if status == "paid" and first.text("Raison de la clôture anticipée") == "badcustomer":
        status = "issued"
        written_off = first.amount("Créance") if first.text("Créance") else None
        if not written_off:
            notices.append(Notice(first.line, invoice_id, "Raison de la clôture anticipée", "badcustomer", WRITTEN_OFF))
    lines = [_line(cells) for cells in rows] if first.text("Montant HT de la ligne") else []
    rates = _rates(rows)
    if rates and (sum(rate.net for rate in rates), sum(rate.vat for rate in rates)) != (
        first.amount("Total HT"),
        first.amount("Total TVA"),
    ):
        rates = ()
        notices.append(Notice(first.line, invoice_id, "Total TVA", first.text("Total TVA"), UNEVEN))
    fact = made(
        InvoiceRecorded,
        version=version,
        invoice_id=invoice_id,
        record_id=first.text("Identifiant société"),
        number=first.text("Réf. facture"),
        kind=kind,
        corrects=first.text("Identifiant de la facture source") if kind == "credit-note" else None,
        status=status,
        label=first.text("Description de ligne", "Libellé produit")[:1000],
        issued_on=first.day("Date facturation"),
        due_on=first.day("Date échéance"),
        period_starts_on=min(begins) if begins and ends else None,
        period_ends_on=max(ends) if begins and ends else None,
        net=first.amount("Total HT"),
        vat=first.amount("Total TVA"),
        gross=first.amount("Total TTC"),
        lines=lines,
        vat_rates=rates,
        written_off=written_off or None,
    )
    return fact, tuple(notices)


def _line(cells: Cells) -> InvoiceLine:
    """Raises CellError."""
    return made(
        InvoiceLine,
        label=cells.text("Description de ligne"),
        quantity=cells.number("Quantité pour la ligne"),
        unit_price=cells.number("Prix unitaire de la ligne"),
        net=cells.amount("Montant HT de la ligne"),
        vat_rate=cells.number("Taux de TVA de la ligne"),
        starts_on=cells.day("Date début"),
        ends_on=cells.day("Date fin"),
    )


def _rates(rows: Sequence[Cells]) -> tuple[VatOfRate, ...]:
    """What the lines come to at each rate; nothing if one of them names no rate. Raises CellError."""
    needed = ("Taux de TVA de la ligne", "Montant HT de la ligne", "Montant TVA de la ligne")
    if not all(cells.text(column) for cells in rows for column in needed):
        return ()
    sums: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for cells in rows:
        rate, net, vat = cells.number(needed[0]) or Decimal(), cells.amount(needed[1]), cells.amount(needed[2])
        before = sums.get(rate, (Decimal(), Decimal()))
        sums[rate] = before[0] + net, before[1] + vat
    return tuple(made(VatOfRate, rate=rate, net=sums[rate][0], vat=sums[rate][1]) for rate in sorted(sums))


def _known(cells: Cells, column: str, known: Mapping[str, str]) -> str:
    written = cells.text(column)
    if written not in known:
        listed = ", ".join(code for code in known if code)
        raise CellError(column, written, f"is none of {listed}: a pro forma (Type 4) is no invoice")
    return known[written]


def translate_payments(table: Table, version: int) -> Iterator[Outcome[PaymentRecorded]]:
    """One payment for each invoice that it pays: the whole sum stands on each of them, the part in a column of its own.

    A row without a payment is an invoice that nobody paid yet: it is known, and makes no fact.
    """
    table.covered.update(set(PaymentRecorded.model_fields) - {"allocations"})
    seen: dict[tuple[str, str], int] = {}
    for cells in rows_of(table):
        if isinstance(cells, Rejection):
            yield cells
            continue
        payment, invoice_id = cells.text("Id paiement"), cells.text("Id facture")
        key = payment, invoice_id
        if not payment:
            yield NoFact(cells.line, "nobody has paid this invoice yet")
            continue
        if key in seen:
            yield Repeated(cells.line, seen[key])
            continue
        seen[key] = cells.line
        try:
            fact = made(
                PaymentRecorded,
                version=version,
                payment_id=f"{payment}/{invoice_id}",
                record_id=cells.text("Identifiant société"),
                invoice_id=invoice_id,
                paid_on=cells.day("Date paiement"),
                amount=cells.amount("Montant paiement affecté à la facture"),
                method=cells.text("Mode de règlement (code)"),
            )
        except CellError as error:
            yield error.rejection(cells.line, f"{payment}/{invoice_id}")
        else:
            yield Accepted((cells.line,), fact)
