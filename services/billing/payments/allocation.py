"""How money is spread over documents, and taken off them again: pure, in euros."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal


class ImpossibleAllocationError(ValueError):
    """More was asked for than is free or owed; the message says how much there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A document that can be paid, and what is owed on it."""

    document_id: str
    number: str
    owed: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a payment pays of a document."""

    allocation_id: str
    payment_id: str
    document_id: str
    amount: Decimal


def spread(free: Decimal, asked: Iterable[tuple[Claim, Decimal | None]]) -> list[tuple[Claim, Decimal]]:
    """How much each document gets, in order; without an amount as much as is free and owed.

    Raises ImpossibleAllocationError.
    """
    parts: list[tuple[Claim, Decimal]] = []
    for claim, wanted in asked:
        if free <= 0:
            raise ImpossibleAllocationError(f"nothing of the payment is free for {claim.number}")
        amount = min(free, claim.owed) if wanted is None else wanted
        if claim.owed <= 0:
            raise ImpossibleAllocationError(f"nothing is owed on {claim.number}")
        if not 0 < amount <= claim.owed:
            raise ImpossibleAllocationError(f"{amount} of {claim.owed} € that are owed on {claim.number}")
        if amount > free:
            raise ImpossibleAllocationError(f"{amount} € for {claim.number}, and {free} € are free of the payment")
        free -= amount
        parts.append((claim, amount))
    return parts


def released(excess: Decimal, newest_first: Sequence[Allocation]) -> tuple[list[Allocation], Decimal]:
    """Which allocations of a document are undone so that ``excess`` is free, and how much of the last one stays."""
    undone: list[Allocation] = []
    for allocation in newest_first:
        if excess <= 0:
            break
        undone.append(allocation)
        excess -= allocation.amount
    return undone, -excess
