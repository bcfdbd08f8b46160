"""Odoo: registrations of gatherings, with English labels or, where it is "import-compatible", technical names.

A gathering is a name there and no id. Times are UTC. A barcode that Excel rounded is no id. Source: ``event`` of Odoo
17 to 19, ``event.registration``; French labels were not confirmed.
"""

import re
from collections.abc import Iterator
from datetime import UTC
from typing import Any, Final

from schemas.events import EventRecorded, RegistrationRecorded
from services.events.legacy.rows import Facts, Source, gathering, guest, line_of, moment, translated
from services.events.legacy.statuses import Vocabulary, decided
from services.events.mirror.undated import UNDATED
from shared.importing.named_cells import CellError, Cells, made
from shared.importing.outcomes import NoFact, Outcome
from shared.importing.table import Table

_EVENT: Final = ("event_id/id", "Event/External ID", "Event", "event_id", "event_id/name")
_STATUS: Final = ("Status", "state")
_MARKS: Final = frozenset(
    {"attendee name", "attended date", "date_closed", "event ticket", "event_ticket_id", "booked by", "barcode"}
)
_ID: Final = ("External ID", "id")
NEEDS: Final = ((*_ID, "Barcode"),)
LACKS: Final = (
    "Odoo nomme le rassemblement sans son numéro ; sans « Event Start Date », importez aussi la table des "
    "rassemblements (event_id;title;starts_at, event_id étant ce nom)",
    'Odoo names the gathering without its id; without "Event Start Date", import a table of gatherings as well '
    "(event_id;title;starts_at, where event_id is that name)",
)
_STATUSES: Final = Vocabulary({
    "draft": "none", "Unconfirmed": "none", "open": "registered", "Confirmed": "registered", "Registered": "registered",
    "done": "attended", "Attended": "attended", "cancel": "cancelled", "Cancelled": "cancelled",
})  # fmt: skip
_WHOLE: Final = re.compile(r"[0-9A-Za-z_-]+")


def is_registrations(table: Table) -> bool:
    """Whether it is an export of registrations."""
    names = set(table.names)
    return _any(names, _EVENT) and _any(names, _STATUS) and bool(names & _MARKS)


def _any(names: set[str], columns: tuple[str, ...]) -> bool:
    return any(column.casefold() in names for column in columns)


def translate(table: Table, source: Source) -> Iterator[Outcome[Any]]:
    """A registration for each attendee, and each gathering once whose day is there."""
    return translated(table, lambda cells: _facts(cells, source), *_ID, gatherings=True)


def _facts(cells: Cells, source: Source) -> Facts:
    """Raises CellError."""
    status = decided(cells, _STATUS[0], cells.text(*_STATUS), _STATUSES, source.words)
    if isinstance(status, NoFact):
        return status
    event_id = line_of(cells.text(*_EVENT))
    registration = made(
        RegistrationRecorded,
        version=source.version,
        registration_id=_id(cells),
        event_id=event_id,
        registered_at=moment(cells, "Registration Date", "Created on", "create_date", zone=UTC) or UNDATED,
        status=status,
        registrant=guest(cells.text("Attendee Name", "name"), cells.text("Email")),
    )
    return [*_event(cells, source, event_id), registration]


def _id(cells: Cells) -> str:
    """Raises CellError."""
    external, barcode = cells.text(*_ID), cells.text("Barcode")
    if not external and not _WHOLE.fullmatch(barcode):
        raise CellError(
            "Barcode",
            barcode,
            "no id: Excel rounds barcodes (1,2E+19). Export again as CSV, or with External ID (import-compatible)",
        )
    return external or barcode


def _event(cells: Cells, source: Source, event_id: str) -> list[EventRecorded]:
    """Raises CellError."""
    starts_at = moment(cells, "Event Start Date", "event_begin_date", zone=UTC)
    if starts_at is None or not source.gatherings or not event_id:
        return []
    ends_at = moment(cells, "Event End Date", "event_end_date", zone=UTC)
    title = cells.text("Event", "event_id", "event_id/name") or event_id
    return [gathering(source.version, event_id, title, starts_at=starts_at, ends_at=ends_at)]
