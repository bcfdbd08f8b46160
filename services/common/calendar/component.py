"""An entry as VEVENT, and a VCALENDAR around entries. The same arguments make the same bytes, for ETags and retries."""

from collections.abc import Iterable
from typing import Final, Literal

from icalendar import Calendar, Conference, Event

from services.common.calendar.entry import Entry
from services.common.calendar.texts import Text, lines_of, one_line
from services.common.calendar.timezones import paris, utc, written_in

Method = Literal["REQUEST", "CANCEL"]
_PRODUCT: Final = "-//Traboule//Events//EN"


def event_of(entry: Entry) -> Event:
    """The entry, without organiser and guest, and without alarm: people set their own."""
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", utc(entry.stamped_at))
    event.add("summary", one_line(entry.title))
    event.add("status", entry.status.upper())
    _add_times(event, entry)
    _add_place(event, entry)
    if description := _description(entry):
        event.add("description", description)
    return event


def calendar_of(events: Iterable[Event], method: Method | None = None) -> Calendar:
    """A calendar with these events, and the time zone that they may name."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", _PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    if method is not None:
        calendar.add("method", method)
    calendar.add_component(paris())
    for event in events:
        calendar.add_component(event)
    return calendar


def _add_times(event: Event, entry: Entry) -> None:
    moments = (entry.starts_at,) if entry.ends_at is None else (entry.starts_at, entry.ends_at)
    for name, moment in zip(("dtstart", "dtend"), written_in(entry.zone, *moments), strict=False):
        event.add(name, moment)


def _add_place(event: Event, entry: Entry) -> None:
    """Where it is. Few programs show CONFERENCE (RFC 7986), all show LOCATION."""
    if location := one_line(entry.place or entry.join_url or ""):
        event.add("location", location)
    if url := entry.page_url or entry.join_url:
        event.add("url", url)
    if entry.join_url:
        event.conferences = [Conference(entry.join_url, feature="VIDEO")]


def _description(entry: Entry) -> Text:
    """The text, with the address of the session below it: Outlook shows neither URL nor CONFERENCE."""
    return lines_of(f"{entry.description}\n\n{entry.join_url or ''}")
