"""How common keys are: counted now, and as it was when pairs were last judged by it.

A class that pairs were judged by is a row. Records are published before they are linked, so a count may move at any
moment; but who links has the turn, compares its count with the row, and judges all pairs of a key whose row moves.
A row is never deleted: its revision tells those who looked before that it moved, even if it moved back.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.matching.features import Features
from services.membership.matching.keys import PLACES, keys
from services.membership.matching.sql import crowds
from services.membership.matching.sql.columns import array
from services.membership.matching.term_frequency import (
    Commonness,
    Identity,
    commonness,
    companies_of,
    crowded_above,
    identity_of,
    may_be_common,
)
from shared.persistence.statements import execute, fetch

# What one record alone holds brings nobody together: whoever counts knows their own records.
_HOLDERS = """
    select n.key, met.records from unnest($1::text[], $2::int[]) as n (key, most)
    cross join lateral (
        select count(*) as number, case when count(*) <= n.most then array_agg(m.record) end as records
        from (select m.record from match_keys m where m.key = n.key limit n.most + 1) as m
    ) as met
    where met.number > 1
"""
_IDENTITIES = """
    select record, replace(name, ' ', ''), features->>'siren', coalesce(postcode, town, '') from match_features
    where record = any($1::bigint[])
"""
_JUDGED = "select key, class, hubs, revision from match_classes where key = any($1::text[])"
_JUDGE = """
    insert into match_classes (key, class, hubs, revision)
    select key, class, hubs::bigint[], $4::bigint from unnest($1::text[], $2::int[], $3::text[]) as n (key, class, hubs)
    on conflict (key) do update set class = excluded.class, hubs = excluded.hubs, revision = excluded.revision
"""
_NOBODY: Final[frozenset[int]] = frozenset()


class KeyClass(NamedTuple):
    """What makes a difference of a key: its class, and whom a crowd is compared with, by number."""

    commonness: Commonness = Commonness.RARE
    hubs: frozenset[int] = _NOBODY


RARE: Final = KeyClass()


@dataclass(frozen=True, slots=True)
class Counted:
    """Keys of some records as they are now.

    ``holders`` are all of them, and of a crowd those records alone; none of ``PLACES``.
    """

    holders: dict[str, set[int]]
    classes: dict[str, Commonness]
    hubs: crowds.Hubs

    def of(self, key: str) -> KeyClass:
        """One key."""
        hubs = self.hubs.get(key)
        return KeyClass(self.classes.get(key, Commonness.RARE), frozenset(hubs) if hubs else _NOBODY)

    def moved(self, before: Mapping[str, "Judged"]) -> dict[str, KeyClass]:
        """What is not as pairs were judged by; ``before`` holds all rows of these keys."""
        now = {key: self.of(key) for key in {*self.classes, *self.hubs, *before}}
        return {key: value for key, value in now.items() if value != judged_by(before, key)}

    def but_for(self, keys: Collection[str], later: "Counted") -> "Counted":
        """The same, but for some keys that were counted later."""
        return Counted(
            {key: value for key, value in self.holders.items() if key not in keys} | later.holders,
            {key: value for key, value in self.classes.items() if key not in keys} | later.classes,
            {key: value for key, value in self.hubs.items() if key not in keys} | {**later.hubs},
        )


class Judged(NamedTuple):
    """What pairs that share a key were judged by, and the revision since when."""

    by: KeyClass
    revision: int


def judged_by(rows: Mapping[str, Judged], key: str) -> KeyClass:
    """By which class pairs that share a key were judged; one without a row was always rare."""
    return rows[key].by if key in rows else RARE


async def count(connection: AsyncConnection, moving: Iterable[str], own: Mapping[int, Features]) -> Counted:
    """Count keys; ``own`` are the records, by number, that are looked for: each is among the holders of its keys."""
    asked = sorted(moving)
    among = frozenset(asked)
    listed = [key for key in asked if key[0] not in PLACES]
    holders, crowded = await _holders(connection, listed)
    for number, features in own.items():
        for key in keys(features) & among:
            if key[0] not in PLACES:
                holders.setdefault(key, set()).add(number)
    crowded |= await crowds.crowded_places(connection, [key for key in asked if key[0] in PLACES])
    identities = {number: identity_of(features) for number, features in own.items()}
    few = {key: records for key, records in holders.items() if key not in crowded}
    classes = await _classes(connection, few, identities) | dict.fromkeys(crowded, Commonness.CROWDED)
    return Counted(holders, classes, await crowds.hubs(connection, classes, asked))


async def judged(connection: AsyncConnection, moving: Collection[str]) -> dict[str, Judged]:
    """What pairs of these keys were judged by; a key that is not there was always rare."""
    rows = await fetch(connection, _JUDGED, (sorted(moving),))
    return {key: Judged(KeyClass(Commonness(value), frozenset(hubs)), revision) for key, value, hubs, revision in rows}


async def judge(connection: AsyncConnection, moved: Mapping[str, KeyClass], revision: int) -> None:
    """Write down what pairs of these keys are judged by from now on."""
    if moved:
        listed = sorted(moved)
        classes, hubs = (
            [int(moved[key].commonness) for key in listed],
            [array(sorted(moved[key].hubs)) for key in listed],
        )
        await execute(connection, _JUDGE, (listed, classes, hubs, revision))


async def _holders(connection: AsyncConnection, asked: Collection[str]) -> tuple[dict[str, set[int]], set[str]]:
    """Who holds these keys, and which of them are crowded.

    Nobody of a crowd is read: as crowds appear, each record would cost more.
    """
    most = [crowded_above(key[0]) for key in asked]
    rows = await fetch(connection, _HOLDERS, (list(asked), most))
    holders = {key: set(records) for key, records in rows if records is not None}
    return holders, {key for key, records in rows if records is None}


async def _classes(
    connection: AsyncConnection, holders: Mapping[str, Collection[int]], own: Mapping[int, Identity]
) -> dict[str, Commonness]:
    """The classes of keys that are not rare. ``own`` are the identities of some records; else the table's."""
    doubtful = {key: records for key, records in holders.items() if may_be_common(key, len(records))}
    known = dict(own)
    if wanted := sorted({record for records in doubtful.values() for record in records} - known.keys()):
        rows = await fetch(connection, _IDENTITIES, (wanted,))
        known.update({record: Identity(name, siren, place) for record, name, siren, place in rows})

    def companies(key: str) -> int:
        # One that was withdrawn between the two statements counts no more.
        return (
            companies_of(key, (known[record] for record in doubtful[key] if record in known)) if key in doubtful else 0
        )

    classes = {key: commonness(key, len(records), companies(key)) for key, records in holders.items()}
    return {key: value for key, value in classes.items() if value != Commonness.RARE}
