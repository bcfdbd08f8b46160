"""Days as ordinals, and sets of days as ranges in order: first and last day, both included."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

NEVER = date.max.toordinal()
"""The last day of what has no end."""


class Range(NamedTuple):
    """First and last day, both included, as ordinals."""

    first: int
    last: int

    @property
    def first_day(self) -> date:
        """The first day."""
        return date.fromordinal(self.first)

    @property
    def last_day(self) -> date:
        """The last day."""
        return date.fromordinal(self.last)


Days = tuple[Range, ...]
"""A set of days: ranges in order that neither overlap nor touch."""


def between(first: date, last: date) -> Range:
    """The days from one to another, both included."""
    return Range(first.toordinal(), last.toordinal())


def days_of(ranges: Iterable[Range]) -> Days:
    """The same days as a set."""
    ordered = [item for item in ranges if item.last >= item.first]
    if len(ordered) < 2:
        return tuple(ordered)
    ordered.sort()
    joined: list[Range] = []
    first, last = ordered[0]
    for item in ordered:
        if item.first > last + 1:
            joined.append(Range(first, last))
            first, last = item
        elif item.last > last:
            last = item.last
    joined.append(Range(first, last))
    return tuple(joined)


def without(days: Days, others: Days) -> Days:
    """The days that are not among the others."""
    if not others:
        return days
    left: list[Range] = []
    for item in days:
        first = item.first
        for other in others:
            if other.last < first or other.first > item.last:
                continue
            if other.first > first:
                left.append(Range(first, other.first - 1))
            first = other.last + 1
        if first <= item.last:
            left.append(Range(first, item.last))
    return tuple(left)


def within(days: Iterable[Range], limit: Range) -> Days:
    """The days that lie in a range."""
    cut: list[Range] = []
    for item in days:
        first, last = max(item.first, limit.first), min(item.last, limit.last)
        if first <= last:
            cut.append(Range(first, last))
    return tuple(cut)


# The next two are asked for every unit of every record. A generator in each call costs thrice as much as a loop.
def meets(days: Sequence[Range], limit: Range) -> bool:
    """Whether any of the days lies in a range."""
    lower, upper = limit
    for first, last in days:  # noqa: SIM110
        if first <= upper and lower <= last:
            return True
    return False


def contains(days: Sequence[Range], part: Range) -> bool:
    """Whether all days of a range are among the days."""
    lower, upper = part
    for first, last in days:  # noqa: SIM110
        if first <= lower and upper <= last:
            return True
    return False


@lru_cache(maxsize=4096)
def written(day: int) -> str:
    """A day as members read it, such as 31/12/2027."""
    return f"{date.fromordinal(day):%d/%m/%Y}"


@lru_cache(maxsize=1024)
def add_months(day: date, months: int) -> date:
    """The same day of another month; the last day of a shorter one."""
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, _length(year, month + 1)))


def _length(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - date(year, month, 1)).days


@lru_cache(maxsize=256)
def units_of(first: date, months: int) -> tuple[Range, ...]:
    """Twelve months from a day on, in units of so many months: 12 makes one unit, 1 makes twelve."""
    starts = [add_months(first, count) for count in range(0, 13, months)]
    return tuple(Range(a.toordinal(), b.toordinal() - 1) for a, b in pairwise(starts))


def year_from(first: date) -> Range:
    """The twelve months from a day on."""
    return units_of(first, 12)[0]


def moved_after(cover: Range, last: int) -> Range:
    """The same length of days, from the day after ``last`` on; whole months stay whole months."""
    first, end = cover.first_day, date.fromordinal(cover.last + 1)
    months = (end.year - first.year) * 12 + end.month - first.month
    start = date.fromordinal(last + 1)
    if first.day == end.day and start.day == 1:
        return Range(start.toordinal(), add_months(start, months).toordinal() - 1)
    return Range(last + 1, last + 1 + cover.last - cover.first)
