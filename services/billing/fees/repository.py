"""Grids as they are kept: proposed, adopted, and which of them is in force on a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing_grids import Grid
from shared.persistence.database import json_of, rows_of

# One grid of an issuer after the other: numbers grow, and of two adoptions the second sees the first.
_TURN = "select pg_advisory_xact_lock(hashtext('grids'), hashtext($1))"
_PROPOSE = """
    insert into grids (grid_id, issuer, number, document, proposed_by, reason, proposed_key)
    select $1::uuid, $2::text, coalesce(max(number), 0) + 1, $3::json, $4::text, $5::text, $6::text
    from grids where issuer = $2
"""
_ADOPT = """
    insert into grid_adoptions (grid_id, issuer, valid, replaces, adopted_by, reason)
    values ($1::uuid, $2, daterange($3, $4, '[]'), $5::uuid, $6, $7)
"""
_GRIDS = """
    select g.grid_id::text, g.number, g.document, g.proposed_by, g.proposed_at, a.adopted_by, a.adopted_at,
           a.replaces::text, lower(n.valid), g.proposed_key
    from grids g left join grid_adoptions a using (grid_id) left join grid_adoptions n on n.replaces = g.grid_id
    where ($1::text is null or g.issuer = $1) and ($2::uuid is null or g.grid_id = $2::uuid)
    order by g.issuer, g.number desc
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptGrid:
    """A grid; ``adopted_at`` is None while it is a proposal, ``followed_on`` the day from which another replaces it."""

    grid_id: str
    number: int
    grid: Grid
    proposed_by: str
    proposed_at: datetime
    adopted_by: str | None
    adopted_at: datetime | None
    replaces: str | None
    followed_on: date | None
    proposed_key: str | None = None

    @property
    def until(self) -> date | None:
        """Its last day, as far as it is known."""
        return self.grid.valid_until if self.followed_on is None else self.followed_on - timedelta(days=1)

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return self.adopted_at is not None and self.grid.valid_from <= day <= (self.until or date.max)


async def turn(connection: AsyncConnection, issuer: str) -> None:
    """Wait until nobody else proposes or adopts a grid of this issuer."""
    await connection.exec_driver_sql(_TURN, (issuer,))


async def propose(connection: AsyncConnection, grid: Grid, by: str, reason: str, key_id: str | None) -> str:
    """Keep a grid that is not in force; returns its id."""
    grid_id = str(uuid4())
    document = orjson.dumps(grid.model_dump(mode="json")).decode()
    await connection.exec_driver_sql(_PROPOSE, (grid_id, grid.issuer, document, by, reason, key_id))
    return grid_id


async def adopt(connection: AsyncConnection, kept: KeptGrid, replaces: str | None, by: str, reason: str) -> None:
    """Put a grid in force. The database refuses one that overlaps another which it does not replace."""
    grid = kept.grid
    values = (kept.grid_id, grid.issuer, grid.valid_from, grid.valid_until, replaces, by, reason)
    await connection.exec_driver_sql(_ADOPT, values)


async def grids(connection: AsyncConnection, issuer: str | None = None, grid_id: str | None = None) -> list[KeptGrid]:
    """Grids, those of an issuer from the newest on."""
    rows = rows_of(await connection.exec_driver_sql(_GRIDS, (issuer, grid_id)))
    return [
        KeptGrid(
            grid_id=row[0],
            number=row[1],
            grid=Grid.model_validate(json_of(row[2])),
            proposed_by=row[3],
            proposed_at=row[4],
            adopted_by=row[5],
            adopted_at=row[6],
            replaces=row[7],
            followed_on=row[8],
            proposed_key=row[9],
        )
        for row in rows
    ]


def following(kept: Sequence[KeptGrid], first: date, end: date) -> list[KeptGrid]:
    """Grids that come into force after the first day and before the end, by day."""
    later = [each for each in kept if each.adopted_at is not None and first < each.grid.valid_from < end]
    return sorted(
        (each for each in later if each.holds_on(each.grid.valid_from)), key=lambda each: each.grid.valid_from
    )


def in_force(kept: Sequence[KeptGrid], day: date) -> KeptGrid | None:
    """The grid in force on a day."""
    return next((each for each in kept if each.holds_on(day)), None)
