"""What a member owes: the invariants, against a naive second implementation."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.dues.case import Case
from services.billing.dues.owed import owed
from services.billing.money import euros, part_of, to_cents
from tests.support.dues import CASES
from tests.support.examples import examples
from tests.support.naive_dues import covered_days, naively_owed


def days(item_days: tuple[tuple[int, int], ...]) -> set[date]:
    return {date.fromordinal(n) for first, last in item_days for n in range(first, last + 1)}


@settings(max_examples=examples(400), deadline=None)
@given(CASES)
def test_a_naive_implementation_comes_to_the_same(case: Case) -> None:
    ours = {item.key: (euros(item.cents), days(item.days)) for item in owed(case) if item.lines}
    assert ours == {key: (item.amount, set(item.days)) for key, item in naively_owed(case).items()}


@settings(max_examples=examples(300), deadline=None)
@given(CASES)
def test_no_day_is_charged_twice_nor_one_that_a_former_system_billed(case: Case) -> None:
    seen = covered_days(case)
    for item in owed(case):
        charged = days(item.days)
        assert not charged & seen
        seen |= charged


@settings(max_examples=examples(300), deadline=None)
@given(CASES, st.randoms())
def test_the_order_of_records_covers_and_decisions_does_not_matter(case: Case, random: Random) -> None:
    def shuffled(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(items, len(items)))

    other = replace(
        case,
        records=shuffled(case.records),
        covers=shuffled(case.covers),
        decisions=shuffled(case.decisions),
    )
    assert owed(other) == owed(case)


@settings(max_examples=examples(300), deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([1, 4, 12, 365]))
def test_parts_of_a_whole_add_up_to_the_cent(cents: int, units: int) -> None:
    parts = [part_of(cents, place, units) for place in range(units)]
    assert sum(parts) == cents
    assert max(parts) - min(parts) <= 1


def test_cents_are_rounded_half_up_and_not_half_to_even() -> None:
    assert [to_cents(Decimal(text)) for text in ("0.125", "0.135", "-0.125", "1000.004")] == [13, 14, -13, 100_000]
    assert [euros(part_of(100_000, place, 12)) for place in range(3)] == [
        Decimal(t) for t in ("83.33", "83.34", "83.33")
    ]
