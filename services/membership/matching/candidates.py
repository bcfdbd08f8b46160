"""Which pairs are compared at all, and how common their keys are, for records that are all in memory.

Two records are a candidate pair when they share a key that is not crowded, or whose hub one of them is, or when their
names are alike in one place that is not crowded.
The module ``repository`` finds the same pairs in PostgreSQL; a test holds the two together.

The farther apart two are, the more alike their names have to be, else every record of a large département would be met.
Little is lost. Where only the département agrees, two that share no key start at -1.96 bits (prior and ``departement``
of weights 1), and there only a slip, or a name that a crowd has, reaches the threshold for review (-2.0) without other
evidence. Of 31,000 pairs of demo members and 190 of public declarations with names over 0.45 in one département, and
nothing else in common, none was one company.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Final

from services.membership.matching import trigrams
from services.membership.matching.features import Features
from services.membership.matching.keys import PLACES, beginning, everywhere, here, keys, near
from services.membership.matching.term_frequency import (
    Classes,
    Commonness,
    Hubs,
    commonness,
    companies_of,
    hubs_of,
    identity_of,
    may_be_common,
)
from services.membership.matching.trigrams import HIGH_THRESHOLD, THRESHOLD, mark, similar
from services.membership.normalisation.places import departements
from services.membership.records.record import RecordKey

Pair = tuple[Features, Features]

_NOWHERE: Final = ""
_NOBODY: Final[frozenset[RecordKey]] = frozenset()


def are_candidates(a: Features, b: Features, classes: Classes, hubs: Hubs) -> bool:
    """The rule itself, for any two records."""
    return any(_meet(key, a, b, classes, hubs) for key in keys(a) & keys(b)) or alike(a, b, classes)


def _meet(key: str, a: Features, b: Features, classes: Classes, hubs: Hubs) -> bool:
    if key[0] in PLACES:
        return False
    return classes.get(key) != Commonness.CROWDED or not hubs.get(key, _NOBODY).isdisjoint((a.key, b.key))


def alike(a: Features, b: Features, classes: Classes) -> bool:
    """Whether the names are similar enough for how near the two are. ``repository._BY_NAME`` says the same in SQL.

    In one postcode or town 0.45 is enough; elsewhere in the département, or where none is known, it takes 0.6. And they
    must begin alike, by one letter in one postcode and by five elsewhere.

    Where many begin with one letter in one postcode, it takes five there as well. Where many begin alike even so, in
    the département or in all of them, nobody is compared for the name alone: else a thousand alike were a million
    pairs.
    """
    if not a.names or not b.names or (a.departement and b.departement and a.departement != b.departement):
        return False
    name, other = a.names[0], b.names[0]
    same_postcode = bool(a.postcode) and a.postcode == b.postcode
    if same_postcode and beginning(name)[0] == beginning(other)[0] and not _is_crowd(near(a), classes):
        return similar(name, other)
    if beginning(name) != beginning(other):
        return False
    if _is_crowd(here(a) if a.departement and b.departement else everywhere(a), classes):
        return False
    same_town = bool(a.town) and a.town == b.town
    return similar(name, other, THRESHOLD if same_town or same_postcode else HIGH_THRESHOLD)


def _is_crowd(key: str | None, classes: Classes) -> bool:
    return key is not None and classes.get(key) == Commonness.CROWDED


def held(features: Features) -> list[int]:
    """Marks under which its name is kept: by trigrams in its postcode, by its beginning in its département."""
    if not features.names:
        return []
    name = features.names[0]
    near = trigrams.held(name, _near(features)) if features.postcode else []
    return [*near, mark(features.departement or _NOWHERE, beginning(name))]


def sought(features: Features, classes: Classes) -> Iterator[list[int]]:
    """The marks under which names alike are kept: one list for each place in which to look, crowds left out."""
    if not features.names:
        return
    name = features.names[0]
    if features.postcode and not _is_crowd(near(features), classes):
        yield trigrams.sought(name, _near(features))
    far = (
        []
        if _is_crowd(everywhere(features), classes)
        else [_NOWHERE, *(() if features.departement else departements())]
    )
    if features.departement and not _is_crowd(here(features), classes):
        far.append(features.departement)
    if far:
        yield [mark(place, beginning(name)) for place in far]


def _near(features: Features) -> str:
    return f"{features.postcode} {beginning(features.names[0])[0]}"


class Candidates:
    """All candidate pairs among some records, each once, with its records in the order of their keys."""

    def __init__(self, records: Iterable[Features]) -> None:
        self._records: Sequence[Features] = sorted(records, key=lambda record: record.key)
        self._holders: defaultdict[str, list[int]] = defaultdict(list)
        for at, record in enumerate(self._records):
            for key in keys(record):
                self._holders[key].append(at)
        self.classes: dict[str, Commonness] = {}
        self.hubs: dict[str, frozenset[RecordKey]] = {}
        for key, holders in self._holders.items():
            result = commonness(key, len(holders), self._companies(key, holders))
            if result != Commonness.RARE:
                self.classes[key] = result
            if result == Commonness.CROWDED and (hubs := hubs_of(key, [self._records[at].key for at in holders])):
                self.hubs[key] = hubs

    def _companies(self, key: str, holders: Sequence[int]) -> int:
        if not may_be_common(key, len(holders)):
            return 0
        return companies_of(key, (identity_of(self._records[at]) for at in holders))

    def pairs(self) -> Iterator[Pair]:
        """In order, so that what follows is the same each time."""
        result: set[tuple[int, int]] = set()
        for key, holders in self._holders.items():
            if len(holders) > 1 and key[0] not in PLACES:
                crowded = self.classes.get(key) == Commonness.CROWDED
                result.update(self._by_hubs(key, holders) if crowded else combinations(holders, 2))
        result.update(self._with_names_alike())
        for a, b in sorted(result):
            yield self._records[a], self._records[b]

    def _by_hubs(self, key: str, holders: Sequence[int]) -> Iterator[tuple[int, int]]:
        hubs = self.hubs.get(key, _NOBODY)
        for hub in (at for at in holders if self._records[at].key in hubs):
            yield from ((min(hub, at), max(hub, at)) for at in holders if at != hub)

    def _with_names_alike(self) -> Iterator[tuple[int, int]]:
        """Pairs with names alike. Only those are compared that share a mark, which loses none."""
        kept: defaultdict[int, list[int]] = defaultdict(list)
        for at, record in enumerate(self._records):
            marks = {result for some in sought(record, self.classes) for result in some}
            met = {other for mark in marks for other in kept.get(mark, ())}
            yield from ((other, at) for other in met if alike(self._records[other], record, self.classes))
            for result in held(record):
                kept[result].append(at)
