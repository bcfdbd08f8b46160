"""Which documents are overdue, and which reminder is next: pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

MOST_REMINDERS: Final = 3
"""After the third a person decides what comes next: formal notice is a letter of its own."""
_NOTHING: Final = Decimal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A document that somebody owes. ``owed`` is what credit notes and payments left of it.

    ``reminders`` is how often it was reminded, ``reminded_on`` when last.
    """

    document_id: str
    number: str
    due_on: date
    owed: Decimal
    reminders: int = 0
    reminded_on: date | None = None


def less_unallocated(claims: Iterable[Claim], free: Decimal) -> list[Claim]:
    """The claims of one member, less ``free``, which it paid without saying for what: the oldest first.

    Source: art. 1342-10 C. civ.
    """
    ordered = sorted(claims, key=lambda claim: (claim.due_on, claim.number))
    left: list[Claim] = []
    for claim in ordered:
        taken = min(max(free, _NOTHING), claim.owed)
        free -= taken
        left.append(replace(claim, owed=claim.owed - taken))
    return left


def overdue(claims: Iterable[Claim], today: date, every: timedelta) -> Sequence[Claim]:
    """Those to remind of today: due before today, owed, and not reminded within ``every``; three times at the most."""
    return [
        claim
        for claim in claims
        if claim.due_on < today
        and claim.owed > 0
        and claim.reminders < MOST_REMINDERS
        and (claim.reminded_on is None or today - claim.reminded_on >= every)
    ]
