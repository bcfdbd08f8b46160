"""Paheko: entries of its accounts in the form "Simplifié", with the list of members, for an entry names members alone.

Dues are what is booked on account 756 and those below it (the chart of 2025). A claim (Créance) is owed until it is
settled; every other entry is due and payment at once. Its number is stable. Source: Paheko's ``Accounting/Export``.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from schemas.billing import InvoiceRecorded, PaymentRecorded
from services.billing.legacy.cells import translated
from services.billing.legacy.payers import Names, by_name, payer
from shared.importing.named_cells import Cells, made
from shared.importing.outcomes import NoFact, Outcome
from shared.importing.table import Table

ENTRIES = "Paheko entries (simplified)"
_HAS: Final = frozenset({"numéro d'écriture", "compte de crédit", "montant", "membres associés"})
_MEMBERS: Final = frozenset({"numéro de membre", "nom & prénom"})
_DUES: Final = "756"
_WAITING: Final = "en attente de règlement"


def is_entries(table: Table) -> bool:
    """Whether it is Paheko's list of entries, a row each."""
    return set(table.names) >= _HAS


def is_members(table: Table) -> bool:
    """Whether it is Paheko's list of members."""
    return set(table.names) >= _MEMBERS


def names_of(members: Table) -> tuple[Names, int]:
    """Members by their name and address; and how many rows there were."""
    return by_name(
        members, "Numéro de membre", lambda cells: (cells.text("Nom & prénom"), cells.text("Adresse e-mail", "E-mail"))
    )


def translate(table: Table, version: int, names: Names) -> Iterator[Outcome[Any]]:
    """An invoice for each entry of dues, and its payment unless it is a claim that is still open."""

    def facts_of(cells: Cells, item: str) -> Sequence[InvoiceRecorded | PaymentRecorded] | NoFact:
        if not cells.text("Compte de crédit").startswith(_DUES):
            return NoFact(cells.line, "no dues: it is not booked on account 756")
        return _facts(cells, item, version, payer(cells, "Membres associés", names))

    return translated(table, "Numéro d'écriture", facts_of)


def _facts(cells: Cells, item: str, version: int, record_id: str) -> list[InvoiceRecorded | PaymentRecorded]:
    """Raises CellError."""
    amount, on = cells.amount("Montant"), cells.day("Date")
    is_open = cells.text("Statut").casefold() == _WAITING
    common = {"version": version, "record_id": record_id}
    invoice = made(
        InvoiceRecorded,
        **common,
        invoice_id=item,
        number=cells.text("Numéro pièce comptable") or f"écriture {item}",
        status="issued" if is_open else "paid",
        label=cells.text("Libellé"),
        issued_on=on,
        net=amount,
        vat="0.00",
        gross=amount,
    )
    if is_open:
        return [invoice]
    ids = {"payment_id": item, "invoice_id": item}
    method = cells.text("Référence paiement")
    return [invoice, made(PaymentRecorded, **common, **ids, paid_on=on, amount=amount, method=method)]
