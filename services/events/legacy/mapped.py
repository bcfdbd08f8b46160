"""Tables whose columns are named one by one: Eventbrite's and Weezevent's untouched, any other's by a mapping.

A mapping (``--map``) gives columns these names. A row is a person. Where nothing identifies it, its id is made of its
order and its place in the order. Source: headers of both products as third-party readers of them agree.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from schemas.events import RegistrationRecorded, RegistrationStatus
from services.events.legacy.rows import NOBODY_NAMED, Facts, Source, guest, line_of, moment, place_in, translated
from services.events.legacy.statuses import Vocabulary, decided
from services.events.mirror.undated import UNDATED
from shared.importing.named_cells import CellError, Cells, made
from shared.importing.outcomes import NoFact, Notice, Outcome
from shared.importing.table import Table
from shared.runtime.clock import PARIS

FIELDS: Final = (
    "registration_id", "order", "event_id", "record_id", "registered_at", "status", "seats", "name", "first_name",
    "last_name", "email",
)  # fmt: skip
"""What a column may be mapped to."""
_IDENTITY: Final = frozenset({"registration_id", "order"})
_PERSON: Final = frozenset({"name", "first_name", "last_name", "email", "record_id"})
_OWN_WORDS: Final = Vocabulary({
    "registered": "registered", "waiting": "waiting", "attended": "attended", "absent": "absent",
    "cancelled": "cancelled",
})  # fmt: skip
DERIVED: Final = "no id of its own: it is made of the order and its place in it, so keep an order's rows in their order"
_AMERICAN: Final = (
    "%m/%d/%y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%y %I:%M %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%y",
    "%m/%d/%Y",
)  # fmt: skip
_NOT_NAMED: Final = "info requested"
"""What Eventbrite writes where the buyer did not say who comes."""


@dataclass(frozen=True, slots=True)
class Form:
    """Which column says what, by the names of :data:`FIELDS`, and which words its statuses are."""

    columns: Mapping[str, str] = field(default_factory=lambda: {name: name for name in FIELDS})
    statuses: Vocabulary = _OWN_WORDS
    american_days: bool = False
    refunds: str | None = None
    """A column that begins with "refund" where money went back."""


MAPPED: Final = Form()
MAPPED_LACKS: Final = (
    "une table sans colonne « status » ne compte que des inscrits ; la date du rassemblement vient d'une table "
    "event_id;title;starts_at",
    'a table without a column "status" has registered people alone; when the gathering is comes from a table '
    "event_id;title;starts_at",
)
EVENTBRITE: Final = Form(
    {
        "registration_id": "Attendee #", "order": "Order #", "registered_at": "Order Date", "status": "Attendee Status",
        "seats": "Quantity", "first_name": "First Name", "last_name": "Last Name", "email": "Email",
    },
    Vocabulary({
        "Attending": "registered", "Checked In": "attended", "Not Attending": "cancelled", "Deleted": "cancelled",
    }),
    american_days=True,
    refunds="Order Type",
)  # fmt: skip
HAS_EVENTBRITE: Final = frozenset({"order #", "order date", "attendee status"})
EVENTBRITE_NEEDS: Final = (("Attendee #",),)
EVENTBRITE_LACKS: Final = (
    "Eventbrite ne dit ni la date du rassemblement, ni qui attend ; les heures sont lues comme celles de Paris",
    "Eventbrite says neither when the gathering is nor who waits; hours are read as those of Paris",
)
WEEZEVENT: Final = Form({
    "order": "Numéro de commande", "registered_at": "Date commande", "first_name": "Prénom participant",
    "last_name": "Nom participant", "email": "Email participant",
})  # fmt: skip
HAS_WEEZEVENT: Final = frozenset({"numéro de commande", "date commande", "nom participant"})
WEEZEVENT_LACKS: Final = (
    "ce fichier de Weezevent n'a ni numéro de billet, ni annulations, ni présence : chaque ligne compte pour inscrite",
    "this file of Weezevent has no ticket numbers, no cancellations and no attendance: each row counts as registered",
)


def is_mapped(table: Table) -> bool:
    """Whether its headers are names of :data:`FIELDS` that say which registration it is, and who comes.

    One whose headers are all fields of the fact is a plain table, and read as such.
    """
    names = set(table.names)
    is_plain = names <= set(RegistrationRecorded.model_fields)
    return bool(names & _IDENTITY and names & _PERSON) and not is_plain


def translate(table: Table, source: Source) -> Iterator[Outcome[Any]]:
    """The registrations of a table whose columns were mapped."""
    return _translate(table, source, MAPPED)


def translate_eventbrite(table: Table, source: Source) -> Iterator[Outcome[Any]]:
    """The registrations of Eventbrite's list of attendees."""
    return _translate(table, source, EVENTBRITE)


def translate_weezevent(table: Table, source: Source) -> Iterator[Outcome[Any]]:
    """The registrations of Weezevent's list of participants."""
    return _translate(table, source, WEEZEVENT)


def _translate(table: Table, source: Source, form: Form) -> Iterator[Outcome[Any]]:
    places = None if table.part else Counter[str]()
    has_status = form.columns.get("status", "").casefold() in table.names
    ids = [form.columns[name] for name in ("registration_id",) if name in form.columns]
    return translated(table, lambda cells: _facts(cells, source, form, places, has_status=has_status), *ids)


def _facts(cells: Cells, source: Source, form: Form, places: Counter[str] | None, *, has_status: bool) -> Facts:
    """Raises CellError."""

    def text(name: str) -> str:
        column = form.columns.get(name)
        written = line_of(cells.text(column)) if column else ""
        return "" if written.casefold() == _NOT_NAMED else written

    own = text("registration_id")
    item = own or place_in(text("order"), places, form.columns.get("registration_id") or form.columns["order"])
    status: RegistrationStatus | NoFact = "registered"
    if has_status:
        status = decided(cells, form.columns["status"], text("status"), form.statuses, source.words)
    if form.refunds and cells.text(form.refunds).casefold().startswith("refund"):
        status = "cancelled"
    if isinstance(status, NoFact):
        return status
    name = text("name") or line_of(f"{text('first_name')} {text('last_name')}")
    member = text("record_id")
    registration = made(
        RegistrationRecorded,
        version=source.version,
        registration_id=item,
        event_id=text("event_id") or source.event_id,
        record_id=member,
        registered_at=_moment(cells, form) or UNDATED,
        status=status,
        seats=text("seats") or 1,
        registrant=None if member and not name else guest(name, text("email")),
    )
    notices = [Notice(cells.line, item, "registration_id", "", DERIVED)] if not own else []
    if not name and not member:
        notices.append(Notice(cells.line, item, "name", "", NOBODY_NAMED))
    return [registration, *notices]


def _moment(cells: Cells, form: Form) -> datetime | None:
    """When somebody registered; months come first where the product writes so. Raises CellError."""
    column = form.columns["registered_at"]
    written = cells.text(column)
    if not form.american_days or "/" not in written:
        return moment(cells, column)
    for pattern in _AMERICAN:
        with suppress(ValueError):
            return datetime.strptime(written, pattern).replace(tzinfo=PARIS)
    raise CellError(column, written, "there is no such day: months come before days here (11/29/26 22:28)")
