"""Galette: the list of contributions, with the list of members, for a contribution names its payer and no id.

Days come as ``2026-01-15`` and as ``15/01/2026`` in one row. A contribution is due and payment at once, without number
and VAT; a donation has no period. Source: Galette's ``IO/ContributionsCsv`` and ``lang/galette_fr``.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from schemas.billing import InvoiceRecorded, PaymentRecorded
from services.billing.legacy.cells import CellError, Cells, broken, made
from shared.importing.outcomes import Accepted, Outcome
from shared.importing.table import Table

CONTRIBUTIONS = "Galette contributions"
MEMBERS = "Galette members, for the names of payers"
_HAS: Final = frozenset({"contribution id", "contributeur"})
_MEMBERS: Final = frozenset({"id de l'adhérent", "nom"})
_BEGIN = "Date de début d’adhésion / Date contribution"
_DONATIONS = ("don", "donation", "partenariat")

Names = Mapping[str, list[str]]
"""The ids of members by how a contribution may name them."""


def is_contributions(table: Table) -> bool:
    """Whether it is Galette's list of contributions."""
    return set(table.names) >= _HAS


def is_members(table: Table) -> bool:
    """Whether it is Galette's list of members."""
    return set(table.names) >= _MEMBERS


def names_of(members: Table) -> tuple[Names, int]:
    """Members by the name of their person and by that of their company; and how many rows there were."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    count = 0
    for row in members.rows:
        count += 1
        if row.fault is not None:
            continue
        cells = Cells(members, row)
        person = f"{cells.text('Nom')} {cells.text('Prénom')}"
        for name in {_folded(person), _folded(cells.text("Personne morale"))} - {""}:
            names[name].append(cells.text("ID de l'adhérent"))
    return names, count


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def translate(table: Table, version: int, names: Names) -> Iterator[Outcome[Any]]:
    """An invoice and its payment for each contribution; one whose payer is nobody, or several, is set aside."""
    table.covered.update((*InvoiceRecorded.model_fields, *PaymentRecorded.model_fields))
    for row in table.rows:
        if row.fault is not None:
            yield broken(row)
            continue
        cells = Cells(table, row)
        item = cells.text("Contribution id")
        try:
            facts = _facts(cells, item, version, _payer(cells, names))
        except CellError as error:
            yield error.rejection(cells.line, item)
            continue
        for place, fact in enumerate(facts):
            yield Accepted(() if place else (cells.line,), fact)


def _payer(cells: Cells, names: Names) -> str:
    """Raises CellError."""
    named = names.get(_folded(cells.text("Contributeur")), [])
    if len(named) == 1:
        return named[0]
    what = f"{len(named)} members have this name" if named else "no member of the list has this name"
    raise CellError("Contributeur", cells.text("Contributeur"), f"{what}: say in a plain table whose it is")


def _facts(cells: Cells, item: str, version: int, record_id: str) -> list[InvoiceRecorded | PaymentRecorded]:
    """Raises CellError."""
    amount, kind = cells.amount("Montant"), cells.text("Type de contribution")
    on: date | None = cells.day("Date") or cells.day(_BEGIN)
    gift = kind.casefold().startswith(_DONATIONS)
    common = {"version": version, "record_id": record_id}
    invoice = made(
        InvoiceRecorded,
        **common,
        invoice_id=item,
        number=f"contribution {item}",
        status="paid",
        label=kind,
        issued_on=on,
        period_starts_on=None if gift else cells.day(_BEGIN),
        period_ends_on=None if gift else cells.day("Date de fin d’adhésion"),
        net=amount,
        vat="0.00",
        gross=amount,
    )
    method = cells.text("Type de paiement")
    payment = made(
        PaymentRecorded, **common, payment_id=item, invoice_id=item, paid_on=on, amount=amount, method=method
    )
    return [invoice, payment]
