"""The cases of all members for one period: what the simulation, the preview and the run go by alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing_grids import Grid
from services.billing.dues.case import Case, Decision, Key, grid_in_force
from services.billing.dues.days import add_months
from services.billing.dues.repository import decisions_in_force, frozen_prices
from services.billing.fees.pricing import Price
from services.billing.fees.repository import KeptGrid, following, grids, in_force
from services.billing.issuers.issuer import Issuer
from services.billing.members.member import KnownMember
from services.billing.members.queries import members_of
from services.operations.binding import RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One issuer's members, and all that decides what they owe for the twelve months from ``first`` on."""

    issuer: Issuer
    first: date
    grid: Grid
    grid_id: str
    members: list[KnownMember]
    decisions: Mapping[Key, list[Decision]]
    frozen: Mapping[Key, tuple[str, Price]] = field(default_factory=dict[Key, tuple[str, Price]])
    later: Sequence[KeptGrid] = ()
    """Grids that follow within the period, by day: for who joins from then on."""

    def case(self, member: KnownMember) -> Case:
        """One member's case."""
        return Case(
            records=member.records(),
            covers=member.covers(),
            decisions=tuple(decision for key in member.keys for decision in self.decisions.get(key, ())),
            grid=self.grid,
            first=self.first,
            frozen={key: self.frozen[key][1] for key in member.keys if key in self.frozen},
            later=tuple(kept.grid for kept in self.later),
        )

    def grid_of(self, member: KnownMember, key: Key) -> tuple[str, Grid]:
        """The grid by which a record is charged that was not billed yet, with its id."""
        since = next((record.since for record in member.records() if record.key == key), None)
        grid = grid_in_force(self.grid, [kept.grid for kept in self.later], since)
        return next(((kept.grid_id, grid) for kept in self.later if kept.grid is grid), (self.grid_id, grid))


async def period(
    connection: AsyncConnection, issuer: Issuer, first: date, grid: KeptGrid | None = None, member: str | None = None
) -> Period:
    """Of all members or one; by the grid in force on the first day, or one that is only tried. Raises RefusedError."""
    tried = grid is not None
    kept = await grids(connection, issuer.code)
    chosen = grid or in_force(kept, first)
    if chosen is None:
        raise RefusedError("no-grid", f"no grid of {issuer.code} is in force on {first}: adopt one")
    if first.day != 1 or first.month != chosen.grid.starts_month:
        month = chosen.grid.starts_month
        raise RefusedError(
            "no-grid", f"periods of this grid begin on the first day of month {month}, and not on {first}"
        )
    return Period(
        issuer=issuer,
        first=first,
        grid=chosen.grid,
        grid_id=chosen.grid_id,
        members=await members_of(connection, issuer.clusters, member),
        decisions=await decisions_in_force(connection, issuer.clusters),
        # A grid that is only tried shows what it asks, whatever was billed before.
        frozen={} if tried else await frozen_prices(connection, issuer.code, first),
        later=() if tried else following(kept, first, add_months(first, 12)),
    )
