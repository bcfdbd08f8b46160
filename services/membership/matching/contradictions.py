"""What one member may not hold together: two valid SIRENs that differ, or a pair that staff rejected."""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Final, Literal, NamedTuple

from services.membership.matching.disjoint_sets import Union
from services.membership.records.record import RecordKey

SHOWN: Final = 200
"""Pairs whose SIRENs differ, of one contested group: twice 200 records would be 40,000, which nobody reads."""

Pair = tuple[RecordKey, RecordKey]


class Contradiction(NamedTuple):
    """Two records that one member may not hold."""

    a: RecordKey
    b: RecordKey
    kind: Literal["sirens-differ", "rejected"]


class Contradictions:
    """Which of some connected records one member may not hold together.

    Many records of two SIRENs are as many contradictions as the two numbers multiplied, so none is written down.
    """

    def __init__(
        self,
        records: Sequence[RecordKey],
        sirens: Mapping[RecordKey, str | None],
        rejected: Iterable[Pair],
        confirmed: Iterable[Pair],
    ) -> None:
        self.records = records
        places = {key: at for at, key in enumerate(records)}
        self._rejected = sorted((places[a], places[b]) for a, b in rejected)
        self._sirens = [sirens[key] for key in records]
        # What staff joined by their own links, knowing both numbers, is no contradiction any more.
        joined = Union[int]()
        for a, b in confirmed:
            joined.join(places[a], places[b])
        self._joined = [joined.root(at) for at in range(len(records))]

    def pairs(self, part: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Those among a part of the records, both by place and in order; a pair may come twice."""
        within = set(part)
        rejected = (pair for pair in self._rejected if within.issuperset(pair))
        yield from merge(rejected, self._of_two_sirens(part))

    def shown(self) -> list[Contradiction]:
        """What staff see of them: all rejected pairs, and the first ``SHOWN`` pairs whose SIRENs differ."""
        key = self.records
        shown = [Contradiction(key[a], key[b], "rejected") for a, b in self._rejected]
        of_two_sirens = islice(self._of_two_sirens(range(len(key))), SHOWN)
        return sorted([*shown, *(Contradiction(key[a], key[b], "sirens-differ") for a, b in of_two_sirens)])

    def _of_two_sirens(self, part: Sequence[int]) -> Iterator[tuple[int, int]]:
        holders: defaultdict[str, list[int]] = defaultdict(list)
        for at in part:
            if number := self._sirens[at]:
                holders[number].append(at)
        if len(holders) < 2:
            return
        for a in part:
            if own := self._sirens[a]:
                others = (holder[bisect(holder, a) :] for number, holder in holders.items() if number != own)
                yield from ((a, b) for b in merge(*others) if self._joined[a] != self._joined[b])
