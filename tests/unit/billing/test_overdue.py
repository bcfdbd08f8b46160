"""Which documents are overdue, and which reminder is next."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.reminders.overdue import Claim, less_unallocated, overdue

TODAY = date(2027, 3, 1)
FORTNIGHT = timedelta(days=15)


def a_claim(number: str = "F-1", owed: str = "600.00", **different: Any) -> Claim:
    usual: dict[str, Any] = {"document_id": number, "number": number, "due_on": date(2027, 2, 1), "owed": Decimal(owed)}
    return Claim(**usual | different)


@pytest.mark.parametrize(
    ("different", "expected"),
    [
        ({}, True),
        ({"due_on": TODAY - timedelta(days=1)}, True),
        ({"due_on": TODAY}, False),
        ({"due_on": TODAY + timedelta(days=1)}, False),
        ({"owed": "0.00"}, False),
        ({"owed": "0.01"}, True),
        ({"reminders": 1, "reminded_on": TODAY - timedelta(days=14)}, False),
        ({"reminders": 1, "reminded_on": TODAY - timedelta(days=15)}, True),
        ({"reminders": 2, "reminded_on": date(2027, 1, 1)}, True),
        ({"reminders": 3, "reminded_on": date(2027, 1, 1)}, False),
    ],
)
def test_overdue_is_what_was_due_before_today_is_owed_and_was_not_reminded_of_late(
    different: dict[str, Any], expected: bool
) -> None:
    assert bool(overdue([a_claim(**different)], TODAY, FORTNIGHT)) == expected


def test_what_was_paid_without_saying_for_what_pays_the_oldest_first() -> None:
    claims = [
        a_claim("F-2", "300.00", due_on=date(2027, 1, 5)),
        a_claim("F-1", "600.00", due_on=date(2026, 1, 5)),
        a_claim("F-3", "100.00", due_on=date(2027, 2, 5)),
    ]
    left = less_unallocated(claims, Decimal("750.00"))
    assert [(claim.number, claim.owed) for claim in left] == [
        ("F-1", Decimal("0.00")), ("F-2", Decimal("150.00")), ("F-3", Decimal("100.00"))
    ]  # fmt: skip


def test_what_is_free_below_nothing_takes_nothing_off() -> None:
    [left] = less_unallocated([a_claim()], Decimal("-300.00"))
    assert left.owed == Decimal("600.00")


@given(
    owed=st.lists(st.decimals(0, 1_000, places=2), max_size=5),
    free=st.decimals(-1_000, 5_000, places=2),
)
def test_free_money_is_taken_off_just_once(owed: list[Decimal], free: Decimal) -> None:
    claims = [a_claim(f"F-{n}", str(amount)) for n, amount in enumerate(owed)]
    left = less_unallocated(claims, free)
    assert all(Decimal() <= claim.owed <= amount for claim, amount in zip(left, owed, strict=True))
    assert sum(claim.owed for claim in left) == max(sum(owed) - max(free, Decimal()), Decimal())
