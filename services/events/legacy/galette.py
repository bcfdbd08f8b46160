"""Galette's plugin of events: its list of bookings, or better its two tables.

A booking is one member with a number of people. The list has no id, no day and no member: the tables, from the page
"Exports", have all three. Source: plugin-events, its ``CsvController`` and ``scripts/mysql.sql``.
"""

from collections.abc import Iterator
from datetime import datetime, time
from typing import Any, Final

from schemas.events import EventRecorded, RegistrationRecorded
from services.events.legacy.rows import Facts, Source, derived_id, gathering, guest, line_of, translated
from services.events.mirror.undated import UNDATED
from shared.importing.named_cells import CellError, Cells, made
from shared.importing.outcomes import Outcome
from shared.importing.table import Table
from shared.runtime.clock import PARIS

HAS_LIST: Final = frozenset({"evenement", "nom", "prenom", "courriel", "nombre de personnes"})
LIST_LACKS: Final = (
    "cette liste n'a ni numéro, ni date, ni adhérent : l'ordre des réservations n'est pas connu et une répétition des "
    "places ne dit rien. Exportez plutôt les tables galette_events_bookings et galette_events_events",
    "this list has no id, no day and no member: the order of bookings is not known, and a rehearsal of places means "
    "nothing. Export the tables galette_events_bookings and galette_events_events instead",
)
HAS_BOOKINGS: Final = frozenset({"id_booking", "id_event", "id_adh"})
BOOKINGS_NEED: Final = (("number_people",), ("booking_date",))
BOOKINGS_LACK: Final = (
    "une réservation n'a qu'un jour, sans heure : l'ordre d'un même jour n'est pas connu",
    "a booking has a day and no hour: the order of one day is not known",
)
HAS_EVENTS: Final = frozenset({"id_event", "name", "begin_date", "end_date"})
EVENTS_LACK: Final = (
    "un événement de Galette n'a ni heures ni capacité",
    "an event of Galette has neither hours nor a capacity",
)
_UNSET: Final = "1901-01-01"
"""The plugin's default for a day that nobody gave."""


def translate_list(table: Table, source: Source) -> Iterator[Outcome[Any]]:
    """A registration for each booking of the list, by its gathering and address, or name where there is no address."""
    return translated(table, lambda cells: _listed(cells, source))


def _listed(cells: Cells, source: Source) -> Facts:
    """Raises CellError."""
    event_id, email = line_of(cells.text("EVENEMENT")), cells.text("COURRIEL")
    name = line_of(f"{cells.text('PRENOM')} {cells.text('NOM')}")
    if not name and "@" not in email:
        raise CellError("NOM", "", "neither a name nor an address: nobody knows whose booking it is")
    return [
        made(
            RegistrationRecorded,
            version=source.version,
            registration_id=f"booking/{derived_id(event_id, email if '@' in email else name)}",
            event_id=event_id,
            registered_at=UNDATED,
            seats=cells.text("NOMBRE DE PERSONNES") or 1,
            registrant=guest(name, email),
        )
    ]


def translate_bookings(table: Table, source: Source) -> Iterator[Outcome[Any]]:
    """A registration for each row of the table of bookings."""
    return translated(table, lambda cells: [_booking(cells, source)], "id_booking")


def _booking(cells: Cells, source: Source) -> RegistrationRecorded:
    """Raises CellError."""
    member = cells.text("id_adh")
    known = member if member and source.is_member_id("galette") else None
    return made(
        RegistrationRecorded,
        version=source.version,
        registration_id=cells.text("id_booking"),
        event_id=cells.text("id_event"),
        record_id=known,
        registered_at=_midnight(cells, "booking_date") or UNDATED,
        # A dump writes NULL where nobody said how many.
        seats=cells.text("number_people").removeprefix("NULL") or 1,
        registrant=None if known else guest(f"Galette {member}" if member else ""),
    )


def translate_events(table: Table, source: Source) -> Iterator[Outcome[Any]]:
    """A gathering for each row of the table of events."""
    return translated(table, lambda cells: [_event(cells, source)], "id_event", gatherings=True)


def _event(cells: Cells, source: Source) -> EventRecorded:
    """From the first minute of its first day to the last of its last one. Raises CellError."""
    starts_at, last = _midnight(cells, "begin_date"), cells.day("end_date")
    if starts_at is None:
        raise CellError("begin_date", cells.text("begin_date"), "an event without its day: nobody knows when to come")
    place = ", ".join(filter(None, (line_of(cells.text(column)) for column in ("address", "zip", "town"))))
    ends_at = datetime.combine(last, time(23, 59), PARIS) if last and cells.text("end_date") != _UNSET else None
    return gathering(
        source.version, cells.text("id_event"), cells.text("name"), starts_at=starts_at, ends_at=ends_at, place=place
    )


def _midnight(cells: Cells, column: str) -> datetime | None:
    """The beginning of a day in Paris. Raises CellError."""
    day = cells.day(column)
    return None if day is None or cells.text(column) == _UNSET else datetime.combine(day, time(), PARIS)
