"""A local time in a time zone, as staff write it, and the moment that it names.

Twice a year clocks skip an hour or repeat one. A time that no clock shows is refused, and so is one that clocks show
twice while nobody names the offset. Keep the text, the zone and the offset beside the moment: rules of zones change.
"""

import re
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from services.events.translated import TranslatedError

_LOCAL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}")
_OFFSET: Final = re.compile(r"([+-])([0-9]{2}):([0-9]{2})")
_YEARS: Final = range(1970, 2200)


class LocalTimeError(TranslatedError):
    """A local time names no moment."""


class UnreadableTimeError(LocalTimeError):
    """The text is no local time, or no offset."""


class UnknownZoneError(LocalTimeError):
    """No time zone has this name."""


class NonexistentTimeError(LocalTimeError):
    """Clocks skip this time. ``nearest`` are the last minute before the gap and the first after it, as text."""

    def __init__(self, local: str, zone: str, nearest: tuple[str, str]) -> None:
        self.nearest = nearest
        before, after = nearest
        super().__init__(
            f"{local} n'existe pas dans le fuseau {zone} : les horloges avancent à ce moment-là. "
            f"Les heures les plus proches sont {before} et {after}",
            f"{local} does not exist in {zone}: clocks go forward at that moment. "
            f"The nearest times are {before} and {after}",
        )


class AmbiguousTimeError(LocalTimeError):
    """Clocks show this time twice. ``offsets`` are those from UTC, of the first time and of the second."""

    def __init__(self, local: str, zone: str, offsets: tuple[str, str]) -> None:
        self.offsets = offsets
        first, second = offsets
        super().__init__(
            f"{local} existe deux fois dans le fuseau {zone} : les horloges reculent à ce moment-là. "
            f"Précisez le décalage, {first} (la première fois) ou {second} (la seconde)",
            f"{local} exists twice in {zone}: clocks go back at that moment. "
            f"Add the offset, {first} (the first time) or {second} (the second)",
        )


class WrongOffsetError(LocalTimeError):
    """The zone has another offset at this time."""


def moment_of(local: str, zone: str, offset: str | None = None) -> datetime:
    """The moment, in UTC, of ``2027-03-28T02:30`` in an IANA zone.

    ``offset``, as ``+02:00``, is needed where clocks show the time twice, and must be right wherever it is given.
    Raises LocalTimeError: UnreadableTimeError, UnknownZoneError, NonexistentTimeError, AmbiguousTimeError or
    WrongOffsetError.
    """
    naive = _read(local)
    given = None if offset is None else _read_offset(offset)
    area = zone_of(zone)
    first, second = _offsets(naive, area)
    if first < second:
        raise NonexistentTimeError(local, zone, _around_gap(naive, area, first, second))
    if given is None and first != second:
        raise AmbiguousTimeError(local, zone, (offset_text(first), offset_text(second)))
    if given is not None and given not in (first, second):
        raise _wrong(offset or "", local, zone, first, second)
    return (naive - (first if given is None else given)).replace(tzinfo=UTC)


def local_of(moment: datetime, zone: str) -> tuple[str, str]:
    """What clocks in a zone show at a moment, and the offset that they have: what :func:`moment_of` takes.

    Raises UnknownZoneError.
    """
    at = moment.astimezone(zone_of(zone))
    offset = at.utcoffset()
    assert offset is not None
    return at.strftime("%Y-%m-%dT%H:%M"), offset_text(offset)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name, such as Europe/Paris or UTC. Raises UnknownZoneError.

    Abbreviations (EST, CET) are none: what they mean differs. This machine's ``localtime`` means nothing elsewhere.
    """
    if name in _zones():
        return ZoneInfo(name)
    near = get_close_matches(name[:64], _zones(), n=1) or ["Europe/Paris"]
    raise UnknownZoneError(
        f"aucun fuseau horaire ne porte ce nom : écrivez par exemple {near[0]}",
        f"no time zone has this name: write, for example, {near[0]}",
    )


def offset_text(offset: timedelta) -> str:
    """An offset from UTC as ``+02:00``."""
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


@cache
def _zones() -> frozenset[str]:
    return frozenset(name for name in available_timezones() if "/" in name or name == "UTC")


def _read(local: str) -> datetime:
    try:
        if _LOCAL.fullmatch(local) and (naive := datetime.fromisoformat(local)).year in _YEARS:
            return naive
    except ValueError:
        pass  # a thirteenth month, a thirtieth of February
    raise UnreadableTimeError(
        f"ce n'est pas une heure locale : écrivez-la comme 2027-03-28T14:30, entre {_YEARS[0]} et {_YEARS[-1]}",
        f"this is no local time: write it like 2027-03-28T14:30, between {_YEARS[0]} and {_YEARS[-1]}",
    )


def _read_offset(text: str) -> timedelta:
    if match := _OFFSET.fullmatch(text):
        size = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return -size if match[1] == "-" else size
    raise UnreadableTimeError(
        "ce n'est pas un décalage : écrivez-le comme +02:00", "this is no offset: write it like +02:00"
    )


def _offsets(naive: datetime, area: ZoneInfo) -> tuple[timedelta, timedelta]:
    """Those of both readings (PEP 495): equal for usual times; the first is smaller in a gap, and larger in a fold."""
    first, second = (naive.replace(tzinfo=area, fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None
    assert second is not None
    return first, second


def _around_gap(naive: datetime, area: ZoneInfo, before: timedelta, after: timedelta) -> tuple[str, str]:
    """The last minute before the gap and the first after it. The clocks change between the two readings."""
    earliest = (naive - after).replace(tzinfo=UTC)
    minutes = range(int((after - before).total_seconds()) // 60 + 1)

    def has_changed(minute: int) -> bool:
        return (earliest + timedelta(minutes=minute)).astimezone(area).utcoffset() != before

    change = earliest + timedelta(minutes=bisect_left(minutes, x=True, key=has_changed))
    return local_of(change - timedelta(minutes=1), area.key)[0], local_of(change, area.key)[0]


def _wrong(offset: str, local: str, zone: str, first: timedelta, second: timedelta) -> WrongOffsetError:
    right = [offset_text(item) for item in dict.fromkeys((first, second))]
    return WrongOffsetError(
        f"le décalage {offset} n'est pas celui de {zone} à {local} : écrivez {' ou '.join(right)}",
        f"{offset} is not the offset of {zone} at {local}: write {' or '.join(right)}",
    )
