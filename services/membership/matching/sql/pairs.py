"""Judged pairs: those that stay apart are not kept."""

from asyncio import to_thread
from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.matching.levels import Levels
from services.membership.matching.score import Judgement
from services.membership.matching.sql.columns import columns, ends, pair_columns, records_of, slices
from services.membership.matching.weights import Weights
from services.membership.records.record import RecordKey
from shared.persistence.statements import execute, fetch

_DROP_PAIRS_OF = """
    with gone as (select * from unnest($1::text[], $2::text[]) as n (cluster, record_id)),
    dropped as (
        delete from match_pairs p using gone g
        where (p.a_cluster, p.a_record_id) = (g.cluster, g.record_id)
        returning p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id
    ), dropped_too as (
        delete from match_pairs p using gone g
        where (p.b_cluster, p.b_record_id) = (g.cluster, g.record_id)
          and (p.a_cluster, p.a_record_id) not in (select cluster, record_id from gone)
        returning p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id
    )
    select * from dropped union all select * from dropped_too
"""
_KEPT_AMONG = """
    select a.record, b.record from unnest($1::text[]) as n (key)
    join match_keys m on m.key = n.key
    join match_features a on a.record = m.record
    join match_pairs p on p.a_cluster = a.cluster and p.a_record_id = a.record_id
    join match_features b on b.cluster = p.b_cluster and b.record_id = p.b_record_id
    join match_keys other on other.key = n.key and other.record = b.record
"""
_DROP_PAIRS = """
    delete from match_pairs p
    using unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n (ac, ar, bc, br)
    where p.a_cluster = n.ac and p.a_record_id = n.ar and p.b_cluster = n.bc and p.b_record_id = n.br
    returning p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id
"""
# Two that looked at the same moment find their pair both; the judgement is the same, unless a class moved since.
_KEEP_PAIRS = """
    insert into match_pairs
        (a_cluster, a_record_id, b_cluster, b_record_id, score, verdict, refused, levels, weights)
    select ac, ar, bc, br, score, verdict, refused, string_to_array(levels, ' ', '-'), $9::int
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::real[], $6::text[], $7::text[], $8::text[])
        as n (ac, ar, bc, br, score, verdict, refused, levels)
    on conflict (a_cluster, a_record_id, b_cluster, b_record_id) do update
    set score = excluded.score, verdict = excluded.verdict, refused = excluded.refused, levels = excluded.levels,
        weights = excluded.weights
"""
_KEPT = """
    select a_cluster, a_record_id, b_cluster, b_record_id, score, verdict, refused, levels from match_pairs
    where verdict = any($1::text[])
"""


async def drop(
    connection: AsyncConnection, records: Sequence[RecordKey], pairs: Sequence[tuple[RecordKey, RecordKey]]
) -> set[RecordKey]:
    """Drop all pairs of some records, and some pairs of others; returns the records of what was dropped."""
    touched = set[RecordKey]()
    if records:
        dropped = await fetch(connection, _DROP_PAIRS_OF, columns(records))
        touched |= await to_thread(set[RecordKey], records_of(dropped))
    for some in slices(pairs):
        touched |= set(records_of(await fetch(connection, _DROP_PAIRS, ends(some))))
    return touched


async def keep(connection: AsyncConnection, judgements: Sequence[Judgement], weights: Weights) -> None:
    """Write judgements, each pair once."""
    for some in slices(judgements):
        await execute(connection, _KEEP_PAIRS, pair_columns(some, weights.version))


async def kept_among(connection: AsyncConnection, keys: Collection[str]) -> set[tuple[int, int]]:
    """Kept pairs of which both records hold one of these keys, by their numbers, the smaller first."""
    if not keys:
        return set()
    rows = await fetch(connection, _KEPT_AMONG, (sorted(keys),))
    return {(min(a, b), max(a, b)) for a, b in rows}


async def kept(connection: AsyncConnection, verdicts: Collection[str] = ("auto", "review")) -> list[Judgement]:
    """The stored judgements, in the order of their keys."""
    rows = await fetch(connection, _KEPT, (sorted(verdicts),))
    return sorted(
        Judgement(RecordKey(ac, ar), RecordKey(bc, br), round(score, 2), verdict, refused, Levels(*levels))
        for ac, ar, bc, br, score, verdict, refused, levels in rows
    )
