"""A number over time as a line of an SVG."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.console.trend import HEIGHT, WIDTH, Reading, line_of
from tests.support.present import present

UNTIL = datetime(2026, 11, 30, 12, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=100)
BOTTOM, TOP = HEIGHT - 6, 6


def a_reading(days_ago, number):
    return Reading(UNTIL - timedelta(days=days_ago), number)


def test_nothing_read_is_no_line():
    assert line_of([], SINCE, UNTIL) is None
    assert line_of([a_reading(101, 3), a_reading(-1, 3)], SINCE, UNTIL) is None


def test_a_number_stays_until_the_next_reading():
    line = present(line_of([a_reading(0, 0), a_reading(50, 4), a_reading(100, 2)], SINCE, UNTIL))

    assert line.path == f"M0 60H500V{TOP}H1000V{BOTTOM}H{WIDTH}"
    assert line.dots == f"M0 60h0M500 {TOP}h0M1000 {BOTTOM}h0"
    assert (line.most, line.first.number, line.last.number) == (4, 2, 0)


def test_one_reading_is_a_level_line_to_the_right_edge():
    assert present(line_of([a_reading(20, 7)], SINCE, UNTIL)).path == f"M800 {TOP}H{WIDTH}"


def test_nothing_but_zero_lies_at_the_bottom():
    line = present(line_of([a_reading(90, 0), a_reading(10, 0)], SINCE, UNTIL))

    assert (line.path, line.most) == (f"M100 {BOTTOM}H900V{BOTTOM}H{WIDTH}", 0)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 10**7)), min_size=1, max_size=40))
def test_a_line_stays_in_its_picture_and_goes_only_to_the_right(read):
    line = present(line_of([a_reading(days, number) for days, number in read], SINCE, UNTIL))

    across = [int(x) for x in re.findall(r"[MH](\d+)", line.path)]
    up = [int(y) for y in re.findall(r"(?:V|M\d+ )(\d+)", line.path)]
    assert across == sorted(across)
    assert across[-1] == WIDTH
    assert all(TOP <= y <= BOTTOM for y in up)
    assert line.dots.count("M") == len(read)
