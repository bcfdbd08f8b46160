"""Entries of calendars, and what two parsers that know nothing of each other read (icalendar, vobject)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import vobject
from icalendar import Calendar

from services.common.calendar.entry import Entry, Mailbox, registration_uid

ORGANIZER = Mailbox("Clust'R Numérique", "evenements@clustr.example")
GUEST = Mailbox("Léa Martin", "lea.martin@example.org")


def an_entry(**different: Any) -> Entry:
    """Two hours in Lyon; times are UTC."""
    usual: dict[str, Any] = {
        "uid": registration_uid("S1", "R1", "clustr.example"),
        "sequence": 0,
        "stamped_at": datetime(2027, 1, 4, 8, tzinfo=UTC),
        "title": "Petit-déjeuner de l'IA",
        "starts_at": datetime(2027, 1, 28, 7, 30, tzinfo=UTC),
        "ends_at": datetime(2027, 1, 28, 9, 30, tzinfo=UTC),
        "zone": "Europe/Paris",
        "place": "12 rue de la République, 69002 Lyon",
        "page_url": "https://clustr.example/e/1",
    }
    return Entry(**usual | different)


@dataclass(frozen=True, slots=True)
class Shown:
    """An event as a parser reads it; absent is None. Times are UTC."""

    uid: str
    sequence: int
    summary: str
    status: str
    starts_at: datetime
    ends_at: datetime | None
    stamped_at: datetime
    description: str | None
    location: str | None
    url: str | None
    organizer: str | None
    attendees: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownCalendar:
    method: str | None
    events: tuple[Shown, ...]


def by_icalendar(text: bytes) -> ShownCalendar:
    calendar: Any = Calendar.from_ical(text)
    method = calendar.get("method")
    return ShownCalendar(method and str(method), tuple(_by_icalendar(event) for event in calendar.walk("VEVENT")))


def by_vobject(text: bytes) -> ShownCalendar:
    calendar: Any = vobject.readOne(text.decode())
    method = calendar.contents.get("method")
    events = calendar.contents.get("vevent", ())
    return ShownCalendar(method[0].value if method else None, tuple(_by_vobject(event.contents) for event in events))


PARSERS: dict[str, Callable[[bytes], ShownCalendar]] = {"icalendar": by_icalendar, "vobject": by_vobject}


def _by_icalendar(event: Any) -> Shown:
    attendees = event.get("attendee", [])
    return Shown(
        uid=str(event["uid"]),
        sequence=int(event["sequence"]),
        summary=str(event["summary"]),
        status=str(event["status"]),
        starts_at=event["dtstart"].dt.astimezone(UTC),
        ends_at=event["dtend"].dt.astimezone(UTC) if "dtend" in event else None,
        stamped_at=event["dtstamp"].dt,
        description=_text(event.get("description")),
        location=_text(event.get("location")),
        url=_text(event.get("url")),
        organizer=_text(event.get("organizer")),
        attendees=tuple(str(item) for item in (attendees if isinstance(attendees, list) else [attendees])),
    )


def _by_vobject(contents: dict[str, Any]) -> Shown:
    def value(name: str) -> Any:
        return contents[name][0].value if name in contents else None

    return Shown(
        uid=value("uid"),
        sequence=int(value("sequence")),
        summary=value("summary"),
        status=value("status"),
        starts_at=value("dtstart").astimezone(UTC),
        ends_at=value("dtend").astimezone(UTC) if "dtend" in contents else None,
        stamped_at=value("dtstamp"),
        description=value("description"),
        location=value("location"),
        url=value("url"),
        organizer=value("organizer"),
        attendees=tuple(item.value for item in contents.get("attendee", ())),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
