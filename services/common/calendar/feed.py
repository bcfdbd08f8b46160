"""Feeds: calendars that people subscribe to by an address, and that their programs read again now and then."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from icalendar import vDuration

from services.common.calendar.component import calendar_of, event_of
from services.common.calendar.entry import Entry
from services.common.calendar.texts import one_line

_READ_AGAIN: Final = timedelta(hours=6)
"""A wish. Google is reported to take 8 to 24 hours: no page may promise "at once"."""


def feed(name: str, entries: Iterable[Entry], *, personal: bool = False) -> bytes:
    """A feed under a name. Cancelled entries stay in it as cancelled: one that is missing stays in some calendars.

    Nobody's name or address is in it. Only a ``personal`` one, at an address that its owner alone knows, says how to
    join on-line sessions. It also serves as the file of a single entry.
    """
    shown = [entry if personal else replace(entry, join_url=None) for entry in entries]
    shown.sort(key=lambda entry: (entry.starts_at, entry.uid))
    calendar = calendar_of(event_of(entry) for entry in shown)
    for key in ("name", "x-wr-calname"):
        calendar.add(key, one_line(name))
    calendar.add("refresh-interval", _READ_AGAIN, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", vDuration(_READ_AGAIN).to_ical().decode())
    return calendar.to_ical()
