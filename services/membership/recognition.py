"""Which records may be one company, in PostgreSQL: :mod:`domain.matching.candidates` for a whole batch at once.

Order of arrival must not show, though how common a key is changes with every record. So a batch is followed by two
questions: which pairs do the changed records make now, and which keys moved into another class of commonness by it?
The pairs that share such a key are judged anew as well. After any batch, what is stored is therefore what judging all
records from scratch would give; a test shuffles batches and compares with :class:`candidates.Candidates`.

The caller holds the turn to consolidate (one writer at a time) and the transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.domain.matching.candidates import Pair, are_candidates
from services.membership.domain.matching.features import Features, as_json, from_json
from services.membership.domain.matching.frequencies import Commonness, commonness, crowded_above
from services.membership.domain.matching.keys import DOMAIN, keys
from services.membership.domain.matching.levels import Levels
from services.membership.domain.matching.score import Judgement, judge
from services.membership.domain.matching.trigrams import THRESHOLD
from services.membership.domain.matching.weights import Weights
from services.membership.domain.records import RecordKey
from services.membership.tables import match_features, match_keys, match_pairs, metadata

_SIMILARITY = "select set_config('pg_trgm.similarity_threshold', $1, true)"
_OLD_KEYS = """
    select distinct m.key from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join match_keys m using (cluster, record_id)
"""
_COUNTS = """
    select n.key, held.records from unnest($1::text[], $2::int[]) as n (key, most)
    cross join lateral (
        select count(*) as records from (select from match_keys m where m.key = n.key limit n.most + 1) as met
    ) as held
    where held.records > 1
"""
_NAMES = """
    select m.key, count(distinct f.name) from match_keys m join match_features f using (cluster, record_id)
    where m.key = any($1::text[]) group by m.key
"""
_FORGET = """
    with gone as (select * from unnest($1::text[], $2::text[]) as n (cluster, record_id)),
    keys as (delete from match_keys m using gone g where m.cluster = g.cluster and m.record_id = g.record_id)
    delete from match_features f using gone g where f.cluster = g.cluster and f.record_id = g.record_id
"""
_REMEMBER = """
    insert into match_features (cluster, record_id, name, departement, features)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[])
"""
_REMEMBER_KEYS = """
    insert into match_keys (key, cluster, record_id) select * from unnest($1::text[], $2::text[], $3::text[])
"""
_BY_KEY = """
    select n.cluster, n.record_id, m.cluster, m.record_id
    from unnest($1::text[], $2::text[], $3::text[]) as n (key, cluster, record_id)
    join match_keys m on m.key = n.key
    where (m.cluster, m.record_id) <> (n.cluster, n.record_id)
"""
_BY_NAME = """
    select n.cluster, n.record_id, f.cluster, f.record_id
    from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n (cluster, record_id, name, departement)
    cross join lateral (
        select f.cluster, f.record_id from match_features f
        where f.name % n.name and (f.departement is null or n.departement is null or f.departement = n.departement)
    ) as f
    where n.name <> '' and (f.cluster, f.record_id) <> (n.cluster, n.record_id)
"""
_HOLDERS = "select key, cluster, record_id from match_keys where key = any($1::text[])"
_FEATURES = """
    select f.cluster, f.record_id, f.features
    from unnest($1::text[], $2::text[]) as n (cluster, record_id) join match_features f using (cluster, record_id)
"""
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
_DROP_PAIRS = """
    delete from match_pairs p
    using unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n (ac, ar, bc, br)
    where p.a_cluster = n.ac and p.a_record_id = n.ar and p.b_cluster = n.bc and p.b_record_id = n.br
    returning p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id
"""
_KEEP_PAIRS = """
    insert into match_pairs
        (a_cluster, a_record_id, b_cluster, b_record_id, score, verdict, refused, levels, weights)
    select ac, ar, bc, br, score, verdict, refused, string_to_array(levels, ' ', '-'), $9::int
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::real[], $6::text[], $7::text[], $8::text[])
        as n (ac, ar, bc, br, score, verdict, refused, levels)
