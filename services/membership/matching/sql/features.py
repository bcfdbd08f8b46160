"""Features and keys of records, by numbers: published before they are linked, or written with the turn.

``revision`` counts the links, and whatever else was changed with the turn. Features that are as they were published
have 0, others that of their change: so who looked before finds it.
"""

from asyncio import to_thread
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.matching.candidates import held
from services.membership.matching.features import Features, as_json, from_json
from services.membership.matching.keys import keys
from services.membership.matching.sql.columns import LIST, array, columns, name_columns, versions
from services.membership.matching.weights import Weights
from services.membership.records.record import RecordKey
from shared.messaging.failures import NotReady
from shared.persistence.statements import execute, fetch, fetch_column, fetch_value

_STATE = "select features = $1::int and weights = $2::int, revision from match_state"
_FIRST_STATE = """
    insert into match_state (features, weights) select $1::int, $2::int
    where not exists (select from match_state) on conflict do nothing
"""
_NEXT_REVISION = "update match_state set revision = revision + 1 returning revision"
_STORED = """
    select f.record, f.cluster, f.record_id, f.keys, f.features::text,
           exists (select from match_pending p where p.record = f.record)
    from unnest($1::text[], $2::text[]) as n (cluster, record_id) join match_features f using (cluster, record_id)
"""
_KNOWN = """
    select cluster, record_id from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join match_features using (cluster, record_id)
"""
_FORGET_KEYS = """
    delete from match_keys m using unnest($1::text[], $2::bigint[]) as n (key, record)
    where m.key = n.key and m.record = n.record
"""
_FORGET = "delete from match_features where record = any($1::bigint[])"
_NEW = """
    select cluster, record_id, size, bits::bit(128) as bits, departement, postcode, town, beginning, name,
           marks::int[] as marks, string_to_array(keys, chr(31)) as keys, features
    from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::json[])
        as n (cluster, record_id, size, bits, departement, postcode, town, beginning, name, marks, keys, features)
"""
_COLUMNS = "cluster, record_id, size, bits, departement, postcode, town, beginning, name, marks, keys, features"
# Keys go in by their order, for neighbours are found in the index by nearly the same way.
_WRITE = f"""
    with kept as (
        insert into match_features as held ({_COLUMNS}, revision) select n.*, $13::bigint from ({_NEW}) as n
        order by n.cluster collate "C", n.record_id collate "C"
        on conflict (cluster, record_id) do update
        set size = excluded.size, bits = excluded.bits, departement = excluded.departement,
            postcode = excluded.postcode, town = excluded.town, beginning = excluded.beginning, name = excluded.name,
            marks = excluded.marks, keys = excluded.keys, features = excluded.features, revision = excluded.revision
        returning record, cluster, record_id, keys
    ), keys as (
        insert into match_keys (key, record) select unnest(keys) collate "C", record from kept order by 1
    )
    select record, cluster, record_id from kept
"""
# What is there is left alone, and not even waited for. In order here and there, and as Python sorts texts, so that two
# who write the same records cannot block each other.
_PUBLISH = f"""
    with kept as (
        insert into match_features ({_COLUMNS})
        select n.* from ({_NEW}) as n
        where not exists (
            select from match_features f where f.cluster = n.cluster and f.record_id = n.record_id
        )
        order by n.cluster collate "C", n.record_id collate "C"
        on conflict (cluster, record_id) do nothing
        returning record, cluster, record_id, keys
    ), keys as (
        insert into match_keys (key, record) select unnest(keys) collate "C", record from kept order by 1
    ), pending as (
        insert into match_pending (record) select record from kept
    )
    select record, cluster, record_id from kept
"""
_LINKED = "delete from match_pending where record = any($1::bigint[])"
_PENDING = "select record from match_pending"
_KEYS_OF_OTHERS_PENDING = f"""
    select array_to_string(keys, '{LIST}') from match_features
    where record = any(array(select record from match_pending where record <> all($1::bigint[])))
"""
_UNCHANGED = "select record from match_features where record = any($1::bigint[]) and revision = 0"
_THERE = "select record from match_features where record = any($1::bigint[])"
_SINCE = """
    select record, cluster, record_id, features::text from match_features where revision > 0 and revision > $1::bigint
"""
_LOAD = "select record, cluster, record_id, features::text from match_features where record = any($1::bigint[])"


