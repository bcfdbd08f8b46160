"""The series of numbers of former systems, as they are proved when one is taken over."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.documents.former_series import former_series
from tests.support.examples import examples


def test_a_series_of_a_year_has_first_last_and_what_is_missing() -> None:
    [series] = former_series(["F2026-0003", "F2026-0001", "F2026-0006", "F2026-0003"])
    assert (series.series, series.first, series.last, series.count) == ("F2026-…", "F2026-0001", "F2026-0006", 4)
    assert series.missing == ("F2026-0002", "F2026-0004", "F2026-0005")
    assert (series.missing_count, series.duplicates) == (3, ("F2026-0003",))


def test_digits_that_are_too_many_for_a_count_are_a_name() -> None:
    """A former system may write anything: the answer is JSON all the same."""
    bar_code = "F-" + "9" * 60
    by_first = {each.first: each for each in former_series([bar_code, "F-1", "F-999999999999999", "F-1"])}
    assert by_first[bar_code].missing_count == 0
    counted = by_first["F-1"]
    assert (counted.missing_count, len(counted.missing), counted.duplicates) == (10**15 - 3, 1_000, ("F-1",))


def test_a_count_that_goes_on_over_months_is_one_series_and_its_gaps_are_seen_between_them() -> None:
    [series] = former_series(["FA2601-0001", "FA2601-0002", "FA2602-0004", "FA2603-0005"])
    assert (series.series, series.first, series.last) == ("FA0000-…", "FA2601-0001", "FA2603-0005")
    assert series.missing == ("FA2601-0003",)


def test_a_count_that_begins_again_each_year_is_a_series_for_each() -> None:
    both = former_series(["F2025-0001", "F2025-0002", "F2026-0001", "F2026-0003"])
    assert [(each.series, each.missing) for each in both] == [("F2025-…", ()), ("F2026-…", ("F2026-0002",))]


def test_kinds_are_told_apart_by_their_letters_and_what_has_no_digits_is_by_itself() -> None:
    names = [each.series for each in former_series(["AV-1", "FA-1", "FA-2", "sans"])]
    assert names == ["AV-…", "FA-…", "sans…"]


def test_a_thousand_missing_numbers_are_named_and_all_are_counted() -> None:
    [series] = former_series(["7", "90007"])
    assert (len(series.missing), series.missing_count) == (1000, 89999)


@settings(max_examples=examples(100))
@given(st.sets(st.integers(1, 300), min_size=2), st.sets(st.integers(1, 300)))
def test_count_and_missing_are_all_places_between_first_and_last(places: set[int], others: set[int]) -> None:
    numbers = [f"F-{n:04}" for n in places] + [f"A-{n:04}" for n in others]
    [of_f] = [each for each in former_series(numbers) if each.series == "F-…"]
    assert of_f.count + of_f.missing_count == max(places) - min(places) + 1
    assert {int(number[2:]) for number in of_f.missing} == {*range(min(places), max(places))} - places


@pytest.mark.parametrize("number", ["", "(PROV12)", "2026/12/0001 bis"])
def test_any_text_is_a_number(number: str) -> None:
    [series] = former_series([number])
    assert (series.first, series.count, series.missing_count) == (number, 1, 0)
