"""Members in lists: filtered, in an order, counted, and how many each further filter would leave."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal, NamedTuple

import orjson

from services.membership.rows import Rows
from services.membership.views.search_terms import PERSONS, literal, search_words

Sort = Literal["name", "paid_until", "changed"]

# Today is $1 in every list, whether a filter looks at it or not.
_PAID_UP = "(exempt or coalesce(paid_until >= $1, false))"
_LISTED = f"""
    select member_id::text as id, summary, sort_key, departement, clusters, lineages, paid_until, active, updated_at,
           {_PAID_UP} as paid_up{{more}}
    from views
"""
# What a version before this one wrote does not set people apart: then the member's own name alone is looked at.
_OF_COMPANIES = (
    f"case when strpos(search, chr({ord(PERSONS)})) > 0 then split_part(search, chr({ord(PERSONS)}), 1) "
    "else sort_key end"
)
_COUNTED = "select count(*) from (select $1::date as today) as now, views"
_GROUPED = f"""
    select clusters, lineages, departement, active, {_PAID_UP} as paid_up, {{members}}::bigint as members
    from {{table}} {{where}} group by 1, 2, 3, 4, 5 having {{members}} > 0
"""


class Position(NamedTuple):
    """The last row of a page: the next one starts after it. ``lead`` is what the order begins with, if not the name."""

    sort_key: str
    member_id: str
    lead: date | datetime | None = None


class _Lead(NamedTuple):
    """What an order begins with, before the name; ``is_after`` compares a later row with an earlier one."""

    sql: str
    direction: str
    is_after: str


# Those who never paid come last. What was changed last comes first.
_LEADS: Final[Mapping[Sort, _Lead]] = {
    "paid_until": _Lead("coalesce(paid_until, 'infinity'::date)", "asc", ">"),
    "changed": _Lead("updated_at", "desc", "<"),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which members a list shows; None and "" leave out nothing. ``changed_since`` is the moment from which on.

    ``of_companies``: words are sought in what companies say, and not in the names of their people.
    """

    search: str = ""
    cluster: str | None = None
    lineage: str | None = None
    departement: str | None = None
    paid_up: bool | None = None
    active: bool | None = None
    changed_since: datetime | None = None
    of_companies: bool = False


class Group(NamedTuple):
    """How many members are alike in all that they can be filtered by, but for words and moments."""

    clusters: tuple[str, ...]
    lineages: tuple[str, ...]
    departement: str | None
    active: bool
    paid_up: bool
    members: int


async def members(
    rows: Rows,
    filters: Filters,
    today: date,
    *,
    after: Position | None,
    limit: int,
    ids: Collection[str] = (),
    sort: Sort = "name",
) -> list[dict[str, Any]]:
    """A page of members; ask for one more than the page holds to know whether another follows.

    ``ids`` are members that have what was searched for, though no word of it is in their name or town.
    """
    where, values = _where(filters, today, ids)
    if after is not None:
        where.append(_after(after, sort, values))
    values.append(limit)
    result = await rows.fetch(f"{_listing()} {_all(where)} order by {_order(sort)} limit ${len(values)}", *values)
    return [_listed(row) for row in result]


async def members_of(
    rows: Rows, filters: Filters, today: date, ids: Collection[str], limit: int
) -> list[dict[str, Any]]:
    """Those of these members that the filters leave, whatever is searched for, by name."""
    where, values = _where(replace(filters, search=""), today, ())
    values += [sorted(ids), limit]
    where.append(f"member_id = any(${len(values) - 1}::uuid[])")
    result = await rows.fetch(f"{_listing()} {_all(where)} order by {_order('name')} limit ${len(values)}", *values)
    return [_listed(row) for row in result]


async def stream_members(
    connection: Any,
    filters: Filters,
    today: date,
    ids: Collection[str] = (),
    *,
    sort: Sort = "name",
    with_documents: bool = False,
) -> AsyncGenerator[list[dict[str, Any]]]:
    """All members, some hundred at a time, through a server-side cursor: one moment's picture.

    With documents each has its consolidated view as ``document``.
    """
    where, values = _where(filters, today, ids)
    async with connection.transaction(readonly=True):
        listing = _listing(", document" if with_documents else "")
        cursor = await connection.cursor(f"{listing} {_all(where)} order by {_order(sort)}", *values)
        while page := await cursor.fetch(500):
            members = [_listed(row) for row in page]
            if with_documents:
                for member, row in zip(members, page, strict=True):
                    member["document"] = orjson.loads(row["document"])
            yield members