class StaleRecognitionError(NotReady):
    """What is recognised was computed by another version of the program or its weights: run traboule rebuild."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Stored(NamedTuple):
    """What is kept of a record before a batch changes it."""

    record: int
    key: RecordKey
    keys: tuple[str, ...]
    features: str
    pending: bool
    """Published, and never linked since."""


async def revision(connection: AsyncConnection, weights: Weights) -> int:
    """How often anything was changed with the turn. Raises StaleRecognitionError."""
    return await _revision(connection, weights) or 0


async def _revision(connection: AsyncConnection, weights: Weights) -> int | None:
    """None while nothing was ever recognised."""
    for is_current, number in await fetch(connection, _STATE, versions(weights)):
        if not is_current:
            raise StaleRecognitionError
        return number
    return None


async def next_revision(connection: AsyncConnection, weights: Weights) -> int:
    """One more; the caller has the turn."""
    if following := await fetch_column(connection, _NEXT_REVISION):
        return following[0]
    await execute(connection, _FIRST_STATE, versions(weights))
    return await fetch_value(connection, _NEXT_REVISION)


async def stored(connection: AsyncConnection, wanted: Sequence[RecordKey]) -> list[Stored]:
    """Those of these records that are there."""
    if not wanted:
        return []
    rows = await fetch(connection, _STORED, columns(wanted))
    return [
        Stored(record, RecordKey(cluster, record_id), tuple(own), document, pending)
        for record, cluster, record_id, own, document, pending in rows
    ]


async def known(connection: AsyncConnection, records: Collection[RecordKey]) -> set[RecordKey]:
    """The keys of those of these records that are there."""
    rows = await fetch(connection, _KNOWN, columns(sorted(records)))
    return {RecordKey(cluster, record_id) for cluster, record_id in rows}


async def forget(connection: AsyncConnection, items: Sequence[Stored], removed: Collection[RecordKey]) -> None:
    """Forget all keys of some records, and whatever is kept of those that are ``removed``."""
    rows = [(key, item.record) for item in items for key in item.keys]
    if rows:
        await execute(connection, _FORGET_KEYS, ([key for key, _ in rows], [record for _, record in rows]))
    if records := [item.record for item in items if item.key in removed]:
        await execute(connection, _FORGET, (records,))


def document_of(item: Features) -> str:
    """As it is stored."""
    return orjson.dumps(as_json(item)).decode()


async def write(connection: AsyncConnection, records: Sequence[Features], revision: int) -> dict[int, Features]:
    """Write features and keys, whose former keys are forgotten; returns them by number. The caller has the turn."""
    if not records:
        return {}
    return _numbered(records, await fetch(connection, _WRITE, (*_columns(records), revision)))


class Publishable(NamedTuple):
    """Some records, and the columns that are written of them."""

    records: Sequence[Features]
    columns: tuple[Any, ...]


def publishable(records: Sequence[Features]) -> Publishable:
    """What takes processor time, and no database."""
    return Publishable(records, _columns(records))


async def publish(
    connection: AsyncConnection, parts: AsyncGenerator[Publishable], weights: Weights
) -> dict[int, Features]:
    """Write those of which nothing is known yet, as pending; returns these by number. Raises StaleRecognitionError.

    ``parts`` are in the order of their records' keys.
    """
    if await _revision(connection, weights) is None:
        await execute(connection, _FIRST_STATE, versions(weights))
    published = dict[int, Features]()
    async with aclosing(parts):
        async for part in parts:
            published |= _numbered(part.records, await fetch(connection, _PUBLISH, part.columns))
    return published


async def linked(connection: AsyncConnection, records: Collection[int]) -> None:
    """These are pending no longer."""
    if records:
        await execute(connection, _LINKED, (sorted(records),))


async def pending(connection: AsyncConnection) -> frozenset[int]:
    """All that is published and was never linked since."""
    return frozenset(await fetch_column(connection, _PENDING))


async def keys_of_others_pending(connection: AsyncConnection, records: Collection[int]) -> set[str]:
    """The keys of all that is pending but for these."""
    rows = await fetch_column(connection, _KEYS_OF_OTHERS_PENDING, (sorted(records),))
    return {key for listed in rows for key in listed.split(LIST)}


async def unchanged(connection: AsyncConnection, records: Collection[int]) -> set[int]:
    """Those of these that are as they were published."""
    return set(await fetch_column(connection, _UNCHANGED, (sorted(records),)))


async def present(connection: AsyncConnection, records: Collection[int]) -> set[int]:
    """Those of these that are there."""
    return set(await fetch_column(connection, _THERE, (sorted(records),))) if records else set()


async def changed_since(connection: AsyncConnection, revision: int) -> dict[int, Features]:
    """What was written with the turn after a revision. Raises LookupError as :func:`load` does."""
    return _read(await fetch(connection, _SINCE, (revision,)))


async def load(
    connection: AsyncConnection, known: Mapping[int, Features], wanted: Collection[int]
) -> dict[int, Features]:
    """``known``, and the features of the others that are wanted; LookupError if another version wrote them."""
    missing = sorted(set(wanted) - known.keys())
    rows = await fetch(connection, _LOAD, (missing,)) if missing else []
    return {**known, **await to_thread(_read, rows)}


def _read(rows: Iterable[Any]) -> dict[int, Features]:
    known: dict[int, Features] = {}
    for record, cluster, record_id, document in rows:
        key = RecordKey(cluster, record_id)
        item = from_json(key, orjson.loads(document))
        if item is None:
            raise LookupError(f"the features of {key} are of another version: rebuild what is recognised")
        known[record] = item
    return known


def _numbered(records: Sequence[Features], rows: Any) -> dict[int, Features]:
    of = {item.key: item for item in records}
    return {record: of[RecordKey(cluster, record_id)] for record, cluster, record_id in rows}


def _columns(records: Sequence[Features]) -> tuple[Any, ...]:
    return (
        *columns(item.key for item in records),
        *name_columns(records),
        [array(held(item)) for item in records],
        [LIST.join(sorted(keys(item))) for item in records],
        [document_of(item) for item in records],
    )
