"""Which records may be one company, in PostgreSQL: :mod:`candidates` for a whole batch at once.

Order of arrival must not show, though how common a key is changes with every record. So a batch is followed by two
questions: which pairs do the changed records make now, and which keys moved into another class of commonness by it?
The pairs that share such a key are judged anew as well. After any batch, what is stored is therefore what judging all
records from scratch would give; a test shuffles batches and compares with :class:`candidates.Candidates`.

Whoever asks the service for something meanwhile must not wait for it: pairs are judged in a thread, and written in
slices.

The caller holds the turn to consolidate (one writer at a time) and the transaction.
"""

from asyncio import to_thread
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import Any, Final, NamedTuple, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.matching import crowds
from services.membership.matching.candidates import Pair, alike, are_candidates, held, sought
from services.membership.matching.features import VERSION, Features, as_json, from_json
from services.membership.matching.keys import PLACES, beginning, everywhere, here, keys, near
from services.membership.matching.levels import Levels
from services.membership.matching.score import Judge, Judgement
from services.membership.matching.tables import matching_tables
from services.membership.matching.term_frequency import (
    Commonness,
    Hubs,
    Identity,
    commonness,
    companies_of,
    crowded_above,
    identity_of,
    may_be_common,
)
from services.membership.matching.trigrams import HIGH_THRESHOLD, THRESHOLD, bitmap, trigrams, unshared
from services.membership.matching.weights import Weights
from services.membership.records.record import RecordKey
from shared.messaging.failures import NotReady
from shared.persistence.batches import columns_of
from shared.persistence.database import rows_of

BATCH: Final = 1_000
"""Records that are recognised at once when all are."""
_SLICE: Final = 2_000
"""Pairs that are written at once."""
_LIST: Final = "\x1f"
"""Between the keys of a record on their way to an array; no key holds it."""
_NO_CROWDS: Final[Mapping[str, Commonness]] = {}
_T = TypeVar("_T")

# One row at least, so that it always says whether what is stored was made by the versions given; null if nothing is.
_STORED = """
    select s.features = $3::int and s.weights = $4::int, f.record, f.cluster, f.record_id, f.keys,
           f.features::text
    from (values (true)) as once (id) left join match_state s using (id)
    left join (
        unnest($1::text[], $2::text[]) as n (cluster, record_id) join match_features f using (cluster, record_id)
    ) on true
"""
_HOLDERS = """
    select n.key, met.records from unnest($1::text[], $2::int[]) as n (key, most)
    cross join lateral (
        select array_agg(m.record) as records
        from (select m.record from match_keys m where m.key = n.key limit n.most) as m
    ) as met
    where met.records is not null
"""
_IDENTITIES = """
    select record, replace(name, ' ', ''), features->>'siren', coalesce(postcode, town, '') from match_features
    where record = any($1::bigint[])
"""
_FORGET_KEYS = """
    delete from match_keys m using unnest($1::text[], $2::bigint[]) as n (key, record)
    where m.key = n.key and m.record = n.record
"""
_FORGET = "delete from match_features where record = any($1::bigint[])"
_REMEMBER = """
    with state as (
        insert into match_state (features, weights) values ($13::int, $14::int) on conflict do nothing
    ), kept as (
        insert into match_features as held
            (cluster, record_id, size, bits, departement, postcode, town, beginning, name, marks, keys, features)
        select cluster, record_id, size, bits::bit(128), departement, postcode, town, beginning, name, marks::int[],
               string_to_array(keys, chr(31)), features
        from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                    $9::text[], $10::text[], $11::text[], $12::json[])
            as n (cluster, record_id, size, bits, departement, postcode, town, beginning, name, marks, keys, features)
        on conflict (cluster, record_id) do update
        set size = excluded.size, bits = excluded.bits, departement = excluded.departement,
            postcode = excluded.postcode, town = excluded.town, beginning = excluded.beginning, name = excluded.name,
            marks = excluded.marks, keys = excluded.keys, features = excluded.features
        returning record, cluster, record_id, keys
    ), keys as (
        insert into match_keys (key, record) select unnest(keys), record from kept
    )
    select record, cluster, record_id from kept
"""
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
_LOAD = "select record, cluster, record_id, features::text from match_features where record = any($1::bigint[])"
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
_STATE = "select coalesce((select features = $1::int and weights = $2::int from match_state), true)"


