"""Members as they are read: one by one, in lists, counted, with their records."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson

from services.membership.rows import Rows
from services.membership.views.search_terms import literal, search_words

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
_LISTED = """
    select member_id::text as id, summary, sort_key, departement, clusters, lineages, paid_until, active,
           (exempt or coalesce(paid_until >= $1, false)) as paid_up
    from views
"""
# Today is $1 in every list, whether a filter looks at it or not.
_COUNTED = "select count(*) from (select $1::date as today) as now, views"
_KEPT_COUNT = "select coalesce(sum(members), 0)::bigint from (select $1::date as today) as now, view_counts"
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
    select cluster, record_id, own_id::text, version, written, understood
    from source_records where member_id = $1::uuid and not removed order by cluster, record_id
"""


class StoredView(NamedTuple):
    """A member's document as it is served. ``member_id`` is None once all its records are removed."""

    member_id: str | None
    etag: str
    document: bytes


class Position(NamedTuple):
    """The last row of a page: the next one starts after it."""

    sort_key: str
    member_id: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Which members a list shows; None and "" leave out nothing."""

    search: str = ""
    cluster: str | None = None
    lineage: str | None = None
    departement: str | None = None
    paid_up: bool | None = None
    active: bool | None = None


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


async def members(
    rows: Rows, filters: Filters, today: date, *, after: Position | None, limit: int, ids: Collection[str] = ()
) -> list[dict[str, Any]]:
    """A page of members by name; ask for one more than the page holds to know whether another follows.

    ``ids`` are members that have what was searched for, though no word of it is in their name or town.
    """
    where, values = _where(filters, today, ids)
    if after is not None:
        values += after
        where.append(f"(sort_key, member_id) > (${len(values) - 1}, ${len(values)}::uuid)")
    values.append(limit)
    result = await rows.fetch(f"{_LISTED} {_all(where)} order by sort_key, member_id limit ${len(values)}", *values)
    return [_listed(row) for row in result]


def searches(filters: Filters) -> bool:
    """Whether words are searched for: nobody keeps how many members have them."""
    return bool(search_words(filters.search))


async def members_of(
    rows: Rows, filters: Filters, today: date, ids: Collection[str], limit: int
) -> list[dict[str, Any]]:
    """Those of these members that the filters leave, whatever is searched for, by name."""
    where, values = _where(replace(filters, search=""), today, ())
    values += [sorted(ids), limit]
    where.append(f"member_id = any(${len(values) - 1}::uuid[])")
    result = await rows.fetch(f"{_LISTED} {_all(where)} order by sort_key, member_id limit ${len(values)}", *values)
    return [_listed(row) for row in result]


async def count_members(rows: Rows, filters: Filters, today: date, ids: Collection[str] = ()) -> int:
    """How many members the filters leave. Only those who search are counted one by one."""
    where, values = _where(filters, today, ids)
    counted = _COUNTED if searches(filters) else _KEPT_COUNT
    return (await rows.fetch(f"{counted} {_all(where)}", *values))[0][0]


async def stream_members(
    connection: Any, filters: Filters, today: date, ids: Collection[str] = ()
) -> AsyncGenerator[list[dict[str, Any]]]:
    """All members by name, some hundred at a time, through a server-side cursor: one moment's picture."""
    where, values = _where(filters, today, ids)
    async with connection.transaction(readonly=True):
        cursor = await connection.cursor(f"{_LISTED} {_all(where)} order by sort_key, member_id", *values)
        while page := await cursor.fetch(500):
            yield [_listed(row) for row in page]


def _where(filters: Filters, today: date, ids: Collection[str]) -> tuple[list[str], list[Any]]:
    """Conditions and their values; the first value is today. ``ids`` are members that the search leaves in any case."""
    values: list[Any] = [today]
    where: list[str] = []

    def also(condition: str, value: Any) -> None:
        values.append(value)
        where.append(condition.format(f"${len(values)}"))

    if words := search_words(filters.search):
        where.append(_words_or_ids(words, ids, values))
    if filters.cluster is not None:
        also("clusters @> array[{}]", filters.cluster)
    if filters.lineage is not None:
        also("lineages @> array[{}]", filters.lineage)
    if filters.departement is not None:
        also("departement = {}", filters.departement)
    if filters.active is not None:
        also("active = {}", filters.active)
    if filters.paid_up is not None:
        also("(exempt or coalesce(paid_until >= $1, false)) = {}", filters.paid_up)
    return where, values


def _words_or_ids(words: Sequence[str], ids: Collection[str], values: list[Any]) -> str:
    each: list[str] = []
    for word in words:
        values.append(f"%{literal(word)}%")
        each.append(f"search like ${len(values)}")
    if not ids:
        return " and ".join(each)
    values.append(sorted(ids))
    return f"({' and '.join(each)} or member_id = any(${len(values)}::uuid[]))"


def _all(where: Sequence[str]) -> str:
    return f"where {' and '.join(where)}" if where else ""


def _listed(row: Any) -> dict[str, Any]:
    summary = orjson.loads(row["summary"])
    return {
        "id": row["id"],
        **{name: summary.get(name) for name in ("name", "brand", "siren", "city")},
        **{name: row[name] for name in ("departement", "clusters", "lineages", "paid_until", "paid_up", "active")},
        "sort_key": row["sort_key"],
    }


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
