"""HelloAsso: the participants of a ticketing form. A row is a person, and an order spans rows.

The file names no gathering: it is the form, which stands in the file's name. It has no waiting list and no attendance.
The payer is often a firm's accounts: the participant's address is a question of the form, if one was asked. Source: the
headers as several readers of such files agree.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from schemas.events import RegistrationRecorded
from services.events.legacy.rows import (
    NOBODY_NAMED,
    Facts,
    Source,
    guest,
    line_of,
    moment,
    place_in,
    translated,
)
from services.events.legacy.statuses import Vocabulary, decided, folded
from services.events.mirror.undated import UNDATED
from shared.importing.languages import in_both
from shared.importing.named_cells import Cells, made
from shared.importing.outcomes import NoFact, Notice, Outcome, UnreadableError
from shared.importing.table import Table

HAS: Final = frozenset({"référence commande", "statut de la commande", "nom participant"})
NEEDS: Final = (("Date de la commande",), ("Numéro de billet",))
LACKS: Final = (
    "HelloAsso ne dit ni la date du rassemblement, ni qui attend, ni qui est venu : importez aussi la table des "
    "rassemblements (event_id;title;starts_at)",
    "HelloAsso says neither when the gathering is, nor who waits, nor who came: import a table of gatherings as well "
    "(event_id;title;starts_at)",
)
NO_NUMBER: Final = (
    "no ticket number: its id is made of the order and its place in it, so keep the rows of an order in their order"
)
_STATUSES: Final = Vocabulary(
    {"Validé": "registered", "Annulé": "cancelled", "Remboursé": "cancelled", "Refusé": "cancelled"}
)
_OTHERS: Final = (
    (frozenset({"nom adhérent", "référence commande"}), "un formulaire d'adhésion", "a membership form"),
    (frozenset({"référence commande", "statut du paiement"}), "des paiements", "payments"),
)


def refuse_others(table: Table) -> None:
    """Raise UnreadableError for the exports of HelloAsso that name no participants."""
    for has, french, english in _OTHERS:
        if has <= set(table.names):
            raise UnreadableError(
                in_both(
                    f"{table.path} : c'est l'export de HelloAsso pour {french} ; exportez les participants de la "
                    "billetterie (Billets vendus)",
                    f"this is HelloAsso's export of {english}, which names no participants: export those of the "
                    "ticketing form",
                )
            )


def translate(table: Table, source: Source) -> Iterator[Outcome[Any]]:
    """A registration for each ticket."""
    places = None if table.part else Counter[str]()
    addresses = [name for name in table.names if _asks_for_an_address(name)]
    return translated(table, lambda cells: _facts(cells, source, addresses, places), "Numéro de billet")


def _asks_for_an_address(header: str) -> bool:
    """Whether the organiser's own question is about the participant's address, however it is called."""
    return re.search(r"\b(e-?mail|mail|courriel)\b", header) is not None and "payeur" not in header


def _facts(cells: Cells, source: Source, addresses: list[str], places: Counter[str] | None) -> Facts:
    """Raises CellError."""
    number, order = cells.text("Numéro de billet"), cells.text("Référence commande")
    name = line_of(f"{cells.text('Prénom participant')} {cells.text('Nom participant')}")
    if not number and not name:
        return NoFact(cells.line, "a gift: it has no participant and no ticket")
    # Before anything that may set the row aside: the next one keeps its place.
    item = number or place_in(order, places, "Numéro de billet")
    written = cells.text("Statut de la commande")
    status = decided(cells, "Statut de la commande", written, _STATUSES, source.words)
    if isinstance(status, NoFact):
        return status
    registration = made(
        RegistrationRecorded,
        version=source.version,
        registration_id=item,
        event_id=source.event_id,
        registered_at=moment(cells, "Date de la commande") or UNDATED,
        status=status,
        registrant=guest(name, _address(cells, name, addresses)),
    )
    notices = [] if number else [Notice(cells.line, item, "Numéro de billet", "", NO_NUMBER)]
    if not name:
        notices.append(Notice(cells.line, item, "Nom participant", "", NOBODY_NAMED))
    return [registration, *notices]


def _address(cells: Cells, name: str, addresses: list[str]) -> str:
    """The participant's own; the payer's only where both have one name."""
    own = next((written for column in addresses if "@" in (written := cells.text(column))), "")
    payer = f"{cells.text('Prénom payeur')} {cells.text('Nom payeur')}"
    return own or (cells.text("Email payeur") if name and folded(payer) == folded(name) else "")
