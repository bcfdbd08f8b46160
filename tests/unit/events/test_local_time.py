"""Local times of gatherings: the two nights on which clocks change, zones, and what people write."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.events.gatherings.local_time import (
    AmbiguousTimeError,
    NonexistentTimeError,
    UnknownZoneError,
    UnreadableTimeError,
    WrongOffsetError,
    local_of,
    moment_of,
    zone_of,
)

PARIS = "Europe/Paris"


@pytest.mark.parametrize(
    ("local", "zone", "utc"),
    [
        ("2027-01-28T18:30", PARIS, "2027-01-28T17:30"),
        ("2027-07-14T09:00", PARIS, "2027-07-14T07:00"),
        ("2027-03-28T01:59", PARIS, "2027-03-28T00:59"),
        ("2027-03-28T03:00", PARIS, "2027-03-28T01:00"),
        ("2027-10-31T01:59", PARIS, "2027-10-30T23:59"),
        ("2027-10-31T03:00", PARIS, "2027-10-31T02:00"),
        ("2027-07-14T09:00", "America/Cayenne", "2027-07-14T12:00"),
        ("2027-07-14T09:00", "Asia/Kathmandu", "2027-07-14T03:15"),
        ("2027-07-14T09:00", "UTC", "2027-07-14T09:00"),
    ],
)
def test_a_local_time_names_a_moment(local: str, zone: str, utc: str) -> None:
    moment = moment_of(local, zone)
    assert moment == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("local", "zone", "nearest"),
    [
        ("2027-03-28T02:30", PARIS, ("2027-03-28T01:59", "2027-03-28T03:00")),
        ("2027-03-28T02:00", PARIS, ("2027-03-28T01:59", "2027-03-28T03:00")),
        ("2027-03-28T02:59", PARIS, ("2027-03-28T01:59", "2027-03-28T03:00")),
        ("2027-10-03T02:15", "Australia/Lord_Howe", ("2027-10-03T01:59", "2027-10-03T02:30")),
        ("2011-12-30T12:00", "Pacific/Apia", ("2011-12-29T23:59", "2011-12-31T00:00")),
    ],
)
@pytest.mark.parametrize("offset", [None, "+01:00", "+02:00"])
def test_a_time_that_clocks_skip_is_refused_with_the_nearest_ones(
    local: str, zone: str, nearest: tuple[str, str], offset: str | None
) -> None:
    with pytest.raises(NonexistentTimeError) as refused:
        moment_of(local, zone, offset)
    assert refused.value.nearest == nearest
    for text in refused.value.texts.values():
        assert all(part in text for part in (local, zone, *nearest))


def test_a_time_that_clocks_show_twice_needs_its_offset() -> None:
    with pytest.raises(AmbiguousTimeError) as refused:
        moment_of("2027-10-31T02:30", PARIS)
    assert refused.value.offsets == ("+02:00", "+01:00")
    for text in refused.value.texts.values():
        assert all(part in text for part in ("2027-10-31T02:30", PARIS, "+02:00", "+01:00"))

    assert moment_of("2027-10-31T02:30", PARIS, "+02:00") == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert moment_of("2027-10-31T02:30", PARIS, "+01:00") == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


def test_an_offset_that_the_zone_has_not_at_this_time_is_refused_with_the_right_ones() -> None:
    with pytest.raises(WrongOffsetError, match=r"écrivez \+02:00\n.*write \+02:00$"):
        moment_of("2027-07-14T09:00", PARIS, "+01:00")
    with pytest.raises(WrongOffsetError, match=r"write \+02:00 or \+01:00$"):
        moment_of("2027-10-31T02:30", PARIS, "+03:00")
    assert moment_of("2027-07-14T09:00", PARIS, "+02:00") == datetime(2027, 7, 14, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "zone",
    ["", "Paris", "Europe", "europe/paris", "../etc/passwd", "/etc/localtime", "localtime", "CET", "EST", "x" * 999],
)
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(UnknownZoneError):
        moment_of("2027-07-14T09:00", zone)


def test_a_zone_with_a_typing_error_is_refused_with_the_one_that_is_meant() -> None:
    with pytest.raises(UnknownZoneError, match="America/Cayenne"):
        zone_of("America/Cayene")


@pytest.mark.parametrize(
    "local",
    ["", "2027-02-30T10:00", "2027-13-01T10:00", "2027-07-14T24:00", "2027-07-14 09:00", "2027-07-14T09:00:00",
     "2027-07-14T09:00Z", "2027-07-14T09:00+02:00", "14/07/2027 09:00", "2027-W28-3T09:00", "0001-01-01T00:00",
     "9999-12-31T23:59", "２０２７-07-14T09:00", "2027-07-14T09:00\n"],
)  # fmt: skip
def test_a_text_that_is_no_local_time_is_refused_with_an_example(local: str) -> None:
    with pytest.raises(UnreadableTimeError, match="2027-03-28T14:30"):
        moment_of(local, PARIS)


@pytest.mark.parametrize("offset", ["", "2", "+2", "+0200", "CEST", "Z", "+02:00\n"])
def test_a_text_that_is_no_offset_is_refused(offset: str) -> None:
    with pytest.raises(UnreadableTimeError):
        moment_of("2027-07-14T09:00", PARIS, offset)


def test_a_negative_offset_with_minutes_is_read_back() -> None:
    moment = datetime(2027, 1, 10, 12, tzinfo=UTC)
    assert local_of(moment, "America/St_Johns") == ("2027-01-10T08:30", "-03:30")
    assert moment_of("2027-01-10T08:30", "America/St_Johns", "-03:30") == moment


MINUTES = st.integers(0, 60 * 24 * 366 * 30).map(lambda n: datetime(2010, 1, 1, tzinfo=UTC) + timedelta(minutes=n))


@given(moment=MINUTES, zone=st.sampled_from([PARIS, "Europe/Dublin", "Australia/Lord_Howe", "Africa/Casablanca"]))
@example(moment=datetime(2027, 10, 31, 0, 30, tzinfo=UTC), zone=PARIS)
@example(moment=datetime(2027, 10, 31, 1, 30, tzinfo=UTC), zone=PARIS)
def test_what_clocks_show_at_a_moment_names_that_moment(moment: datetime, zone: str) -> None:
    local, offset = local_of(moment, zone)
    assert moment_of(local, zone, offset) == moment


@given(minute=st.integers(0, 60 * 24 * 366), zone=st.sampled_from([PARIS, "Australia/Lord_Howe", "America/St_Johns"]))
@example(minute=86 * 1440 + 150, zone=PARIS)
@example(minute=303 * 1440 + 150, zone=PARIS)
def test_every_local_time_is_a_moment_or_refused_as_zoneinfo_has_it(minute: int, zone: str) -> None:
    naive = datetime(2027, 1, 1) + timedelta(minutes=minute)  # noqa: DTZ001
    readings = {naive.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)}
    real = {item for item in readings if item.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == naive}
    local = naive.isoformat(timespec="minutes")
    if len(real) == 1:
        assert {moment_of(local, zone)} == real
    else:
        with pytest.raises(AmbiguousTimeError if real else NonexistentTimeError):
            moment_of(local, zone)
