"""CiviCRM: participants, as its search exports them in an English session, with the gatherings that they name.

Statuses go by their id up to 12 and by their name from there on: installations from before the cart was taken out have
one more. A participant is one person and one seat; who registered them has a row of their own. Source: CiviCRM 6,
``civicrm_participant_status_type`` and the fields of ``Participant``.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from schemas.events import EventRecorded, RegistrationRecorded, RegistrationStatus
from services.events.legacy.rows import (
    NOBODY_NAMED,
    Facts,
    Source,
    gathering,
    guest,
    line_of,
    moment,
    translated,
    yes,
)
from services.events.legacy.statuses import NO_SEAT, UNFINISHED, Meaning, Vocabulary, decided, folded, status_or_none
from services.events.mirror.undated import UNDATED
from shared.importing.named_cells import CellError, Cells, made
from shared.importing.outcomes import NoFact, Notice, Outcome
from shared.importing.table import Table

HAS: Final = frozenset({"participant id", "event id"})
_ROLE: Final = ("Participant Role", "Participant Role (label)")
_ROLE_ID: Final = ("Participant Role ID", "Participant Role ID (ID)")
_STATUS: Final = ("Participant Status", "Participant Status (label)")
NEEDS: Final = (("Status ID", *_STATUS), (*_ROLE, *_ROLE_ID))
LACKS: Final = (
    "cet export ne dit ni combien de personnes un tarif compte, ni la capacité ; une ligne vaut une place",
    "this export says neither how many people a fee counts for nor the capacity; a row is one seat",
)
_OFFERED: Final = "an offer that is still open: it holds a seat there, so it is taken as registered"
_BY_ID: Final[Mapping[str, Meaning]] = {
    "1": "registered", "2": "attended", "3": "absent", "4": "cancelled", "5": "registered", "6": "none",
    "7": "waiting", "8": "waiting", "9": "registered", "10": "registered", "11": "cancelled", "12": "cancelled",
}  # fmt: skip
_BY_NAME: Final = Vocabulary({
    "Registered": "registered", "Attended": "attended", "No-show": "absent", "Cancelled": "cancelled",
    "Pending (pay later)": "registered", "Pending from pay later": "registered",
    "Pending (incomplete transaction)": "none", "Pending from incomplete transaction": "none",
    "On waitlist": "waiting", "Awaiting approval": "waiting",
    "Pending from waitlist": "registered", "Pending from approval": "registered",
    "Rejected": "cancelled", "Expired": "cancelled", "Pending in cart": "none",
    "Partially paid": "registered", "Pending refund": "registered", "Transferred": "cancelled",
})  # fmt: skip
_OFFERS: Final = frozenset({"9", "10", "pending from waitlist", "pending from approval"})
_ATTENDEE: Final = frozenset({"attendee", "1"})
_SEVERAL: Final = re.compile(r"[,;\x01]")


def translate(table: Table, source: Source) -> Iterator[Outcome[Any]]:
    """A registration of each participant, and each gathering once."""
    return translated(table, lambda cells: _facts(cells, source), "Participant ID", gatherings=True)


def _facts(cells: Cells, source: Source) -> Facts:
    """Raises CellError."""
    if yes(cells, "Test"):
        return NoFact(cells.line, "a test of the form")
    if not _takes_a_seat(cells, source):
        return NoFact(cells.line, NO_SEAT)
    status = _status(cells, source)
    if isinstance(status, NoFact):
        return status
    item, contact = cells.text("Participant ID"), cells.text("Contact ID")
    name = cells.text("Display Name") or f"{cells.text('First Name')} {cells.text('Last Name')}"
    registrant = guest(name, cells.text("Email"))
    record_id = contact if contact and source.is_member_id("civicrm") else None
    registration = made(
        RegistrationRecorded,
        version=source.version,
        registration_id=item,
        event_id=cells.text("Event ID"),
        record_id=record_id,
        registered_at=moment(cells, "Register date") or UNDATED,
        status=status,
        registrant=registrant,
    )
    notices = [Notice(cells.line, item, _STATUS[0], cells.text(*_STATUS), _OFFERED)] if _is_offered(cells) else []
    if not record_id and not registrant.name:
        notices.append(Notice(cells.line, item, "Display Name", "", NOBODY_NAMED))
    return [*_event(cells, source), registration, *notices]


def _event(cells: Cells, source: Source) -> list[EventRecorded]:
    """The gathering, where the row has its title and day and no better table is there. Raises CellError."""
    title, starts_at = line_of(cells.text("Event Title")), moment(cells, "Event Start Date")
    if not source.gatherings or not title or starts_at is None:
        return []
    ends_at = moment(cells, "Event End Date")
    return [gathering(source.version, cells.text("Event ID"), title, starts_at=starts_at, ends_at=ends_at)]


def _status(cells: Cells, source: Source) -> RegistrationStatus | NoFact:
    """By the clusters file, by the id where that means the same everywhere, else by the name. Raises CellError."""
    number, label = cells.text("Status ID"), cells.text(*_STATUS)
    if folded(label) not in source.words.meanings and number in _BY_ID:
        return status_or_none(cells, _BY_ID[number], UNFINISHED)
    return decided(cells, _STATUS[0] if label else "Status ID", label or number, _BY_NAME, source.words)


def _is_offered(cells: Cells) -> bool:
    number, label = cells.text("Status ID"), cells.text(*_STATUS)
    return (number if number in _BY_ID else folded(label)) in _OFFERS


def _takes_a_seat(cells: Cells, source: Source) -> bool:
    """Whether the role counts: each role but the attendee's is asked, for no column says which ones the site counts.

    Raises CellError.
    """
    written = cells.text(*_ROLE) or cells.text(*_ROLE_ID)
    roles = [role for part in _SEVERAL.split(written) if (role := part.strip())]
    if not roles or _ATTENDEE.intersection(map(folded, roles)):
        return True
    meanings = [source.words.meanings.get(folded(role)) for role in roles]
    unknown = next((role for role, meaning in zip(roles, meanings, strict=True) if meaning is None), None)
    if unknown is not None:
        raise CellError(_ROLE[0], written, source.words.asked(unknown, ["Attendee"], ("registered", "none")))
    return any(meaning != "none" for meaning in meanings)
