"""All that decides what one member owes for one period: records, cover, decisions, and prices fixed before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, NamedTuple

from schemas.billing_grids import Grid
from services.billing.dues.days import Range
from services.billing.fees.pricing import Criteria, Price

DecisionKind = Literal["exempt", "one-bill", "extension", "release", "remit", "credit"]
DECISIONS: Final[Mapping[DecisionKind, str]] = {
    "exempt": "the record owes nothing for periods that begin within its days",
    "one-bill": "the record is billed first, so that what it covers is free for the member's other records",
    "extension": "what was paid twice counts later: cover of this record begins after what it overlaps",
    "release": "the record owes nothing after its last day, whatever the statutes say of who resigns",
    "remit": "so much less for one period: a gift",
    "credit": "so much less for one period: money that the member had paid before",
}
"""What each kind of decision does."""


class Key(NamedTuple):
    """A source record: its cluster, and its id there."""

    cluster: str
    record_id: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.record_id}"


class Record(NamedTuple):
    """A source record as dues go by it. ``since`` None: for ever. ``ended`` is the last day, or None."""

    key: Key
    since: date | None
    ended: date | None
    criteria: Criteria
    exempt: str = ""
    """Why its former system says that it owes nothing; empty if it does not say so."""


class Cover(NamedTuple):
    """Days for which a former system billed a record, or was paid; ``source`` names where it says so."""

    key: Key
    days: Range
    source: str


class Decision(NamedTuple):
    """What staff decided about a record, in force. ``first`` and ``last`` are days; ``cents`` of a remit or credit.

    ``line`` is the code of the only line that is lowered; empty: from the first line on.
    """

    decision_id: str
    kind: DecisionKind
    key: Key
    reason: str
    first: date | None = None
    last: date | None = None
    cents: int = 0
    line: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One member and one period. ``frozen`` holds the prices at which records were billed for this period before.

    ``later`` are the grids that follow within the period, by day: who joins from that day on pays their prices. All
    other rules are those of the grid in force on the first day.
    """

    records: tuple[Record, ...]
    covers: tuple[Cover, ...]
    decisions: tuple[Decision, ...]
    grid: Grid
    first: date
    frozen: Mapping[Key, Price] = field(default_factory=dict[Key, Price])
    later: tuple[Grid, ...] = ()

    def grid_of(self, record: Record) -> Grid:
        """The grid by which a record is charged, unless its price is fixed."""
        return grid_in_force(self.grid, self.later, record.since)


def grid_in_force(first: Grid, later: Sequence[Grid], since: date | None) -> Grid:
    """The grid in force on the first day, or that of the day of joining within the period."""
    joined = since or date.min
    return next((grid for grid in reversed(later) if grid.valid_from <= joined), first)
