"""What former systems say that they hold: their manifests, kept part by part until a newer one is complete.

A manifest writes nothing of what is mirrored, so it is heard in every stage: after a switch it tells what a rollback
would find.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.cutover import ManifestRecord
from schemas.envelope import Envelope
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

PREFETCH = 4
"""Manifests in hand at once: each may be as large as a message can be."""

Key: TypeAlias = tuple[str, str]
"""The kind of record, and the former system's own id of it."""
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
# One by one, as large as they are.
_NEXT = """
    select part, counts, records from manifests where (cluster, version) = ($1, $2) and part > $3 order by part limit 1
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
    """One manifest, whole. ``counts`` are as told, by the kinds of record that it counts.

    ``contradicted``: kinds that its parts count differently.
    """

    version: int
    received_at: datetime
    counts: Mapping[str, int]
    records: Mapping[Key, Listed]
    contradicted: frozenset[str] = frozenset()


async def keep_manifests(uow: UnitOfWork, messages: Sequence[Envelope[Any]]) -> None:
    """Keep parts, and forget the manifests that a newer complete one replaces; what comes late is dropped."""
    clusters = sorted({message.cluster for message in messages})
    await uow.connection.exec_driver_sql(_ALONE, (clusters,))
    await uow.connection.exec_driver_sql(_KEEP, tuple(map(list, zip(*_rows(messages), strict=True))))
    await uow.connection.exec_driver_sql(_FORGET, (clusters,))


async def newest_complete(connection: AsyncConnection, cluster: str) -> Manifest | None:
    """The newest manifest of which every part arrived."""
    found = rows_of(await connection.exec_driver_sql(_NEWEST, (cluster,)))
    if not found:
        return None
    version, received_at = found[0]
    counts: dict[str, int] = {}
    records: dict[Key, Listed] = {}
    contradicted: set[str] = set()
    part = 0
    while found := rows_of(await connection.exec_driver_sql(_NEXT, (cluster, version, part))):
        part, told_counts, told_records = found[0]
        for kind, count in _json(told_counts).items():
            if counts.setdefault(kind, count) != count:
                contradicted.add(kind)
        for kind, item_id, of_record, digest in _json(told_records):
            records[kind, item_id] = Listed(of_record, digest)
    return Manifest(version, received_at, counts, records, frozenset(contradicted))


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


def _json(value: Any) -> Any:
    """A json column, whichever way the driver gives it."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value
