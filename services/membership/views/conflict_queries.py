"""Conflicts that merges brought, with what the services that resolve them answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.membership.rows import Rows
from shared.persistence.database import json_of

State = Literal["open", "settled", "gone"]

# A conflict that went away and came back has an answer from before: until the next one it is only told.
_WITH = """
    with conflicts as (
        select c.conflict_id, c.kind, c.responsible, c.a_cluster, c.a_record_id, c.b_cluster, c.b_record_id,
               c.overlaps, c.found_at, c.gone_at, a.owner, a.changed_at,
               case when c.gone_at is not null then 'gone' when a.state is null or a.state = 'gone' then 'told'
                    else a.state end as state,
               s.member_id
        from merge_conflicts c
        left join conflict_answers a using (conflict_id, responsible)
        left join source_records s on s.own_id = c.member_id
    )
"""
_CONFLICTS = f"""
    {_WITH}
    select c.conflict_id, c.kind, c.responsible,
           c.a_cluster || '/' || c.a_record_id, c.b_cluster || '/' || c.b_record_id,
           c.overlaps, c.found_at, c.gone_at, c.owner, c.changed_at, c.state, c.member_id::text, v.summary ->> 'name'
    from conflicts c left join views v using (member_id)
"""
_OF_MEMBER = """
    exists (
        select 1 from source_records r
        where r.member_id = {}::uuid
          and (r.cluster, r.record_id) in ((c.a_cluster, c.a_record_id), (c.b_cluster, c.b_record_id))
    )
"""


@dataclass(frozen=True, slots=True)
class ConflictFilters:
    """Which conflicts a list shows; None leaves out nothing. ``open`` also shows those that are only told yet."""

    state: State | None = None
    responsible: str | None = None
    member_id: str | None = None


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """A conflict as it stands; ``owner`` and ``answered_at`` are None until the responsible service answered.

    ``member_id`` is None once nothing is left of the member.
    """

    conflict_id: str
    kind: str
    responsible: str
    between: tuple[str, str]
    overlaps: list[dict[str, Any]]
    found_at: datetime
    gone_at: datetime | None
    owner: str | None
    answered_at: datetime | None
    state: str
    member_id: str | None
    member_name: str | None


async def conflicts(
    rows: Rows, filters: ConflictFilters, *, after: tuple[datetime, str] | None, limit: int
) -> list[OpenConflict]:
    """A page of conflicts, the oldest first."""
    where, values = _where(filters)
    if after is not None:
        values += after
        where.append(f"(c.found_at, c.conflict_id) > (${len(values) - 1}, ${len(values)})")
    values.append(limit)
    chosen = f"where {' and '.join(where)}" if where else ""
    order = f"order by c.found_at, c.conflict_id limit ${len(values)}"
    return [_open_conflict(row) for row in await rows.fetch(f"{_CONFLICTS} {chosen} {order}", *values)]


async def count_conflicts(rows: Rows, filters: ConflictFilters) -> int:
    """How many conflicts the filters leave."""
    where, values = _where(filters)
    chosen = f"where {' and '.join(where)}" if where else ""
    return (await rows.fetch(f"{_WITH} select count(*) from conflicts c {chosen}", *values))[0][0]


async def conflict(rows: Rows, conflict_id: str) -> OpenConflict | None:
    """One conflict."""
    result = await rows.fetch(f"{_CONFLICTS} where c.conflict_id = $1", conflict_id)
    return _open_conflict(result[0]) if result else None


def _where(filters: ConflictFilters) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    if filters.state is not None:
        values.append(["open", "told"] if filters.state == "open" else [filters.state])
        where.append(f"c.state = any(${len(values)})")
    if filters.responsible is not None:
        values.append(filters.responsible)
        where.append(f"c.responsible = ${len(values)}")
    if filters.member_id is not None:
        values.append(filters.member_id)
        where.append(_OF_MEMBER.format(f"${len(values)}"))
    return where, values


def _open_conflict(row: Any) -> OpenConflict:
    conflict_id, kind, responsible, a, b, overlaps, *rest = row
    return OpenConflict(conflict_id, kind, responsible, (a, b), json_of(overlaps), *rest)
