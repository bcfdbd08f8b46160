"""How many people registered and came: in all, by cluster and by département, each person once.

A person who registered twice, through two clusters or for two sessions, is one person. In the total it counts once,
and in each of its clusters once: so clusters may add up to more than the total. Members are counted in the same way.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.events.translated import Language

_HAD_A_PLACE: Final = frozenset({"registered", "attended", "absent"})
NOTE: Final[Mapping[Language, str]] = {
    "fr": "Chaque personne est comptée une fois au total et une fois dans chacun de ses clusters : leur somme peut "
    "dépasser le total.",
    "en": "Each person counts once in the total and once in each of their clusters: these may add up to more than "
    "the total.",
}
"""Shown wherever the counts are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """One registration, or one person who came without.

    ``person`` is the same text for the same person, such as the member and the address: an address alone may be shared
    by colleagues. None is somebody whose name was not taken, and counts as one more. ``member`` is None for guests.
    ``state`` is ``attended`` for those who came, else that of the registration; ``clusters`` are all of the member's.
    """

    person: str | None
    member: str | None = None
    clusters: frozenset[str] = frozenset()
    departement: str | None = None
    state: str
    walk_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Headcount:
    """People who had a place before, people who came, those of them who came without, and members who came."""

    registered: int = 0
    attended: int = 0
    walk_ins: int = 0
    members: int = 0

    @property
    def absent(self) -> int:
        """People who had a place and did not come; true once the gathering is over."""
        return self.registered - (self.attended - self.walk_ins)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headcounts:
    """The counts. Under None: people without a cluster, or whose département is not known."""

    total: Headcount
    by_cluster: Mapping[str | None, Headcount]
    by_departement: Mapping[str | None, Headcount]


def headcounts_of(attendees: Iterable[Attendee]) -> Headcounts:
    """The counts of these rows, in whatever order they come."""
    people = _people(attendees)
    return Headcounts(
        total=_count(people),
        by_cluster=_counts((cluster, person) for person in people for cluster in person.clusters or (None,)),
        by_departement=_counts((place, person) for person in people for place in person.departements or (None,)),
    )


@dataclass(slots=True)
class _Person:
    registered: bool = False
    attended: bool = False
    members: set[str] = field(default_factory=set[str])
    clusters: set[str] = field(default_factory=set[str])
    departements: set[str] = field(default_factory=set[str])

    def add(self, row: Attendee) -> None:
        self.registered |= row.state in _HAD_A_PLACE and not row.walk_in
        self.attended |= row.state == "attended"
        self.members |= _known(row.member)
        self.clusters |= row.clusters
        self.departements |= _known(row.departement)


def _known(name: str | None) -> set[str]:
    return set() if name is None else {name}


def _people(attendees: Iterable[Attendee]) -> list[_Person]:
    known = defaultdict[str, _Person](_Person)
    unnamed: list[_Person] = []
    for row in attendees:
        if row.person is None:
            unnamed.append(person := _Person())
        else:
            person = known[row.person]
        person.add(row)
    return [person for person in (*known.values(), *unnamed) if person.registered or person.attended]


def _counts(pairs: Iterable[tuple[str | None, _Person]]) -> dict[str | None, Headcount]:
    groups = defaultdict[str | None, list[_Person]](list)
    for name, person in pairs:
        groups[name].append(person)
    return {name: _count(groups[name]) for name in sorted(groups, key=lambda name: (name is None, name or ""))}


def _count(people: Iterable[_Person]) -> Headcount:
    people = list(people)
    came = [person for person in people if person.attended]
    return Headcount(
        registered=sum(person.registered for person in people),
        attended=len(came),
        walk_ins=sum(not person.registered for person in came),
        members=len({member for person in came for member in person.members}),
    )