"""
_KEPT = """
    select a_cluster, a_record_id, b_cluster, b_record_id, score, verdict, refused, levels from match_pairs
    where verdict = any($1::text[])
"""


@dataclass(slots=True)
class Found:
    """Pairs to judge, each once, and the classes to judge them with. ``lapsed`` pairs are no candidates any more."""

    pairs: list[Pair]
    classes: dict[str, Commonness]
    lapsed: list[tuple[RecordKey, RecordKey]] = field(default_factory=list)


async def make_private_tables(connection: AsyncConnection) -> None:
    """Empty tables of recognition for this session alone, in front of any that the database has."""
    await connection.exec_driver_sql("create extension if not exists pg_trgm")
    await connection.exec_driver_sql("set local search_path to pg_temp, public")
    await connection.run_sync(metadata.create_all, [match_features, match_keys, match_pairs], checkfirst=False)


async def recognise(
    connection: AsyncConnection, changed: Sequence[Features], removed: Collection[RecordKey], weights: Weights
) -> set[RecordKey]:
    """Bring keys, features and judged pairs up to date with records that are new, changed or gone.

    Returns the records whose groups may be others now: the changed ones, and all that a changed pair has.
    """
    gone = sorted({one.key for one in changed} | set(removed))
    crossed = await remember(connection, changed, gone)
    found = await candidates(connection, changed, crossed)
    dropped = await connection.exec_driver_sql(_DROP_PAIRS_OF, _columns(gone))
    touched = {*gone, *_ends(dropped)}
    judgements = [judge(a, b, found.classes, weights) for a, b in found.pairs]
    again = [(one.a, one.b) for one in judgements] + found.lapsed
    touched |= set(_ends(await connection.exec_driver_sql(_DROP_PAIRS, _four(again))))
    kept = [one for one in judgements if one.verdict != "apart"]
    if kept:
        await connection.exec_driver_sql(_KEEP_PAIRS, _pair_columns(kept, weights.version))
    return touched | {key for one in kept for key in (one.a, one.b)}


async def remember(connection: AsyncConnection, changed: Sequence[Features], gone: Sequence[RecordKey]) -> set[str]:
    """Store keys and features of changed records in place of those of ``gone``; the keys whose class that changed."""
    held = {one: keys(one) for one in changed}
    old = {row[0] for row in await connection.exec_driver_sql(_OLD_KEYS, _columns(gone))}
    moving = sorted(old.union(*held.values()))
    before = await classes_of(connection, moving)
    await connection.exec_driver_sql(_FORGET, _columns(gone))
    if changed:
        await connection.exec_driver_sql(
            _REMEMBER,
            (
                *_columns(one.key for one in changed),
                [one.names[0] if one.names else "" for one in changed],
                [one.departement for one in changed],
                [orjson.dumps(as_json(one)).decode() for one in changed],
            ),
        )
        rows = [(key, one.key) for one, own in held.items() for key in sorted(own)]
        await connection.exec_driver_sql(_REMEMBER_KEYS, ([key for key, _ in rows], *_columns(r for _, r in rows)))
    after = await classes_of(connection, moving)
    return {key for key in moving if before.get(key) != after.get(key)}


async def candidates(connection: AsyncConnection, changed: Sequence[Features], crossed: Iterable[str] = ()) -> Found:
    """The candidate pairs of changed records, which are stored already, and those that share a key in ``crossed``."""
    known = {one.key: one for one in changed}
    holders: dict[str, list[RecordKey]] = {}
    for key, cluster, record_id in await connection.exec_driver_sql(_HOLDERS, (sorted(crossed),)):
        holders.setdefault(key, []).append(RecordKey(cluster, record_id))
    await _load(connection, known, {key for keys_ in holders.values() for key in keys_})
    classes = await classes_of(connection, sorted(set[str]().union(*map(keys, known.values()))))
    found = await _found(connection, changed, classes)
    await _load(connection, known, {key for pair in found for key in pair})
    pairs = [(known[a], known[b]) for a, b in sorted(found)]
    lapsed: list[tuple[RecordKey, RecordKey]] = []
    fresh = {one.key for one in changed}
    again = {pair for records in holders.values() for pair in combinations(sorted(records), 2)}
    for a, b in sorted(pair for pair in again if fresh.isdisjoint(pair)):
        if are_candidates(known[a], known[b], classes):
            pairs.append((known[a], known[b]))
        else:
            lapsed.append((a, b))
    return Found(pairs, classes, lapsed)


async def _found(
    connection: AsyncConnection, changed: Sequence[Features], classes: Mapping[str, Commonness]
) -> set[tuple[RecordKey, RecordKey]]:
    asked = [(key, one.key) for one in changed for key in sorted(keys(one)) if classes.get(key) != Commonness.CROWDED]
    by_key = await connection.exec_driver_sql(_BY_KEY, ([key for key, _ in asked], *_columns(r for _, r in asked)))
    await connection.exec_driver_sql(_SIMILARITY, (str(THRESHOLD),))
    by_name = await connection.exec_driver_sql(
        _BY_NAME,
        (
            *_columns(one.key for one in changed),
            [one.names[0] if one.names else "" for one in changed],
            [one.departement for one in changed],
        ),
    )
    return {
        (one, other) if one < other else (other, one)
        for rows in (by_key, by_name)
        for one, other in ((RecordKey(row[0], row[1]), RecordKey(row[2], row[3])) for row in rows)
    }


async def classes_of(connection: AsyncConnection, asked: Sequence[str]) -> dict[str, Commonness]:
    """The classes of those keys that are not rare. No count goes further than it must."""
    rows = await connection.exec_driver_sql(_COUNTS, (list(asked), [crowded_above(key[0]) for key in asked]))
    counts: dict[str, int] = dict(tuple(row) for row in rows)
    domains = [key for key, records in counts.items() if key[0] == DOMAIN and records <= crowded_above(DOMAIN)]
    named = await connection.exec_driver_sql(_NAMES, (domains,)) if domains else ()
    names: dict[str, int] = dict(tuple(row) for row in named)
    classes = {key: commonness(key, records, names.get(key, 1)) for key, records in counts.items()}
    return {key: found for key, found in classes.items() if found != Commonness.RARE}


async def kept_pairs(connection: AsyncConnection, verdicts: Collection[str] = ("auto", "review")) -> list[Judgement]:
    """The stored judgements, in the order of their keys."""
    rows = await connection.exec_driver_sql(_KEPT, (sorted(verdicts),))
    return sorted(
        Judgement(RecordKey(ac, ar), RecordKey(bc, br), round(score, 2), verdict, refused, Levels(*levels))
        for ac, ar, bc, br, score, verdict, refused, levels in rows
    )


async def _load(connection: AsyncConnection, known: dict[RecordKey, Features], wanted: Collection[RecordKey]) -> None:
    missing = sorted(set(wanted) - known.keys())
    if not missing:
        return
    for cluster, record_id, document in await connection.exec_driver_sql(_FEATURES, _columns(missing)):
        key = RecordKey(cluster, record_id)
        stored = from_json(key, orjson.loads(document) if isinstance(document, str | bytes) else document)
        if stored is None:
            raise LookupError(f"the features of {key} are of another version: compute those of all records anew")
        known[key] = stored


def _pair_columns(judgements: Sequence[Judgement], version: int) -> tuple[Any, ...]:
    return (
        *_four((one.a, one.b) for one in judgements),
        [one.score for one in judgements],
        [one.verdict for one in judgements],
        [one.refused for one in judgements],
        [" ".join(level or "-" for level in one.levels) for one in judgements],
        version,
    )


def _ends(rows: Iterable[Any]) -> Iterable[RecordKey]:
    for ac, ar, bc, br in rows:
        yield RecordKey(ac, ar)
        yield RecordKey(bc, br)


def _columns(records: Iterable[RecordKey]) -> tuple[list[str], list[str]]:
    listed = list(records)
    return [key.cluster for key in listed], [key.record_id for key in listed]


def _four(pairs: Iterable[tuple[RecordKey, RecordKey]]) -> tuple[list[str], list[str], list[str], list[str]]:
    listed = list(pairs)
    return *_columns(a for a, _ in listed), *_columns(b for _, b in listed)
