"""Registrations as a table that a person enters in the former system. Pure.

No product imports who registered for what (HelloAsso, Dolibarr, Galette, CiviCRM and Odoo were looked at): so there is
one form. Its columns are the fields of a registration, and ``name``, ``email``: the same file is read again by
``traboule import``, where the former system has nothing to export.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from shared.importing.cells import harmless

FILE: Final = "registrations"


class MadeRegistration(NamedTuple):
    """A registration as it is here. ``event`` is the title, ``people`` all names, ``version`` is µs since 1970."""

    registration_id: str
    event_id: str
    event: str
    record_id: str | None
    name: str
    email: str
    people: str
    registered_at: datetime
    status: str
    seats: int
    price: str
    new: bool
    version: int
    booking_id: str


Cell = Callable[[MadeRegistration], object]
COLUMNS: Final[Mapping[str, Cell]] = {
    "registration_id": lambda made: made.registration_id,
    "event_id": lambda made: made.event_id,
    "event": lambda made: made.event,
    "record_id": lambda made: made.record_id or "",
    "name": lambda made: made.name,
    "email": lambda made: made.email,
    "people": lambda made: made.people,
    "registered_at": lambda made: made.registered_at.isoformat(),
    "status": lambda made: made.status,
    "seats": lambda made: made.seats,
    "price": lambda made: made.price,
}


def row_of(made: MadeRegistration) -> tuple[str, ...]:
    """In the table's columns."""
    return tuple([str(cell(made)) for cell in COLUMNS.values()])


def file_of(registrations: Iterable[MadeRegistration]) -> bytes:
    """The table: UTF-8, separated by semicolons."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows([*map(harmless, row_of(made))] for made in registrations)
    return text.getvalue().encode("utf-8-sig")
