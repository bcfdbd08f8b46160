"""Keys that more records share than are compared with each other: who their hubs are, and what staff are shown of them.

All of it depends on which records there are, and never on the order in which they came.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.matching import term_frequency as frequencies
from services.membership.matching.keys import HUBBED, SAME, TWIN
from services.membership.matching.term_frequency import HUBS, REPORTED, Commonness, crowded_above
from services.membership.records.record import RecordKey
from shared.persistence.statements import execute, fetch, fetch_column

# Of a crowd with one SIREN and one name, the first few by their keys, in the order in which Python sorts text; of those
# declared to be the same as a record, that record; of too many, nobody. See term_frequency.hubs_of.
_HUBS = f"""
    select n.key, hub.record, hub.cluster, hub.record_id from unnest($1::text[]) as n (key)
    cross join lateral (
        (select f.record, f.cluster, f.record_id from match_keys m join match_features f using (record)
         where left(n.key, 1) = '{TWIN}' and m.key = n.key
         order by f.cluster collate "C", f.record_id collate "C" limit {HUBS})
        union all
        (select f.record, f.cluster, f.record_id from match_features f
         where left(n.key, 1) = '{SAME}'
           and f.cluster = split_part(substr(n.key, 3), '/', 1)
           and f.record_id = substr(n.key, 4 + length(split_part(substr(n.key, 3), '/', 1))))
    ) as hub
    where (select count(*) from (select from match_keys m where m.key = n.key limit $2::int + 1) as met) <= $2::int
"""
_CROWDED = """
    select n.key from unnest($1::text[], $2::int[]) as n (key, most)
    where (select count(*) from (select from match_keys m where m.key = n.key limit n.most + 1) as met) > n.most
"""
_ALL_HOLDERS = "select key, array_agg(record) from match_keys where key = any($1::text[]) group by key"
_LINKED_HOLDERS = """
    select key, array_agg(record) from match_keys m
    where key = any($1::text[]) and not exists (select from match_pending p where p.record = m.record)
    group by key
"""
_APPEAR = "insert into match_crowds (key) select unnest($1::text[]) on conflict do nothing"
_DISAPPEAR = "delete from match_crowds where key = any($1::text[])"

Hubs = Mapping[str, Mapping[int, RecordKey]]
"""By crowded key: the hubs' numbers in ``match_features``, and their keys."""


async def hubs(connection: AsyncConnection, classes: Mapping[str, Commonness], keys: Iterable[str]) -> Hubs:
    """The hubs of those keys that are crowded and have any."""
    asked = sorted(key for key in keys if key[0] in HUBBED and classes.get(key) == Commonness.CROWDED)
    result: dict[str, dict[int, RecordKey]] = {key: {} for key in asked}
    if asked:
        rows = await fetch(connection, _HUBS, (asked, frequencies.MOST_BY_HUBS))
        for key, record, cluster, record_id in rows:
            result[key][record] = RecordKey(cluster, record_id)
    return result


async def crowded_places(connection: AsyncConnection, asked: Collection[str]) -> set[str]:
    """Those of these keys that more records hold than are compared. Of a place nothing else matters."""
    if not asked:
        return set()
    return set(await fetch_column(connection, _CROWDED, (list(asked), [crowded_above(key[0]) for key in asked])))


async def all_holders(connection: AsyncConnection, keys: Collection[str]) -> dict[str, set[int]]:
    """Everyone who holds these keys, however many."""
    if not keys:
        return {}
    rows = await fetch(connection, _ALL_HOLDERS, (sorted(keys),))
    return {key: set(records) for key, records in rows}


async def linked_holders(connection: AsyncConnection, keys: Collection[str]) -> dict[str, set[int]]:
    """Those who hold these keys and are linked already: who is pending judges its own pairs."""
    if not keys:
        return {}
    rows = await fetch(connection, _LINKED_HOLDERS, (sorted(keys),))
    return {key: set(records) for key, records in rows}


async def remember(
    connection: AsyncConnection, before: Mapping[str, Commonness], now: Mapping[str, Commonness]
) -> None:
    """Keep which crowds there are, for those who review."""
    crowded, crowded_before = (
        {key for key, class_ in classes.items() if class_ == Commonness.CROWDED and key[0] in REPORTED}
        for classes in (now, before)
    )
    if appeared := sorted(crowded - crowded_before):
        await execute(connection, _APPEAR, (appeared,))
    if removed := sorted(crowded_before - crowded):
        await execute(connection, _DISAPPEAR, (removed,))
