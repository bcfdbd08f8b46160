"""Members as they are read: one by one, with their records and history; and how many there are."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson

from services.membership.rows import Rows

MEMBERS_BY_ID = "select member_id::text, etag, document from views where member_id = any($1::uuid[])"

_BY_ANY_ID = """
    select s.member_id::text, s.removed, v.etag, v.document
    from source_records s left join views v using (member_id)
    where s.own_id = $1::uuid
"""
_BY_SOURCE = """
    select s.member_id::text, s.removed, v.etag, v.document
    from source_records s left join views v using (member_id)
    where s.cluster = $1 and (s.record_id = $2 or s.same_as = $2)
    order by s.record_id = $2 desc, s.removed, s.record_id
    limit 1
"""
STATISTICS = """
    with counted as materialized (
        select clusters, lineages, departement, active, (exempt or coalesce(paid_until >= $1, false)) as paid_up,
               sum(members) as members
        from view_counts group by 1, 2, 3, 4, 5
    ), keyed as (
        select 'total' as kind, null as key, active, paid_up, members from counted
        union all
        select 'several-clusters', null, active, paid_up, members from counted where cardinality(clusters) > 1
        union all
        select 'cluster', key, active, paid_up, members from counted, unnest(clusters) as key
        union all
        select 'lineage', key, active, paid_up, members from counted, unnest(lineages) as key
        union all
        select 'departement', departement, active, paid_up, members from counted
    )
    select kind, key, sum(members)::bigint as members,
           coalesce(sum(members) filter (where active), 0)::bigint as active,
           coalesce(sum(members) filter (where paid_up), 0)::bigint as paid_up
    from keyed group by kind, key order by kind, key
"""
_HISTORY = """
    select h.id, h.at, h.what, h.fields, h.cluster || '/' || h.record_id as "from"
    from source_records s join record_history h using (cluster, record_id)
    where s.member_id = $1::uuid and (h.at, h.id) < ($2, $3)
    order by h.at desc, h.id desc
    limit $4
"""
_SOURCES = """
    select r.cluster, r.record_id, r.own_id::text, r.version, r.written, r.understood,
           coalesce(s.stage, 'legacy') as stage
    from source_records r left join stages s using (cluster)
    where r.member_id = $1::uuid and not r.removed order by r.cluster, r.record_id
"""


class StoredView(NamedTuple):
    """A member's document as it is served. ``member_id`` is None once all its records are removed."""

    member_id: str | None
    etag: str
    document: bytes


async def member_by_any_id(rows: Rows, member_id: str) -> StoredView | None:
    """The member that an id leads to: its own, or that of any record that is part of it."""
    return _stored(await rows.fetch(_BY_ANY_ID, member_id))


async def member_by_source(rows: Rows, cluster: str, record_id: str) -> StoredView | None:
    """The member that a former system's record is part of, or else one whose record says to be the same as it."""
    return _stored(await rows.fetch(_BY_SOURCE, cluster, record_id))


def _stored(result: Sequence[Any]) -> StoredView | None:
    if not result:
        return None
    member_id, _, etag, document = result[0]
    return StoredView(member_id, etag, document) if document is not None else StoredView(None, "", b"")


async def statistics(rows: Rows, today: date) -> list[Mapping[str, Any]]:
    """Members counted once under each key: ``kind``, ``key``, ``members``, ``active``, ``paid_up``."""
    return [dict(row) for row in await rows.fetch(STATISTICS, today)]


async def history(rows: Rows, member_id: str, *, before: tuple[datetime, int], limit: int) -> list[Mapping[str, Any]]:
    """What happened to a member's source records, newest first: ``id``, ``at``, ``what``, ``fields``, ``from``."""
    return [dict(row) for row in await rows.fetch(_HISTORY, member_id, *before, limit)]


async def sources(rows: Rows, member_id: str) -> list[Mapping[str, Any]]:
    """A member's source records; ``written`` and ``understood`` as objects."""
    return [
        {**dict(row), "written": orjson.loads(row["written"]), "understood": orjson.loads(row["understood"])}
        for row in await rows.fetch(_SOURCES, member_id)
    ]
