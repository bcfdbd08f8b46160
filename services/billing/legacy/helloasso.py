"""HelloAsso: the payments of all campaigns, and the answers to a membership form, with the list of members beside.

An order is due, and each of its payments is money: three instalments are three. HelloAsso knows no member, only who
paid: the company's SIRET or name, the payer's address or name say who it is. A gift that was added is no dues. The
files say no period: that is the campaign's. Source: the headers of both exports, as several readers of them agree.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from schemas.billing import InvoiceRecorded, PaymentRecorded
from schemas.billing_lines import InvoiceLine
from services.billing.legacy.cells import translated
from services.billing.legacy.payers import Names, first_known
from shared.importing.named_cells import CellError, Cells, made, rows_of
from shared.importing.outcomes import Accepted, NoFact, Outcome, Rejection
from shared.importing.table import Table

PAYMENTS, MEMBERSHIPS = "HelloAsso payments", "HelloAsso memberships"
HAS_PAYMENTS: Final = frozenset({"référence commande", "montant total", "statut du paiement"})
_HAS_MEMBERSHIPS: Final = frozenset({"référence commande", "statut de la commande", "nom adhérent", "montant tarif"})
NEEDS: Final = {"type de campagne": "Type de campagne"}
_REFERENCE: Final = ("Référence paiement", "Référence du paiement")
_DUES: Final = "adhésion"
_CAME, _BACK = frozenset({"payé", "hors ligne"}), frozenset({"remboursé"})
_NOTHING: Final = frozenset({"refusé", "annulé", "en attente", "à venir"})
_ORDERS: Final = {"validé": "issued", "annulé": "cancelled", "remboursé": "cancelled", "refusé": "cancelled"}


def is_payments(table: Table) -> bool:
    """Whether it is HelloAsso's list of payments."""
    return set(table.names) >= HAS_PAYMENTS


def is_memberships(table: Table) -> bool:
    """Whether it is the list of who answered a membership form."""
    return set(table.names) >= _HAS_MEMBERSHIPS


def translate_payments(table: Table, version: int, names: Names) -> Iterator[Outcome[Any]]:
    """A payment of its order for each row that is dues; nought for one that was paid back."""
    reference = next((name for name in _REFERENCE if name.casefold() in table.names), _REFERENCE[0])

    def facts_of(cells: Cells, item: str) -> Sequence[PaymentRecorded] | NoFact:
        if not cells.text("Type de campagne").casefold().startswith(_DUES):
            return NoFact(cells.line, "no dues: it is no payment of a membership form")
        status = cells.text("Statut du paiement").casefold()
        if status in _NOTHING:
            return NoFact(cells.line, "no money came")
        if status not in _CAME | _BACK:
            known = ", ".join(sorted(_CAME | _BACK | _NOTHING))
            raise CellError("Statut du paiement", cells.text("Statut du paiement"), f"is none of {known}")
        came = cells.amount("Montant total") - cells.amount("Don supplémentaire")
        return [
            made(
                PaymentRecorded,
                version=version,
                payment_id=item,
                record_id=_payer(cells, table, names),
                invoice_id=cells.text("Référence commande"),
                paid_on=cells.day("Date du paiement"),
                # A payment that was there must be there again: no fact takes one away.
                amount=came if status in _CAME else Decimal("0.00"),
                method=cells.text("Moyen de paiement") or cells.text("Statut du paiement"),
            )
        ]

    return translated(table, reference, facts_of)


def translate_memberships(table: Table, version: int, names: Names) -> Iterator[Outcome[InvoiceRecorded]]:
    """An invoice for each order, with a line for each membership in it."""
    table.covered.update(set(InvoiceRecorded.model_fields) - {"vat_rates", "written_off"})
    orders: dict[str, list[Cells]] = {}
    for cells in rows_of(table):
        if isinstance(cells, Rejection):
            yield cells
            continue
        orders.setdefault(cells.text("Référence commande"), []).append(cells)
    for order, rows in orders.items():
        try:
            fact = _invoice(order, rows, version, {_payer(cells, table, names) for cells in rows})
        except CellError as error:
            yield from (error.rejection(cells.line, order) for cells in rows)
        else:
            yield Accepted(tuple(cells.line for cells in rows), fact)


def _invoice(order: str, rows: Sequence[Cells], version: int, payers: set[str]) -> InvoiceRecorded:
    """Raises CellError."""
    first = rows[0]
    if len(payers) > 1:
        raise CellError("Référence commande", order, "pays for several members: say in a plain table what each owes")
    written = first.text("Statut de la commande")
    if (status := _ORDERS.get(written.casefold())) is None:
        raise CellError("Statut de la commande", written, f"is none of {', '.join(_ORDERS)}")
    lines = [_line(cells) for cells in rows]
    gross = sum((line.net for line in lines), Decimal("0.00"))
    return made(
        InvoiceRecorded,
        version=version,
        invoice_id=order,
        record_id=next(iter(payers)),
        number=f"commande {order}" if order else "",
        status=status,
        label=first.text("Tarif"),
        issued_on=first.day("Date de la commande"),
        net=gross,
        vat="0.00",
        gross=gross,
        lines=lines,
    )


def _line(cells: Cells) -> InvoiceLine:
    """Raises CellError."""
    net = cells.amount("Montant tarif") - abs(cells.amount("Montant code promo"))
    return made(InvoiceLine, label=cells.text("Tarif"), net=net)


def _payer(cells: Cells, table: Table, names: Names) -> str:
    """The member that paid. Raises CellError."""
    asked = [name for name in table.names if "siret" in name or "siren" in name]
    person = f"{cells.text('Nom payeur')} {cells.text('Prénom payeur')}"
    numbers = [cells.text(name) for name in asked]
    return first_known(
        [*numbers, cells.text("Raison sociale"), cells.text("Email payeur"), person], "Raison sociale", names
    )
