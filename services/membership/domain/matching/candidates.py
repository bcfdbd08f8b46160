"""Which pairs are compared at all, and how common their keys are, for records that are all in memory.

Two records are a candidate pair when they share a key that is not crowded, or when their names are alike in one place.
The module ``recognition`` finds the same pairs in PostgreSQL; a test holds the two together.

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

from services.membership.domain.matching import trigrams
from services.membership.domain.matching.features import Features, telling_words
from services.membership.domain.matching.frequencies import Classes, Commonness, commonness
from services.membership.domain.matching.keys import DOMAIN, keys
from services.membership.domain.matching.trigrams import HIGH_THRESHOLD, THRESHOLD, mark, similar
from services.membership.domain.places import departements

Pair = tuple[Features, Features]

_BEGINNING: Final = 5
"""Letters. Half as many names of a département begin alike as by four."""
_NOWHERE: Final = ""


def are_candidates(a: Features, b: Features, classes: Classes) -> bool:
    """The rule itself, for any two records."""
    return any(classes.get(key) != Commonness.CROWDED for key in keys(a) & keys(b)) or _alike(a, b)


def _alike(a: Features, b: Features) -> bool:
    """Whether the names are similar enough for how near the two are. ``recognition._BY_NAME`` says the same in SQL.

    In one postcode or town 0.45 is enough; elsewhere in the département, or where none is known, it takes 0.6. And they
    must begin alike, by one letter in one postcode and by five elsewhere.
    """
    if not a.names or not b.names or (a.departement and b.departement and a.departement != b.departement):
        return False
    one, other = a.names[0], b.names[0]
    if a.postcode and a.postcode == b.postcode:
        return beginning(one)[0] == beginning(other)[0] and similar(one, other)
    same_town = bool(a.town) and a.town == b.town
    return beginning(one) == beginning(other) and similar(one, other, THRESHOLD if same_town else HIGH_THRESHOLD)


def beginning(name: str) -> str:
    """Five letters of the first word that is not generic, or of the name: ``LUMER`` for GROUPE LUMERINE."""
    telling = telling_words(name)
    return next((word for word in name.split() if word in telling), name)[:_BEGINNING]


def held(one: Features) -> list[int]:
    """Marks under which its name is kept: by trigrams in its postcode, by its beginning in its département."""
    if not one.names:
        return []
    name = one.names[0]
    near = trigrams.held(name, _near(one)) if one.postcode else []
    return [*near, mark(one.departement or _NOWHERE, beginning(name))]


def sought(one: Features) -> Iterator[list[int]]:
    """The marks under which names alike are kept: one list for each place in which to look."""
    if one.names:
        name = one.names[0]
        if one.postcode:
            yield trigrams.sought(name, _near(one))
        far = (one.departement,) if one.departement else departements()
        yield [mark(place, beginning(name)) for place in (_NOWHERE, *far)]


def _near(one: Features) -> str:
    return f"{one.postcode} {beginning(one.names[0])[0]}"


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
        found.update(self._with_names_alike())
        for a, b in sorted(found):
            yield self._records[a], self._records[b]

    def _with_names_alike(self) -> Iterator[tuple[int, int]]:
        """Pairs with names alike. Only those are compared that share a mark, which loses none."""
        kept: defaultdict[int, list[int]] = defaultdict(list)
        for at, one in enumerate(self._records):
            met = {other for marks in sought(one) for found in marks for other in kept.get(found, ())}
            yield from ((other, at) for other in met if _alike(self._records[other], one))
            for found in held(one):
                kept[found].append(at)
