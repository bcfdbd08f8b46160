"""Grids: proposed by one person, adopted by another, and never altered."""

from datetime import date
from typing import Any

from schemas.billing_grids import Grid
from schemas.billing_operations import Adopted, Grids, GridShown, OfIssuer, Proposed
from services.billing.fees import repository
from services.billing.fees.repository import KeptGrid
from services.billing.issuers.issuer import Settings, vat_refusal
from services.billing.usecases.approval import approver, key_of, refuse_same_person
from services.billing.usecases.issuers import issuer_named, settings_on
from services.operations.binding import Call, RefusedError


async def grids(call: Call[OfIssuer]) -> Grids:
    """All grids, or those of one issuer."""
    kept = await repository.grids(call.uow.connection, call.arguments.issuer)
    return Grids(items=[shown(each) for each in kept])


async def propose_grid(call: Call[Proposed]) -> GridShown:
    """Keep a grid that is not in force."""
    grid = call.arguments.grid
    _check(call, grid)
    await repository.turn(call.uow.connection, grid.issuer)
    grid_id = await repository.propose(call.uow.connection, grid, call.author, call.reason, key_of(call))
    return shown(await kept_grid(call, grid_id))


async def adopt_grid(call: Call[Adopted]) -> GridShown:
    """Put a proposed grid in force."""
    connection, arguments = call.uow.connection, call.arguments
    proposal = await kept_grid(call, arguments.grid_id)
    await repository.turn(connection, proposal.grid.issuer)
    others = await repository.grids(connection, proposal.grid.issuer)
    proposal = next(each for each in others if each.grid_id == arguments.grid_id)
    if proposal.adopted_at is not None:
        raise RefusedError("grid-adopted", f"grid {proposal.number} of {proposal.grid.issuer} is adopted already")
    refuse_same_person(call, proposal.proposed_by, proposal.proposed_key, "proposed")
    approver(call, _check(call, proposal.grid))
    replaced = _replaced(proposal, arguments.replaces, others)
    _refuse_overlap(proposal, replaced, others)
    await repository.adopt(connection, proposal, arguments.replaces, call.author, call.reason)
    return shown(await kept_grid(call, arguments.grid_id))


async def kept_grid(call: Call[Any], grid_id: str) -> KeptGrid:
    """The grid of this id. Raises RefusedError."""
    kept = await repository.grids(call.uow.connection, grid_id=grid_id)
    if not kept:
        raise RefusedError("grid-unknown", "there is no such grid: list them with `traboule billing grids`")
    return kept[0]


def _check(call: Call[Any], grid: Grid) -> Settings:
    """The issuer's settings on the first day. Raises RefusedError where it is not there, or cannot show the VAT."""
    settings = settings_on(issuer_named(call.uow.issuers, grid.issuer), grid.valid_from)
    if refusal := vat_refusal(grid, settings):
        raise RefusedError("grid-invalid", refusal)
    return settings


def _replaced(proposal: KeptGrid, replaces: str | None, others: list[KeptGrid]) -> KeptGrid | None:
    """The grid in force that this one cuts short: it must lie within its days, and end when it does."""
    if replaces is None:
        return None
    replaced = next((each for each in others if each.grid_id == replaces and each.adopted_at), None)
    if replaced is None or replaced.followed_on is not None:
        raise RefusedError("grid-unknown", "replaces names no grid of this issuer that is in force and goes on")
    if proposal.grid.valid_from <= replaced.grid.valid_from or proposal.grid.valid_until != replaced.grid.valid_until:
        raise RefusedError(
            "grid-overlaps",
            f"grid {proposal.number} must begin after {replaced.grid.valid_from}, and end on "
            f"{replaced.grid.valid_until or 'no day'}, as grid {replaced.number} does that it replaces",
        )
    return replaced


def _refuse_overlap(proposal: KeptGrid, replaced: KeptGrid | None, others: list[KeptGrid]) -> None:
    first, last = proposal.grid.valid_from, proposal.grid.valid_until or date.max
    for other in others:
        if other.adopted_at is None or other is replaced:
            continue
        if other.grid.valid_from <= last and first <= (other.until or date.max):
            raise RefusedError(
                "grid-overlaps",
                f"grid {other.number} is in force from {other.grid.valid_from} to {other.until or 'no day'}: "
                f"let grid {proposal.number} begin later, or name grid {other.number} as replaced",
            )


def shown(kept: KeptGrid) -> GridShown:
    """A grid as it is answered."""
    return GridShown(
        grid_id=kept.grid_id,
        issuer=kept.grid.issuer,
        number=kept.number,
        grid=kept.grid.model_dump(mode="json"),
        proposed_by=kept.proposed_by,
        proposed_at=kept.proposed_at,
        adopted_by=kept.adopted_by,
        adopted_at=kept.adopted_at,
        until=kept.until,
    )
