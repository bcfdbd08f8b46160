"""Which pairs are compared at all, and how common their keys are, for records that are all in memory.

Two records are a candidate pair when they share a key that is not crowded, or when their names are similar and they
are not known to be in different départements (names alone, elsewhere, never suffice). :mod:`stored` finds the same
pairs in PostgreSQL; a test holds the two together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from services.membership.domain.matching.features import Features
from services.membership.domain.matching.frequencies import Classes, Commonness, commonness
from services.membership.domain.matching.keys import DOMAIN, keys
from services.membership.domain.matching.trigrams import THRESHOLD, similar, trigrams

Pair = tuple[Features, Features]


def are_candidates(a: Features, b: Features, classes: Classes) -> bool:
    """The rule itself, for any two records."""
    return any(classes.get(key) != Commonness.CROWDED for key in keys(a) & keys(b)) or _alike(a, b)


def _alike(a: Features, b: Features) -> bool:
    if not a.names or not b.names or (a.departement and b.departement and a.departement != b.departement):
        return False
    return similar(a.names[0], b.names[0])


class Candidates:
    """All candidate pairs among some records, each once, with its records in the order of their keys."""

    def __init__(self, records: Iterable[Features]) -> None:
        self._records: Sequence[Features] = sorted(records, key=lambda one: one.key)
        self._holders: defaultdict[str, list[int]] = defaultdict(list)
        for at, one in enumerate(self._records):
            for key in keys(one):
                self._holders[key].append(at)
        self.classes: dict[str, Commonness] = {}
        for key, holders in self._holders.items():
            found = commonness(key, len(holders), self._names(holders) if key[0] == DOMAIN else 0)
            if found != Commonness.RARE:
                self.classes[key] = found

    def _names(self, holders: Sequence[int]) -> int:
        return len({self._records[at].names[:1] for at in holders})

    def pairs(self) -> Iterator[Pair]:
        """In order, so that what follows is the same each time."""
        found: set[tuple[int, int]] = set()
        for key, holders in self._holders.items():
            if len(holders) > 1 and self.classes.get(key) != Commonness.CROWDED:
                found.update(combinations(holders, 2))
        found.update(self._similar())
        for a, b in sorted(found):
            yield self._records[a], self._records[b]

    def _similar(self) -> Iterator[tuple[int, int]]:
        """Pairs with similar names, each record against those before it that hold one of its trigrams."""
        by_place: defaultdict[str | None, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for at, one in enumerate(self._records):
            if not one.names:
                continue
            own = trigrams(one.names[0])
            places = [one.departement, None] if one.departement else list(by_place)
            shared: Counter[int] = Counter()
            for place in places:
                if (index := by_place.get(place)) is not None:
                    for trigram in own:
                        if trigram in index:
                            shared.update(index[trigram])
            for other, count in shared.items():
                theirs = len(trigrams(self._records[other].names[0]))
                if count >= THRESHOLD * (len(own) + theirs - count):
                    yield other, at
            for trigram in own:
                by_place[one.departement][trigram].append(at)
