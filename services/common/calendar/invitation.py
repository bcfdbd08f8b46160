"""Invitations to one guest (RFC 5546): the text, and the part of a mail that carries it (RFC 6047)."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import MIMEPart
from email.policy import SMTP

from icalendar import Event, vCalAddress

from services.common.calendar.component import Method, calendar_of, event_of
from services.common.calendar.entry import CalendarError, Entry, Mailbox
from services.common.calendar.texts import one_line


@dataclass(frozen=True, slots=True)
class Invitation:
    """A message to one guest's calendar. ``text`` has lines of at most 75 octets, ended by CR LF."""

    method: Method
    text: str = field(repr=False)

    @property
    def content_type(self) -> str:
        """The media type. Its parameter equals METHOD in the text, or Outlook shows a file that it cannot open."""
        return f"text/calendar; method={self.method}; charset=utf-8"

    def part(self) -> MIMEPart:
        """The part of a mail: the last of multipart/alternative, after plain text and HTML; never an attachment."""
        part = MIMEPart(SMTP)
        part.set_content(self.text, subtype="calendar", cte="base64")
        part.replace_header("Content-Type", self.content_type)
        return part


def request(entry: Entry, organizer: Mailbox, guest: Mailbox) -> Invitation:
    """Invite a guest, or tell of a change: the same UID, and the SEQUENCE that ``sequence_after`` gives.

    ``organizer`` is an address of a role, the same for as long as the gathering lives. Raises CalendarError.
    """
    if entry.status == "cancelled":
        raise CalendarError("status: it is cancelled, and a cancellation is what says so")
    return _message("REQUEST", entry, organizer, guest)


def cancellation(sent: Entry, organizer: Mailbox, guest: Mailbox, *, stamped_at: datetime) -> Invitation:
    """Take back what was ``sent`` last: the same UID, the next SEQUENCE. Raises CalendarError."""
    if stamped_at < sent.stamped_at:
        raise CalendarError("stamped_at: it is before that of the entry that was sent")
    entry = replace(sent, sequence=sent.sequence + 1, status="cancelled", stamped_at=stamped_at)
    return _message("CANCEL", entry, organizer, guest)


def _message(method: Method, entry: Entry, organizer: Mailbox, guest: Mailbox) -> Invitation:
    event = event_of(entry)
    event.add("organizer", _address(organizer))
    _add_guest(event, guest)
    return Invitation(method, calendar_of([event], method).to_ical().decode())


def _add_guest(event: Event, guest: Mailbox) -> None:
    """The one guest: with two, each would read the other's address.

    The guest has a seat already, so no answer is asked for: nobody must lose it by a mail that anybody may send.
    """
    attendee = _address(guest)
    attendee.params.update({"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"})
    event.add("attendee", attendee)


def _address(mailbox: Mailbox) -> vCalAddress:
    address = vCalAddress(mailbox.uri)
    if name := one_line(mailbox.name).replace('"', "'"):
        address.params["CN"] = name
    return address
