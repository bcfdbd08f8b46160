"""Which records may be one company with some others: :mod:`matching.candidates` for many at once."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.matching.candidates import sought
from services.membership.matching.features import Features
from services.membership.matching.keys import everywhere, here, near
from services.membership.matching.sql.classes import Counted
from services.membership.matching.sql.columns import array, name_columns
from services.membership.matching.term_frequency import Commonness
from services.membership.matching.trigrams import HIGH_THRESHOLD, THRESHOLD, unshared
from shared.persistence.statements import fetch

# candidates.alike for many. The cheap conditions come first; that on bits is true for every name so similar. What is
# near, here and everywhere is whether that place is no crowd.
_BY_NAME = f"""
    with n as materialized (
        select record, size, bits::bit(128) as bits, departement, postcode, town, beginning, name,
               sought::int[] as sought, near, here, everywhere
        from unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                    $9::text[], $10::boolean[], $11::boolean[], $12::boolean[])
            as n (record, size, bits, departement, postcode, town, beginning, name, sought, near, here, everywhere)
    )
    select n.record, alike.records from n cross join lateral (
        select array_agg(f.record) as records from match_features f
        where f.marks && n.sought and f.record <> n.record
          and case when f.departement <> n.departement then false
                   when (n.near and f.postcode = n.postcode and left(f.beginning, 1) = left(n.beginning, 1))
                        or ((f.postcode = n.postcode or f.town = n.town) and f.beginning = n.beginning
                            and case when f.departement = n.departement then n.here else n.everywhere end)
                   then bit_count(f.bits # n.bits) <= {unshared(THRESHOLD)}::float8 * (f.size + n.size)
                        and similarity(f.name, n.name) >= {THRESHOLD}::float8
                   when f.beginning = n.beginning
                        and case when f.departement = n.departement then n.here else n.everywhere end
                   then bit_count(f.bits # n.bits) <= {unshared(HIGH_THRESHOLD)}::float8 * (f.size + n.size)
                        and similarity(f.name, n.name) >= {HIGH_THRESHOLD}::float8
                   else false end
    ) as alike
    where alike.records is not null
"""

Numbers = tuple[int, int]
"""Two records, the smaller number first."""


def both(number: int, other: int) -> Numbers:
    """In order."""
    return (number, other) if number < other else (other, number)


async def candidates_of(
    connection: AsyncConnection,
    records: Mapping[int, Features],
    counted: Counted,
    everyone: Mapping[str, set[int]],
) -> set[Numbers]:
    """All candidate pairs of some records. ``everyone`` holds the crowds whose hubs are among them."""
    return (
        _by_key(records, counted) | _by_hubs(records, counted, everyone) | await _by_name(connection, records, counted)
    )


def crowds_with_hubs_among(records: Mapping[int, Features], counted: Counted) -> set[str]:
    """Crowds of which everybody has to be looked at, since some of these records are their hubs."""
    return {key for key, hubs in counted.hubs.items() if not records.keys().isdisjoint(hubs)}


def _by_key(records: Mapping[int, Features], counted: Counted) -> set[Numbers]:
    return {
        both(record, other)
        for key, holders in counted.holders.items()
        if len(holders) > 1 and counted.classes.get(key) != Commonness.CROWDED
        for record in holders & records.keys()
        for other in holders
        if other != record
    }


def _by_hubs(records: Mapping[int, Features], counted: Counted, everyone: Mapping[str, set[int]]) -> set[Numbers]:
    result = set[Numbers]()
    for key, hubs in counted.hubs.items():
        own = counted.holders.get(key, set[int]()) & records.keys()
        result |= {both(record, hub) for record in own for hub in hubs if hub != record}
        for hub in hubs.keys() & records.keys():
            result |= {both(record, hub) for record in everyone.get(key, ()) if record != hub}
    return result


async def _by_name(connection: AsyncConnection, records: Mapping[int, Features], counted: Counted) -> set[Numbers]:
    # One row for each place: of many marks at once, most of which nobody has, the index would make heavy weather.
    asked = [
        (record, features, array(marks))
        for record, features in records.items()
        for marks in sought(features, counted.classes)
    ]
    if not asked:
        return set()
    rows = await fetch(
        connection,
        _BY_NAME,
        (
            [record for record, _, _ in asked],
            *name_columns([features for _, features, _ in asked]),
            [marks for _, _, marks in asked],
            *([_is_open(place(features), counted) for _, features, _ in asked] for place in (near, here, everywhere)),
        ),
    )
    return {both(record, other) for record, others in rows for other in others}


def _is_open(place: str | None, counted: Counted) -> bool:
    return place is not None and counted.classes.get(place) != Commonness.CROWDED