class StaleRecognitionError(NotReady):
    """What is recognised was computed by another version of the program or its weights: run traboule rebuild."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class _Stored(NamedTuple):
    """What is held of a record before this batch."""

    record: int
    key: RecordKey
    keys: tuple[str, ...]
    features: str


@dataclass(slots=True)
class Remembered:
    """A batch as it was stored. Records go by their numbers in ``match_features``."""

    changed: dict[int, Features]
    stored: dict[RecordKey, _Stored]
    holders: dict[str, set[int]]
    """By key of these records, now and before; as many holders as matter, when it is crowded; none of ``PLACES``."""
    classes: dict[str, Commonness]
    crossed: set[str]
    """Keys that moved into another class."""
    hubs: crowds.Hubs
    """Of those keys that are crowded."""
    moved: list[crowds.Moved]


@dataclass(slots=True)
class Found:
    """Pairs to judge, each once and in no order, and the classes to judge them with."""

    pairs: list[Pair]
    classes: dict[str, Commonness]
    again: list[tuple[RecordKey, RecordKey]] = field(default_factory=list)
    """Pairs that were judged before, for a key of theirs moved; those among ``pairs``, and those that lapsed."""


async def make_private_tables(connection: AsyncConnection) -> None:
    """Empty tables of recognition for this session alone, in front of any that the database has."""
    await connection.exec_driver_sql("create extension if not exists pg_trgm")
    await connection.exec_driver_sql("set local search_path to pg_temp, public")
    private = sa.MetaData()
    matching_tables(private)
    await connection.run_sync(private.create_all, checkfirst=False)


async def is_current(connection: AsyncConnection, weights: Weights) -> bool:
    """Whether what is stored was made by this program with these weights; if not, :func:`rebuild` must run first."""
    return bool((await connection.exec_driver_sql(_STATE, (VERSION, weights.version))).scalar_one())


async def rebuild(connection: AsyncConnection, records: Iterable[Features], weights: Weights) -> int:
    """Forget everything and recognise all records; how many they were.

    Who reads features or keys meanwhile waits; pairs can be read as they were until the transaction ends.
    """
    await connection.exec_driver_sql("truncate match_state, match_features, match_keys, match_crowds")
    await connection.exec_driver_sql("delete from match_pairs")
    await connection.exec_driver_sql("insert into match_state (features, weights) values ($1, $2)", _versions(weights))
    count = 0
    for batch in _batches(records):
        await recognise(connection, batch, [], weights)
        count += len(batch)
    return count


async def recognise(
    connection: AsyncConnection, changed: Sequence[Features], removed: Collection[RecordKey], weights: Weights
) -> set[RecordKey]:
    """Bring keys, features and judged pairs up to date with records that are new, changed or gone.

    Returns the records whose groups may be others now: the changed ones, and all that a changed pair has.
    """
    batch = await remember(connection, changed, removed, weights)
    touched = {features.key for features in changed}.union(removed)
    result = await candidates(connection, batch)
    kept = await to_thread(judge_all, result, weights)
    touched |= await _drop(connection, sorted(batch.stored), result.again)
    await _keep(connection, kept, weights)
    return await to_thread(touched.union, (key for judgement in kept for key in (judgement.a, judgement.b)))


def judge_all(result: Found, weights: Weights) -> list[Judgement]:
    """The judgements that are kept: of pairs that do not stay apart."""
    judge = Judge(weights)
    judged = (judge.unless_apart(a, b, result.classes) for a, b in result.pairs)
    return [judgement for judgement in judged if judgement is not None]


async def _drop(
    connection: AsyncConnection, removed: Sequence[RecordKey], again: Sequence[tuple[RecordKey, RecordKey]]
) -> set[RecordKey]:
    """Drop all pairs of some records, and those that were judged again; the records of what was dropped."""
    touched = set[RecordKey]()
    if removed:
        dropped = rows_of(await connection.exec_driver_sql(_DROP_PAIRS_OF, _columns(removed)))
        touched |= await to_thread(set[RecordKey], _ends(dropped))
    for some in _slices(again):
        touched |= set(_ends(await connection.exec_driver_sql(_DROP_PAIRS, _four(some))))
    return touched


async def _keep(connection: AsyncConnection, kept: Sequence[Judgement], weights: Weights) -> None:
    for some in _slices(kept):
        await connection.exec_driver_sql(_KEEP_PAIRS, _pair_columns(some, weights.version))


# --- keys and how common they are ----------------------------------------------------------------------------------


async def remember(
    connection: AsyncConnection, changed: Sequence[Features], removed: Collection[RecordKey], weights: Weights
) -> Remembered:
    """Store keys and features of changed records, forget removed ones, and tell what that does to the keys.

    Nothing is done about a record whose features are those that it has already.
    """
    documents = {features.key: orjson.dumps(as_json(features)).decode() for features in changed}
    known = await _stored(connection, sorted({*documents, *removed}), weights)
    stored = {item.key: item for item in known if item.features != documents.get(item.key)}
    same = {item.key for item in known} - stored.keys()
    changed = [features for features in changed if features.key not in same]
    own = {features.key: keys(features) for features in changed}
    leaving = Counter(key for item in stored.values() for key in item.keys)
    arriving = Counter(key for own_keys in own.values() for key in own_keys)
    moving = sorted(leaving.keys() | arriving.keys())
    places = [key for key in moving if key[0] in PLACES]
    before = await _holders(connection, [key for key in moving if key[0] not in PLACES], leaving)
    counted = await crowds.counts(connection, places, leaving)
    old = await _classes(connection, before) | _of_places(counted)
    hubs_before = await crowds.hubs(connection, old, moving)
    await _forget(connection, list(stored.values()), stored.keys() - own.keys())
    numbers = await _remember(connection, changed, own, documents, weights) if changed else {}
    left = {item.record for item in stored.values()}
    after = {key: records - left for key, records in before.items()}
    for item, number in numbers.items():
        for key in own[item]:
            if key[0] not in PLACES:
                after.setdefault(key, set()).add(number)
    now = {key: counted.get(key, 0) - leaving[key] + arriving[key] for key in places}
    own_identities = {numbers[features.key]: identity_of(features) for features in changed}
    new = await _classes(connection, after, own_identities) | _of_places(now)
    hubs = await crowds.hubs(connection, new, moving)
    await crowds.remember(connection, old, new)
    return Remembered(
        {numbers[features.key]: features for features in changed},
        stored,
        after,
        new,
        {key for key in moving if old.get(key) != new.get(key)},
        hubs,
        crowds.moved(hubs_before, hubs),
    )


def _of_places(counted: Mapping[str, int]) -> dict[str, Commonness]:
    result = {key: commonness(key, records, 1) for key, records in counted.items()}
    return {key: commonness for key, commonness in result.items() if commonness != Commonness.RARE}


async def _stored(connection: AsyncConnection, wanted: Sequence[RecordKey], weights: Weights) -> list[_Stored]:
    rows = rows_of(await connection.exec_driver_sql(_STORED, (*_columns(wanted), *_versions(weights))))
    if rows[0][0] is False:
        raise StaleRecognitionError
    return [
        _Stored(record, RecordKey(cluster, record_id), tuple(own), document)
        for _, record, cluster, record_id, own, document in rows
        if record is not None
    ]


async def _holders(
    connection: AsyncConnection, asked: Sequence[str], leaving: Mapping[str, int] | None = None
) -> dict[str, set[int]]:
    """Who holds these keys. No count goes further than it must, even when so many of them leave."""
    most = [crowded_above(key[0]) + 1 + (leaving or {}).get(key, 0) for key in asked]
    rows = rows_of(await connection.exec_driver_sql(_HOLDERS, (list(asked), most)))
    return {key: set(records) for key, records in rows}


async def _classes(
    connection: AsyncConnection, holders: Mapping[str, Collection[int]], own: Mapping[int, Identity] | None = None
) -> dict[str, Commonness]:
    """The classes of keys that are not rare. ``own`` are the identities of some records; else the table's."""
    doubtful = {key: records for key, records in holders.items() if may_be_common(key, len(records))}
    known = dict(own or {})
    if wanted := sorted({record for records in doubtful.values() for record in records} - known.keys()):
        rows = rows_of(await connection.exec_driver_sql(_IDENTITIES, (wanted,)))
        known.update({record: Identity(name, siren, place) for record, name, siren, place in rows})

    def companies(key: str) -> int:
        return companies_of(key, (known[record] for record in doubtful[key])) if key in doubtful else 0

    classes = {key: commonness(key, len(records), companies(key)) for key, records in holders.items()}
    return {key: value for key, value in classes.items() if value != Commonness.RARE}


