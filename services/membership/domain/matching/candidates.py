"""Which pairs are compared at all, and how common their keys are, for records that are all in memory.

Two records are a candidate pair when they share a key that is not crowded, or when their names are similar and they
are not known to be in different départements (names alone, elsewhere, never suffice). The module
``recognition`` finds the same pairs in PostgreSQL; a test holds the two together.
"""

import math
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
        """Pairs with similar names that are not known to be far apart.

        Two sets with that much in common share one of the rarest few trigrams of each (prefix filtering, Chaudhuri et
        al. 2006), so the common ones, which nearly all names have, are never looked up.
        """
        named = [(at, one.departement, trigrams(one.names[0])) for at, one in enumerate(self._records) if one.names]
        counts = Counter(trigram for _, _, own in named for trigram in own)
        index: defaultdict[str, defaultdict[str | None, list[int]]] = defaultdict(lambda: defaultdict(list))
        for at, place, own in named:
            needed = math.ceil(THRESHOLD * len(own))
            rarest = sorted(own, key=lambda trigram: (counts[trigram], trigram))[: len(own) - needed + 1]
            met: set[int] = set()
            for trigram in rarest:
                by_place = index[trigram]
                for there in (place, None) if place else tuple(by_place):
                    met.update(by_place.get(there, ()))
                by_place[place].append(at)
            name = self._records[at].names[0]
            for other in met:
                if similar(self._records[other].names[0], name):
                    yield other, at
