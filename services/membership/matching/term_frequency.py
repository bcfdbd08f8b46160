"""How common a key is among all records, in the three classes that make a difference.

Final groups must depend on records and decisions alone, never on the order in which they came. So what is common is
always what is common *now*: when a record arrives, changes or goes, and a key of it thereby moves into another class,
every pair that shares this key is judged anew (by the module ``repository``). Thresholds are absolute numbers, not
shares of the whole, so that a key moves at most twice as the members grow, and never among more records than the
threshold says.

No key brings each with each of a crowd, so pairs grow with records and not with their square. What a crowd still needs
goes by **hubs**: all that share a SIREN *and* a name are compared with the first three of them by their keys, and all
that are declared to be the same as one record are compared with that record. Three, so that the others hold together
when a decision takes one or two of them out. Hubs, too, are a matter of who is there, never of who came first. A crowd
of more than ``MOST_BY_HUBS`` has none: nobody believes that one company is known that often.
"""

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias

from services.membership.matching.features import Features
from services.membership.matching.keys import (
    ADDRESS,
    BEGINNING,
    DOMAIN,
    EMAIL,
    HUBBED,
    NAME,
    NEAR,
    PHONE,
    SAME,
    SIREN,
    TWIN,
    WORD,
)
from services.membership.records.record import RecordKey


class Commonness(IntEnum):
    """``COMMON`` weighs less, or nothing; ``CROWDED`` does not even bring records together, or by hubs only."""

    RARE = 0
    COMMON = 1
    CROWDED = 2


Classes: TypeAlias = Mapping[str, Commonness]
"""By key; a key that is not there is rare."""

Hubs: TypeAlias = Mapping[str, AbstractSet[RecordKey]]
"""By crowded key of a kind that has hubs."""

HUBS: Final = 3
"""Of a crowd with one SIREN and one name."""
MOST_BY_HUBS: Final = 500
"""Records that hubs hold together. What each of them says is computed anew when one of them changes, so that of very
many one former system could make a member whose every change takes seconds. Staff are shown such a crowd."""
REPORTED: Final = (SIREN, TWIN, SAME, NAME, BEGINNING)
"""Kinds whose crowds staff are shown. Of the others, such as a word or a provider's domain, nobody expects anything;
and where many are in one postcode, names that begin alike are compared all the same."""

_COMMON_ABOVE: Final = {DOMAIN: 2, EMAIL: 3, PHONE: 3, ADDRESS: 5, NAME: 3, WORD: 6}
"""A domain of three companies is an agency's, a group's or a host's."""
_CROWDED_ABOVE: Final = {SIREN: 50, NEAR: 60, BEGINNING: 100}
"""Beyond 60 names of one postcode and first letter, five letters decide: to compare each new name with all of them is a
cost that grows with the members. Of 16,000 made-up records recall was 0.971 with 200, 60 and 40."""
_CROWDED: Final = 30
"""What more records share finds too many, and tells too little; they find each other by their rarer keys."""


def crowded_above(kind: str) -> int:
    """The largest number of records that a key of this kind brings together."""
    return _CROWDED_ABOVE.get(kind, _CROWDED)


def only_parts(key: str, before: Commonness, now: Commonness) -> bool:
    """Whether a key that moved brings fewer together than before and changes nothing else that pairs are judged by.

    A crowd is as common as a common key in what it tells. Of kinds that are never common, only crowds matter at all.
    """
    weighs_alike = before == Commonness.COMMON or key[0] not in _COMMON_ABOVE
    return now == Commonness.CROWDED and weighs_alike and key[0] not in HUBBED


def may_be_common(key: str, records: int) -> bool:
    """Whether it matters how many companies these records are of: too few cannot be common, too many are crowded."""
    return _COMMON_ABOVE.get(key[0], records) < records <= crowded_above(key[0])


def commonness(key: str, records: int, companies: int) -> Commonness:
    """The class of a key that ``records`` hold, of so many ``companies`` (:func:`companies_of`).

    Crowds are counted by records, since pairs are. What a key tells is a matter of companies: four records of one
    company in two clusters make its e-mail no less its own.
    """
    kind = key[0]
    if records > crowded_above(kind):
        return Commonness.CROWDED
    return Commonness.COMMON if companies > _COMMON_ABOVE.get(kind, companies) else Commonness.RARE


class Identity(NamedTuple):
    """What tells the companies among some records apart without judging any pair: its name, SIREN and place."""

    name: str
    siren: str | None
    place: str


def identity_of(features: Features) -> Identity:
    """Of one record, by itself."""
    return Identity(
        features.names[0].replace(" ", "") if features.names else "", features.siren, features.postcode or features.town
    )


def companies_of(key: str, holders: Iterable[Identity]) -> int:
    """How many companies hold a key, as far as can be told from each record by itself.

    Records with one SIREN are one company's, and so are those with one name. Of those that share the name as their key
    it is the place that counts: in one town they are one company's. A pure function of who holds the key, so any order
    of arrival gives the same.
    """
    by_place = key[0] == NAME
    parts: dict[str, str] = {}

    def root(node: str) -> str:
        while (above := parts.setdefault(node, node)) != node:
            node = above
        return node

    nodes: set[str] = set()
    for holder in holders:
        node = f"n:{holder.place if by_place else holder.name}"
        nodes.add(node)
        if holder.siren:
            parts[root(f"s:{holder.siren}")] = root(node)
    return len({root(node) for node in nodes})


def hubs_of(key: str, holders: Collection[RecordKey]) -> frozenset[RecordKey]:
    """Those of a crowd with whom all others are compared; nobody, for a kind that has no hubs, or for too many."""
    kind = key[0]
    if kind not in HUBBED or len(holders) > MOST_BY_HUBS:
        return frozenset()
    if kind == TWIN:
        return frozenset(sorted(holders)[:HUBS])
    return frozenset(holder for holder in holders if key == f"{SAME}:{holder}")
