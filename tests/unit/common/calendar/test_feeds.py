"""Feeds: what is in them, and what must not be."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from services.common.calendar.feed import feed
from tests.support.calendars import PARSERS, ShownCalendar, an_entry

reading = pytest.mark.parametrize("read", PARSERS.values(), ids=PARSERS)
Read = Callable[[bytes], ShownCalendar]


@reading
def test_a_feed_shows_all_entries_by_time_and_cancelled_ones_as_cancelled(read: Read) -> None:
    entries = [
        an_entry(uid="b", status="cancelled", sequence=3),
        an_entry(uid="c", starts_at=datetime(2027, 2, 1, 8, tzinfo=UTC), ends_at=None, zone="Indian/Reunion"),
        an_entry(uid="a", status="tentative"),
    ]
    calendar = read(feed("Agenda, Clust'R", entries))
    assert [(event.uid, event.status, event.sequence) for event in calendar.events] == [
        ("a", "TENTATIVE", 0),
        ("b", "CANCELLED", 3),
        ("c", "CONFIRMED", 0),
    ]
    assert calendar.events[2].starts_at == datetime(2027, 2, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize("personal", [True, False])
def test_a_feed_asks_for_nothing_names_nobody_and_rings_nowhere(personal: bool) -> None:
    text = feed("Agenda", [an_entry()], personal=personal)
    assert not any(word in text for word in (b"METHOD", b"ATTENDEE", b"ORGANIZER", b"VALARM", b"mailto"))


def test_only_a_personal_feed_says_how_to_join() -> None:
    entry = an_entry(place=None, page_url=None, join_url="https://visio.example/secret", description="Bonjour")
    assert b"secret" not in feed("Agenda", [entry])
    assert feed("Agenda", [entry], personal=True).count(b"https://visio.example/secret") == 4


@reading
def test_a_feed_of_nothing_is_a_calendar(read: Read) -> None:
    assert read(feed("Agenda", [])) == ShownCalendar(method=None, events=())


def test_the_same_entries_make_the_same_bytes_in_whatever_order() -> None:
    entries = [an_entry(uid=uid) for uid in "abc"]
    assert feed("Agenda", entries) == feed("Agenda", reversed(entries))


def test_a_feed_says_its_name_and_how_often_to_read_it() -> None:
    lines = feed("Agenda\r\nMETHOD:REQUEST, Clust'R", []).split(b"\r\n")
    assert b"X-WR-CALNAME:Agenda METHOD:REQUEST\\, Clust'R" in lines
    assert {b"REFRESH-INTERVAL;VALUE=DURATION:PT6H", b"X-PUBLISHED-TTL:PT6H"} <= set(lines)
