"""How money is spread over documents, and taken off them: nothing appears, and nothing is lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.money import euros
from services.billing.payments.allocation import (
    Allocation,
    Claim,
    ImpossibleAllocationError,
    released,
    spread,
)

CENTS = st.integers(min_value=1, max_value=100_000)


def claims(*owed: int) -> list[Claim]:
    return [Claim(document_id=f"d{n}", number=f"F-{n}", owed=euros(cents)) for n, cents in enumerate(owed)]


def allocations(*amounts: int) -> list[Allocation]:
    return [Allocation(f"a{n}", "p", "d", euros(cents)) for n, cents in enumerate(amounts)]


@given(free=CENTS, owed=st.lists(CENTS, min_size=1, max_size=5))
def test_without_amounts_documents_are_paid_in_order_until_nothing_is_free(free: int, owed: list[int]) -> None:
    asked = [(claim, None) for claim in claims(*owed)]
    if free <= sum(owed[:-1]):
        with pytest.raises(ImpossibleAllocationError, match="nothing of the payment is free for F-"):
            spread(euros(free), asked)
        return
    parts = spread(euros(free), asked)
    assert sum(amount for _, amount in parts) == min(euros(free), euros(sum(owed)))
    assert all(amount == claim.owed for claim, amount in parts[:-1])


@pytest.mark.parametrize(
    ("amount", "words"), [("10.01", "10.01 of 10.00 € that are owed on F-0"), ("5.01", "5.01 € for F-0, and 5.00 €")]
)
def test_what_is_asked_above_what_is_owed_or_free_is_refused(amount: str, words: str) -> None:
    with pytest.raises(ImpossibleAllocationError, match=words):
        spread(Decimal("5.00"), [(claims(1000)[0], Decimal(amount))])


def test_what_is_owed_nothing_takes_nothing() -> None:
    for owed in (0, -100):
        with pytest.raises(ImpossibleAllocationError, match="nothing is owed on F-0"):
            spread(Decimal("5.00"), [(claims(owed)[0], None)])


@given(amounts=st.lists(CENTS, min_size=1, max_size=5), data=st.data())
def test_just_the_excess_is_released_from_the_newest_on(amounts: list[int], data: st.DataObject) -> None:
    excess = data.draw(st.integers(min_value=1, max_value=sum(amounts)))
    undone, stays = released(euros(excess), allocations(*amounts))
    assert undone == allocations(*amounts)[: len(undone)]
    assert sum(each.amount for each in undone) - stays == euros(excess)
    assert 0 <= stays < undone[-1].amount
