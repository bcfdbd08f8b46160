"""What former systems say that they hold: their manifests, kept part by part until a newer one is complete.

A manifest writes nothing of what is mirrored, so it is heard in every stage: after a switch it tells what a rollback
would find.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.cutover import ManifestRecord
from schemas.envelope import Envelope
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import transposed
from shared.persistence.database import json_of, rows_of

PREFETCH = 4
"""Manifests in hand at once: each may be as large as a message can be."""

_Row: TypeAlias = tuple[str, int, int, int, str, str]
"""Cluster, version, part, of how many parts, counts, records."""

# One at a time for a cluster: of two parts that come together, each would miss that the other completes the manifest.
_ALONE = "select pg_advisory_xact_lock(hashtext('manifest'), hashtext(c)) from unnest($1::text[]) as c"
# Of two writings of one part the larger stays, so that their order does not show.
_KEEP = """
    insert into manifests as held (cluster, version, part, parts, counts, records)
    select * from unnest($1::text[], $2::bigint[], $3::int[], $4::int[], $5::json[], $6::json[])
    on conflict (cluster, version, part) do update
    set parts = excluded.parts, counts = excluded.counts, records = excluded.records, received_at = now()
    where (held.parts, held.counts::text collate "C", held.records::text collate "C")
        < (excluded.parts, excluded.counts::text, excluded.records::text)
"""
COMPLETE = """
    select cluster, version, max(received_at) as received_at from manifests group by cluster, version
    having count(*) = max(parts) and min(parts) = max(parts)
"""
# What is newer than the newest complete one may be on its way still; of several such only the newest is waited for.
_FORGET = f"""
    with complete as ({COMPLETE}),
    kept as (
        select cluster, max(version) as version from complete group by cluster
        union select cluster, max(version) from manifests group by cluster
    )
    delete from manifests m where m.cluster = any($1::text[])
    and not exists (select from kept k where (k.cluster, k.version) = (m.cluster, m.version))
"""
_NEWEST = f"""
    select version, received_at from ({COMPLETE}) c where cluster = $1 order by version desc limit 1
"""
_PARTS = "select part, counts from manifests where (cluster, version) = ($1, $2) order by part"
# A million records would be hundreds of megabytes here. There they are some tens, on disk, for one transaction.
_LISTED = """
    create temporary table listed (
        kind text collate "C", id text collate "C", version bigint, digest text, primary key (kind, id)
    ) on commit drop
"""
# Of a record that is listed twice the last counts.
_LIST = """
    insert into listed
    select distinct on (1, 2) r.value->>0, r.value->>1, (r.value->>2)::bigint, r.value->>3
    from manifests m, json_array_elements(m.records) with ordinality r (value, n)
    where (m.cluster, m.version, m.part) = ($1, $2, $3)
    order by 1, 2, n desc
    on conflict (kind, id) do update set version = excluded.version, digest = excluded.digest
"""
_NUMBERS = "select kind, count(*) from listed group by kind"
_OF = "select id, version, digest from listed where kind = $1 and id = any($2::text[])"
_LACKING = """
    select l.id, l.version, l.digest from listed l where l.kind = $1 and not exists (
        select from {table} m where m.cluster = $2 and m.{key} = l.id and {present}
    ) order by l.id limit $3
"""
_ARRIVED = """
    select version, count(*), max(parts) from manifests where cluster = $1
    group by version order by version desc limit 1
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a manifest says of one record. Without version and digest, only that it is there."""

    version: int | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One complete manifest, without its records.

    ``counts``: as it says itself, by the kinds of record that it counts. ``listed``: how many it lists, by kind.
    ``contradicted``: kinds that its parts count differently.
    """

    version: int
    received_at: datetime
    counts: Mapping[str, int]
    listed: Mapping[str, int]
    contradicted: frozenset[str] = frozenset()


async def keep_manifests(uow: UnitOfWork, messages: Sequence[Envelope[Any]]) -> None:
    """Keep parts, and forget the manifests that a newer complete one replaces; what comes late is dropped."""
    clusters = sorted({message.cluster for message in messages})
    await uow.connection.exec_driver_sql(_ALONE, (clusters,))
    await uow.connection.exec_driver_sql(_KEEP, transposed(_rows(messages)))
    await uow.connection.exec_driver_sql(_FORGET, (clusters,))


async def newest_complete(connection: AsyncConnection, cluster: str) -> Manifest | None:
    """The newest manifest of which every part arrived.

    Its records lie in a temporary table until the transaction ends, for :func:`listed_of` and :func:`lacking`. Call it
    once in a transaction.
    """
    rows = rows_of(await connection.exec_driver_sql(_NEWEST, (cluster,)))
    if not rows:
        return None
    version, received_at = rows[0]
    counts: dict[str, int] = {}
    contradicted: set[str] = set()
    await connection.exec_driver_sql(_LISTED)
    for part, part_counts in rows_of(await connection.exec_driver_sql(_PARTS, (cluster, version))):
        for kind, count in json_of(part_counts).items():
            if counts.setdefault(kind, count) != count:
                contradicted.add(kind)
        # One by one, as large as they are.
        await connection.exec_driver_sql(_LIST, (cluster, version, part))
    await connection.exec_driver_sql("analyze listed")
    listed = dict(rows_of(await connection.exec_driver_sql(_NUMBERS)))
    return Manifest(version, received_at, counts, listed, frozenset(contradicted))


async def listed_of(connection: AsyncConnection, kind: str, ids: Sequence[str]) -> dict[str, Listed]:
    """What the manifest says of these records, by their ids; those that it does not list are missing."""
    rows = rows_of(await connection.exec_driver_sql(_OF, (kind, list(ids))))
    return {item_id: Listed(version, digest) for item_id, version, digest in rows}


async def lacking(
    connection: AsyncConnection, cluster: str, kind: str, *, table: str, key: str, present: str, most: int
) -> AsyncGenerator[tuple[str, Listed]]:
    """The first records by id that the manifest lists and a mirror's table does not have.

    ``table``, ``key`` and ``present`` are SQL of our own, as :class:`mirror_reader.Kind` has it.
    """
    sql = _LACKING.format(table=table, key=key, present=present)
    for item_id, version, digest in rows_of(await connection.exec_driver_sql(sql, (kind, cluster, most))):
        yield item_id, Listed(version, digest)


async def arrived(connection: AsyncConnection, cluster: str) -> tuple[int, int, int] | None:
    """Of the newest manifest, complete or not: its version, and how many parts arrived of how many."""
    rows = rows_of(await connection.exec_driver_sql(_ARRIVED, (cluster,)))
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


def _rows(messages: Sequence[Envelope[Any]]) -> list[_Row]:
    """One for each part: one statement cannot write a row twice."""
    kept: dict[tuple[str, int, int], _Row] = {}
    for message in messages:
        part = message.data.version, message.data.part
        counts = orjson.dumps(message.data.counts, option=orjson.OPT_SORT_KEYS).decode()
        records = orjson.dumps([_listed(record) for record in message.data.records]).decode()
        row = (message.cluster, *part, message.data.parts, counts, records)
        kept[message.cluster, *part] = max(row, kept.get((message.cluster, *part), row))
    return list(kept.values())


def _listed(record: ManifestRecord) -> tuple[str, str, int | None, str | None]:
    # Each service has kinds of its own.
    kind: str = record.kind  # pyright: ignore[reportAttributeAccessIssue]
    return kind, record.id, record.version, record.digest
