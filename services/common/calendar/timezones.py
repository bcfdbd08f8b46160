"""Moments as a calendar writes them: local time in Europe/Paris, UTC elsewhere."""

from datetime import UTC, datetime
from functools import cache
from typing import Final, cast
from zoneinfo import ZoneInfo

from icalendar import Timezone

PARIS: Final = ZoneInfo("Europe/Paris")
PARIS_DEFINITION: Final = """\
BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""
"""True from 1996 on, when summer time came to end in October, until the law changes. Outlook needs it."""


@cache
def paris() -> Timezone:
    """The definition as a component, for every calendar the same: change nothing in it."""
    return cast(Timezone, Timezone.from_ical(PARIS_DEFINITION))


def written_in(zone: str, *moments: datetime) -> tuple[datetime, ...]:
    """The moments of one entry, all local or all in UTC: RFC 5545 wants start and end in one form.

    A local time that clocks show twice means the first of the two there (3.3.5), so an entry with the second is UTC.
    """
    if zone == PARIS.key:
        local = tuple(moment.astimezone(PARIS).replace(microsecond=0) for moment in moments)
        if not any(moment.fold for moment in local):
            return local
    return tuple(utc(moment) for moment in moments)


def utc(moment: datetime) -> datetime:
    """The moment in UTC, in whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0)
