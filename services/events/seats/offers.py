"""Until when a seat is offered to somebody who waited: pure.

An offer ends while people read their mail. It never reaches so near to the beginning that nobody could follow.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SATURDAY: Final = 5
FIRST_HOUR, LAST_HOUR = time(9), time(18)
NOON: Final = time(12)
SHORTEST: Final = timedelta(hours=2)
"""Whoever has less time than this to answer gets the seat at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTerms:
    """How long an offer holds, and how long before the beginning seats are given without asking."""

    lasts: timedelta = timedelta(hours=48)
    at_once_within: timedelta = timedelta(hours=6)


def offered_until(now: datetime, ends: datetime, zone: str, terms: OfferTerms) -> datetime | None:
    """The moment in UTC at which an offer made now lapses; None where the seat is given at once.

    ``ends`` is when the session begins, or when its list closes if that is earlier. An offer that would end at night
    or at a weekend ends at noon of the next working day. Public holidays count as working days.
    """
    latest = ends - terms.at_once_within
    if latest - now < SHORTEST:
        return None
    return min(_in_working_hours((now + terms.lasts).astimezone(ZoneInfo(zone))).astimezone(now.tzinfo), latest)


def at_most(until: datetime, now: datetime, ends: datetime, terms: OfferTerms) -> datetime | None:
    """Until when an open offer holds once the session ``ends`` at another time; None where the seat is given at once.

    It never holds longer than before.
    """
    latest = ends - terms.at_once_within
    if until <= latest:
        return until
    return None if latest - now < SHORTEST else latest


def _in_working_hours(moment: datetime) -> datetime:
    if moment.weekday() < SATURDAY and FIRST_HOUR <= moment.time() <= LAST_HOUR:
        return moment
    day = moment.date() if moment.time() < FIRST_HOUR else moment.date() + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day, NOON, moment.tzinfo)
