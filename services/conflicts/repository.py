"""All SQL of conflicts, and the unit of work of a service that resolves them."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, ClassVar

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.conflicts import ConflictAnswered, ConflictState
from services.conflicts.domain import Conflict
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

_COLUMNS = [field.name for field in fields(Conflict)]
_NAMES = ", ".join(_COLUMNS)
_DOCUMENTS = ("records", "held_twice", "settled_twice", "history")
_READ = ", ".join(f"{name}::text" if name in (*_DOCUMENTS, "member_id") else name for name in _COLUMNS)

# Messages and staff change the same rows, and the answers to a conflict are numbered: one writer after the other.
_TURN = "select pg_advisory_xact_lock(hashtext('merge_conflicts'))"
_STORED = f"select {_READ} from merge_conflicts where conflict_id = any($1::text[]) order by conflict_id"
_LIKE = f"""
    select {_READ} from merge_conflicts where starts_with(conflict_id, $1)
    order by conflict_id = $1 desc, conflict_id limit {{most}}
"""
_LIST = f"""
    select {_READ} from merge_conflicts
    where state = any($1::text[]) and ($2::text is null or owner = $2) order by raised_at, conflict_id
"""
_SAVE = f"""
    insert into merge_conflicts ({_NAMES})
    select {_NAMES} from jsonb_populate_recordset(null::merge_conflicts, $1::jsonb) order by conflict_id
    on conflict (conflict_id) do update set {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])}
"""


class ConflictsUnitOfWork(UnitOfWork):
    """One transaction of a service that resolves conflicts; ``conflict_owner`` has what nobody was given yet."""

    answered: ClassVar[type[ConflictAnswered]]
    """The fact that this service announces."""

    def __init__(self, connection: AsyncConnection, conflict_owner: str) -> None:
        super().__init__(connection)
        self.conflict_owner = conflict_owner

    async def serialise_writers(self) -> None:
        """Wait until no other transaction changes conflicts; ours then sees all that they committed."""
        await self.connection.exec_driver_sql(_TURN)

    async def conflicts(self, conflict_ids: Iterable[str]) -> dict[str, Conflict]:
        """What is held of these conflicts."""
        rows = rows_of(await self.connection.exec_driver_sql(_STORED, (sorted(conflict_ids),)))
        return {conflict.conflict_id: conflict for conflict in map(_conflict, rows)}

    async def conflicts_like(self, beginning: str, most: int) -> list[Conflict]:
        """At most ``most`` whose id begins so; one that is called exactly so comes first."""
        rows = await self.connection.exec_driver_sql(_LIKE.format(most=most), (beginning,))
        return [_conflict(row) for row in rows_of(rows)]

    async def conflicts_in(self, states: Sequence[ConflictState], owner: str | None = None) -> list[Conflict]:
        """Every conflict in one of these states, of this owner if one is named; the oldest first."""
        rows = await self.connection.exec_driver_sql(_LIST, (list(states), owner))
        return [_conflict(row) for row in rows_of(rows)]

    async def save_conflicts(self, conflicts: Sequence[Conflict]) -> None:
        """Write them as they are now."""
        if conflicts:
            await self.connection.exec_driver_sql(_SAVE, (orjson.dumps(conflicts, default=_hex).decode(),))


def _conflict(row: tuple[Any, ...]) -> Conflict:
    values: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    for name in _DOCUMENTS:
        values[name] = orjson.loads(values[name])
    return Conflict(**values)


def _hex(value: object) -> str:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"  # as PostgreSQL reads it
    raise TypeError
