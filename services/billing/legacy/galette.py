"""Galette: the list of contributions, with the list of members, for a contribution names its payer and no id.

Days come as ``2026-01-15`` and as ``15/01/2026`` in one row. A contribution is due and payment at once, without number
and VAT; a donation has no period. Source: Galette's ``IO/ContributionsCsv`` and ``lang/galette_fr``.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from schemas.billing import InvoiceRecorded, PaymentRecorded
from services.billing.legacy.cells import translated
from services.billing.legacy.payers import Names, by_name, payer
from shared.importing.named_cells import Cells, made
from shared.importing.outcomes import Outcome
from shared.importing.table import Table

CONTRIBUTIONS = "Galette contributions"
_HAS: Final = frozenset({"contribution id", "contributeur"})
_MEMBERS: Final = frozenset({"id de l'adhérent", "nom"})
_BEGIN = "Date de début d’adhésion / Date contribution"
_DONATIONS = ("don", "donation", "partenariat")


def is_contributions(table: Table) -> bool:
    """Whether it is Galette's list of contributions."""
    return set(table.names) >= _HAS


def is_members(table: Table) -> bool:
    """Whether it is Galette's list of members."""
    return set(table.names) >= _MEMBERS


def names_of(members: Table) -> tuple[Names, int]:
    """Members by the name of their person, that of their company, and their address; and how many rows there were."""
    return by_name(members, "ID de l'adhérent", _names)


def _names(cells: Cells) -> tuple[str, ...]:
    return f"{cells.text('Nom')} {cells.text('Prénom')}", cells.text("Personne morale"), cells.text("Courriel")


def translate(table: Table, version: int, names: Names) -> Iterator[Outcome[Any]]:
    """An invoice and its payment for each contribution; one whose payer is nobody, or several, is set aside."""
    return translated(
        table, "Contribution id", lambda cells, item: _facts(cells, item, version, payer(cells, "Contributeur", names))
    )


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