async def _forget(connection: AsyncConnection, stored: Sequence[_Stored], removed: Collection[RecordKey]) -> None:
    rows = [(key, item.record) for item in stored for key in item.keys]
    if rows:
        await connection.exec_driver_sql(_FORGET_KEYS, ([key for key, _ in rows], [record for _, record in rows]))
    if records := [item.record for item in stored if item.key in removed]:
        await connection.exec_driver_sql(_FORGET, (records,))


async def _remember(
    connection: AsyncConnection,
    changed: Sequence[Features],
    own: Mapping[RecordKey, Collection[str]],
    documents: Mapping[RecordKey, str],
    weights: Weights,
) -> dict[RecordKey, int]:
    result = await connection.exec_driver_sql(
        _REMEMBER,
        (
            *_columns(features.key for features in changed),
            *_name_columns(changed),
            [_array(held(features)) for features in changed],
            [_LIST.join(sorted(own[features.key])) for features in changed],
            [documents[features.key] for features in changed],
            *_versions(weights),
        ),
    )
    return {RecordKey(cluster, record_id): record for record, cluster, record_id in rows_of(result)}


# --- candidates ----------------------------------------------------------------------------------------------------


async def candidates(connection: AsyncConnection, batch: Remembered) -> Found:
    """The candidate pairs of changed records, and those that share a key which moved into another class."""
    everyone = await crowds.all_holders(connection, _with_other_hubs(batch))
    fresh = _by_key(batch) | _by_hubs(batch, everyone) | await _by_name(connection, batch)
    crossed = _crossed(batch, everyone)
    places = await _in_crossed_places(connection, batch)
    wanted = {record for pair in fresh | crossed for record in pair}.union(*places)
    known = await _load(connection, batch.changed, wanted)
    crossed |= await to_thread(_alike_in, places, known)
    shared, hubs = await _of_shared(connection, batch, known, crossed)
    return await to_thread(_found, known, fresh, crossed - fresh, batch.classes | shared, hubs)