def position(row: Mapping[str, Any], sort: Sort) -> Position:
    """Where a listed member stands in an order."""
    lead = {"name": None, "paid_until": row["paid_until"] or date.max, "changed": row["changed_at"]}[sort]
    return Position(row["sort_key"], row["id"], lead)


def searches(filters: Filters) -> bool:
    """Whether words are searched for: nobody keeps how many members have them."""
    return bool(search_words(filters.search))


def is_kept(filters: Filters) -> bool:
    """Whether the database keeps how many members there are for filters like these."""
    return not searches(filters) and filters.changed_since is None


async def count_members(rows: Rows, filters: Filters, today: date, ids: Collection[str] = ()) -> int:
    """How many members the filters leave, counted one by one."""
    where, values = _where(filters, today, ids)
    return (await rows.fetch(f"{_COUNTED} {_all(where)}", *values))[0][0]


async def kept_groups(rows: Rows, today: date) -> list[Group]:
    """All members in groups, as the database counts them with each change."""
    return _groups(await rows.fetch(_GROUPED.format(members="sum(members)", table="view_counts", where=""), today))


async def matching_groups(rows: Rows, filters: Filters, today: date, ids: Collection[str] = ()) -> list[Group]:
    """In groups, the members that the words and moments of the filters leave."""
    wide = replace(filters, cluster=None, lineage=None, departement=None, paid_up=None, active=None)
    where, values = _where(wide, today, ids)
    return _groups(await rows.fetch(_GROUPED.format(members="count(*)", table="views", where=_all(where)), *values))


def _groups(result: Sequence[Any]) -> list[Group]:
    return [Group(tuple(clusters), tuple(lineages), *others) for clusters, lineages, *others in result]


def _where(filters: Filters, today: date, ids: Collection[str]) -> tuple[list[str], list[Any]]:
    """Conditions and their values; the first value is today. ``ids`` are members that the search leaves in any case."""
    values: list[Any] = [today]
    where: list[str] = []

    def also(condition: str, value: Any) -> None:
        values.append(value)
        where.append(condition.format(f"${len(values)}"))

    if words := search_words(filters.search):
        where.append(_words_or_ids(words, ids, values, of_companies=filters.of_companies))
    if filters.cluster is not None:
        also("clusters @> array[{}]", filters.cluster)
    if filters.lineage is not None:
        also("lineages @> array[{}]", filters.lineage)
    if filters.departement is not None:
        also("departement = {}", filters.departement)
    if filters.active is not None:
        also("active = {}", filters.active)
    if filters.paid_up is not None:
        also(_PAID_UP + " = {}", filters.paid_up)
    if filters.changed_since is not None:
        also("updated_at >= {}", filters.changed_since)
    return where, values


def _words_or_ids(words: Sequence[str], ids: Collection[str], values: list[Any], *, of_companies: bool) -> str:
    each: list[str] = []
    for word in words:
        values.append(f"%{literal(word)}%")
        # By the index in any case, and then, of what it found, in the part that may be looked at.
        each.append(f"search like ${len(values)}")
        if of_companies:
            each.append(f"{_OF_COMPANIES} like ${len(values)}")
    if not ids:
        return " and ".join(each)
    values.append(sorted(ids))
    return f"({' and '.join(each)} or member_id = any(${len(values)}::uuid[]))"


def _order(sort: Sort) -> str:
    lead = _LEADS.get(sort)
    return "sort_key, member_id" if lead is None else f"{lead.sql} {lead.direction}, sort_key, member_id"


def _after(after: Position, sort: Sort, values: list[Any]) -> str:
    values += [after.sort_key, after.member_id]
    by_name = f"(sort_key, member_id) > (${len(values) - 1}, ${len(values)}::uuid)"
    if (lead := _LEADS.get(sort)) is None:
        return by_name
    values.append(after.lead)
    number = len(values)
    return f"({lead.sql} {lead.is_after} ${number} or ({lead.sql} = ${number} and {by_name}))"


def _all(where: Sequence[str]) -> str:
    return f"where {' and '.join(where)}" if where else ""


def _listing(more: str = "") -> str:
    return _LISTED.format(more=more)


def _listed(row: Any) -> dict[str, Any]:
    summary = orjson.loads(row["summary"])
    return {
        "id": row["id"],
        **{name: summary.get(name) for name in ("name", "brand", "siren", "city")},
        **{name: row[name] for name in ("departement", "clusters", "lineages", "paid_until", "paid_up", "active")},
        "changed_at": row["updated_at"],
        "sort_key": row["sort_key"],
    }
