"""The definition of Europe/Paris, by programs that read nothing else, and how moments are written."""

from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from typing import Any

import pytest
from dateutil.tz import tzical
from icalendar import Timezone

from services.common.calendar.timezones import PARIS, PARIS_DEFINITION, written_in


def by_dateutil() -> Any:
    return tzical(StringIO(PARIS_DEFINITION)).get("Europe/Paris")


def by_icalendar() -> Any:
    zone: Any = Timezone.from_ical(PARIS_DEFINITION)
    return zone.to_tz(lookup_tzid=False)


@cache
def changes(year: int) -> list[datetime]:
    """Each moment of a year, to the second, at which clocks in Paris change."""
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(366 * 24)]
    offsets = [hour.astimezone(PARIS).utcoffset() for hour in hours]
    return [after for after, old, new in zip(hours[1:], offsets, offsets[1:], strict=False) if old != new]


@pytest.mark.parametrize("read", [by_dateutil, by_icalendar])
def test_the_definition_gives_the_offsets_of_zoneinfo_from_1996_to_2040(read: Any) -> None:
    zone = read()
    assert "zoneinfo" not in type(zone).__module__
    for year in range(1996, 2041):
        assert len(changes(year)) == 2
        around = [change + timedelta(hours=hours) for change in changes(year) for hours in (-25, -2, 2, 25)]
        months = [datetime(year, month, 15, 12, tzinfo=UTC) for month in range(1, 13)]
        for moment in (*around, *months):
            # As a calendar does: it reads a local time, and asks the definition for its offset.
            local = moment.astimezone(PARIS).replace(tzinfo=None)
            assert local.replace(tzinfo=zone).utcoffset() == moment.astimezone(PARIS).utcoffset(), moment


def test_before_and_after_each_change_of_2027_local_times_are_those_of_paris() -> None:
    zone = by_dateutil()
    for local, hours in [
        ((2027, 3, 28, 1, 59), 1),
        ((2027, 3, 28, 3, 0), 2),
        ((2027, 10, 31, 1, 59), 2),
        ((2027, 10, 31, 3, 0), 1),
    ]:
        assert datetime(*local, tzinfo=zone).utcoffset() == timedelta(hours=hours)


def test_paris_is_written_as_local_time_and_every_other_zone_in_utc() -> None:
    moment = datetime(2027, 7, 14, 7, 0, 0, 999, tzinfo=UTC)
    assert written_in("Europe/Paris", moment)[0].isoformat() == "2027-07-14T09:00:00+02:00"
    assert written_in("Europe/Paris", moment)[0].tzinfo is PARIS
    assert written_in("America/Martinique", moment)[0] == datetime(2027, 7, 14, 7, tzinfo=UTC)
    assert written_in("America/Martinique", moment)[0].tzinfo is UTC


def test_an_entry_with_the_second_of_two_equal_local_times_is_in_utc_as_a_whole() -> None:
    first, second, later = (datetime(2027, 10, 31, hour, 30, tzinfo=UTC) for hour in (0, 1, 2))
    assert {item.tzinfo for item in written_in("Europe/Paris", first, later)} == {PARIS}
    assert {item.tzinfo for item in written_in("Europe/Paris", second, later)} == {UTC}
    assert {item.tzinfo for item in written_in("Europe/Paris", first, second)} == {UTC}
