"""Texts in calendars: whatever people write is read back by both parsers, and lines stay within the limit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.calendar.entry import Mailbox
from services.common.calendar.feed import feed
from services.common.calendar.invitation import request
from services.common.calendar.texts import lines_of, one_line
from tests.support.calendars import GUEST, ORGANIZER, PARSERS, an_entry

PIECES = st.sampled_from(
    [*'\r\n;,\\:"é', "\r\n", "\\n", "\\N", "^n", "👩‍💻", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "e\u0301", "\u00a0", "\u202f", "\u2028"]
)
TEXT = st.lists(st.one_of(PIECES, st.text(st.characters(), max_size=20)), max_size=30).map("".join)


def folded(text: bytes) -> bool:
    lines = text.split(b"\r\n")
    return all(len(line) <= 75 and b"\r" not in line and b"\n" not in line for line in lines)


@settings(deadline=None)
@given(title=TEXT, description=TEXT, place=TEXT)
def test_texts_are_read_back_by_both_parsers(title: str, description: str, place: str) -> None:
    entry = an_entry(title=title, description=description, place=place)
    text = request(entry, ORGANIZER, GUEST).text.encode()

    assert folded(text)
    for read in PARSERS.values():
        (event,) = read(text).events
        assert event.summary == one_line(title)
        assert event.location == (one_line(place) or None)
        assert event.description == (lines_of(description) or None)


@settings(deadline=None)
@given(name=TEXT)
def test_a_guest_s_name_changes_nothing_but_itself(name: str) -> None:
    text = request(an_entry(), ORGANIZER, Mailbox(name, GUEST.address)).text.encode()
    assert folded(text)
    for read in PARSERS.values():
        (event,) = read(text).events
        assert (event.attendees, event.organizer) == (("mailto:lea.martin@example.org",), f"mailto:{ORGANIZER.address}")


@settings(deadline=None)
@given(name=TEXT, title=TEXT)
def test_a_feed_s_name_adds_no_event(name: str, title: str) -> None:
    text = feed(name, [an_entry(title=title)])
    assert folded(text)
    assert [len(read(text).events) for read in PARSERS.values()] == [1, 1]


@pytest.mark.parametrize(
    ("text", "line", "lines"),
    [
        ("A\r\nB\rC\nD", "A B C D", "A\nB\nC\nD"),
        ("A\x00\x0b\x1b[31mB\x85C", "A[31mBC", "A[31mBC"),
        ("A\u2028B\u2029C", "A B C", "A\nB\nC"),
        (" A \t B ", "A B", "A \t B"),
        ("👩‍💻 \ud83d", "👩‍💻", "👩‍💻"),
        ("n" * 300, "n" * 300, "n" * 300),
    ],
)
def test_control_characters_are_left_out_and_lines_end_in_the_same_way(text: str, line: str, lines: str) -> None:
    assert one_line(text) == line
    assert lines_of(text) == lines