def _found(
    known: Mapping[int, Features],
    fresh: set[tuple[int, int]],
    crossed: set[tuple[int, int]],
    classes: dict[str, Commonness],
    hubs: Hubs,
) -> Found:
    pairs = [_ordered(known[a], known[b]) for a, b in fresh]
    again = [_ordered(known[a], known[b]) for a, b in crossed]
    pairs += [(a, b) for a, b in again if are_candidates(a, b, classes, hubs)]
    return Found(pairs, classes, sorted((a.key, b.key) for a, b in again))


def _by_key(batch: Remembered) -> set[tuple[int, int]]:
    return {
        _both(record, other)
        for key, records in batch.holders.items()
        if len(records) > 1 and batch.classes.get(key) != Commonness.CROWDED
        for record in records & batch.changed.keys()
        for other in records
        if other != record
    }


def _by_hubs(batch: Remembered, everyone: Mapping[str, set[int]]) -> set[tuple[int, int]]:
    result = set[tuple[int, int]]()
    for key, hubs in batch.hubs.items():
        own = batch.holders[key] & batch.changed.keys()
        result |= {_both(record, hub) for record in own for hub in hubs if hub != record}
        for hub in hubs.keys() & batch.changed.keys():
            result |= {_both(record, hub) for record in everyone[key] if hub != record}
    return result


def _with_other_hubs(batch: Remembered) -> set[str]:
    """Crowds of which everybody has to be looked at, since who their hubs are or what these say is new."""
    changed = {key for key, hubs in batch.hubs.items() if not batch.changed.keys().isdisjoint(hubs)}
    return changed.union(moved.key for moved in batch.moved)


def _crossed(batch: Remembered, everyone: Mapping[str, set[int]]) -> set[tuple[int, int]]:
    """Pairs of records that did not change, and share a key which moved into another class or got other hubs."""
    changed = batch.changed.keys()
    pairs = {pair for key in batch.crossed for pair in combinations(sorted(batch.holders.get(key, set()) - changed), 2)}
    for key, hubs in batch.moved:
        others = everyone.get(key, set()) - changed
        pairs |= {_both(hub, other) for hub in hubs & others for other in others if other != hub}
    return pairs


async def _in_crossed_places(connection: AsyncConnection, batch: Remembered) -> list[set[int]]:
    """Records that did not change, by place that became a crowd or is none any more."""
    asked = sorted(key for key in batch.crossed if key[0] in PLACES)
    if not asked:
        return []
    arrived = Counter(key for features in batch.changed.values() for key in keys(features))
    return [holder - batch.changed.keys() for holder in (await _holders(connection, asked, arrived)).values()]


def _alike_in(places: Iterable[set[int]], known: Mapping[int, Features]) -> set[tuple[int, int]]:
    return {
        (a, b) for place in places for a, b in combinations(sorted(place), 2) if alike(known[a], known[b], _NO_CROWDS)
    }


def _both(number: int, other: int) -> tuple[int, int]:
    return (number, other) if number < other else (other, number)


async def _by_name(connection: AsyncConnection, batch: Remembered) -> set[tuple[int, int]]:
    # One row for each place: of many marks at once, most of which nobody has, the index would make heavy weather.
    asked = [
        (record, features, _array(marks))
        for record, features in batch.changed.items()
        for marks in sought(features, batch.classes)
    ]
    rows = await connection.exec_driver_sql(
        _BY_NAME,
        (
            [record for record, _, _ in asked],
            *_name_columns([features for _, features, _ in asked]),
            [marks for _, _, marks in asked],
            *(
                [_is_open(place(features), batch.classes) for _, features, _ in asked]
                for place in (near, here, everywhere)
            ),
        ),
    )
    return {_both(record, other) for record, others in rows_of(rows) for other in others}


def _is_open(place: str | None, classes: Mapping[str, Commonness]) -> bool:
    return place is not None and classes.get(place) != Commonness.CROWDED


async def _of_shared(
    connection: AsyncConnection, batch: Remembered, known: Mapping[int, Features], crossed: set[tuple[int, int]]
) -> tuple[dict[str, Commonness], Hubs]:
    """Classes and hubs of what records share none of which changed; the batch knows its own records' keys only."""
    if not crossed:
        return {}, {}
    counted = Counter(key for record in {record for pair in crossed for record in pair} for key in keys(known[record]))
    shared = [key for key, records in counted.items() if records > 1]
    places = await crowds.counts(connection, [key for key in shared if key[0] in PLACES], {})
    others = await _holders(connection, [key for key in shared if key not in batch.holders and key[0] not in PLACES])
    classes = await _classes(connection, others) | _of_places(places)
    result = await crowds.hubs(connection, batch.classes | classes, shared)
    return classes, {key: frozenset(hubs.values()) for key, hubs in result.items()}


async def _load(
    connection: AsyncConnection, changed: Mapping[int, Features], wanted: Collection[int]
) -> dict[int, Features]:
    missing = sorted(set(wanted) - changed.keys())
    rows = rows_of(await connection.exec_driver_sql(_LOAD, (missing,))) if missing else []
    return {**changed, **await to_thread(_read, rows)}


def _read(rows: Iterable[Any]) -> dict[int, Features]:
    known: dict[int, Features] = {}
    for record, cluster, record_id, document in rows:
        key = RecordKey(cluster, record_id)
        stored = from_json(key, orjson.loads(document))
        if stored is None:
            raise LookupError(f"the features of {key} are of another version: rebuild what is recognised")
        known[record] = stored
    return known


async def kept_pairs(connection: AsyncConnection, verdicts: Collection[str] = ("auto", "review")) -> list[Judgement]:
    """The stored judgements, in the order of their keys."""
    rows = rows_of(await connection.exec_driver_sql(_KEPT, (sorted(verdicts),)))
    return sorted(
        Judgement(RecordKey(ac, ar), RecordKey(bc, br), round(score, 2), verdict, refused, Levels(*levels))
        for ac, ar, bc, br, score, verdict, refused, levels in rows
    )


# --- on the way to SQL ---------------------------------------------------------------------------------------------


def _name(features: Features) -> str:
    return features.names[0] if features.names else ""


def _name_columns(records: Sequence[Features]) -> tuple[list[Any], ...]:
    """What is compared for names alike, and a name's size in trigrams; unknown is null, which equals nothing."""
    names = [_name(record) for record in records]
    return (
        [len(trigrams(name)) for name in names],
        [bitmap(name) for name in names],
        [record.departement for record in records],
        [record.postcode for record in records],
        [record.town or None for record in records],
        [beginning(name) for name in names],
        names,
    )


def _ordered(a: Features, b: Features) -> Pair:
    return (a, b) if a.key < b.key else (b, a)


def _versions(weights: Weights) -> tuple[int, int]:
    return VERSION, weights.version


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def _slices(many: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (many[at : at + _SLICE] for at in range(0, len(many), _SLICE))


def _batches(records: Iterable[Features]) -> Iterator[list[Features]]:
    iterator = iter(records)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def _pair_columns(judgements: Sequence[Judgement], version: int) -> tuple[Any, ...]:
    return (
        *_four((judgement.a, judgement.b) for judgement in judgements),
        *columns_of(judgements, "score", "verdict", "refused"),
        [" ".join(level or "-" for level in judgement.levels) for judgement in judgements],
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
