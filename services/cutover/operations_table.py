"""What carries out each operation about former systems: alike in every service, on its own stage and records."""

from collections.abc import Mapping
from typing import Any, Final

from schemas import cutover_operations as declared
from schemas.cutover_answers import BackupNoted
from schemas.cutover_operations import (
    BackupArguments,
    ConditionsArguments,
    LateArguments,
    MoveArguments,
    NoArguments,
    QuarantineArguments,
    WayBackArguments,
)
from services.cutover import operations, quarantine_operations
from services.cutover.definition import CutoverDefinition
from services.cutover.parity_operations import PARITY
from services.operations.binding import Bound, Call, Table, table
from services.operations.parked import PARKED

# --- queries -------------------------------------------------------------------------------------------------------


async def _stage(call: Call[NoArguments]) -> Mapping[str, Any]:
    return await operations.read_stage(call.uow, call.definition, call.cluster)


async def _conditions(call: Call[ConditionsArguments]) -> Mapping[str, Any]:
    which = call.arguments.which
    every = await operations.conditions(call.uow, call.definition, call.cluster, which)
    holds = all(condition.holds for condition in every)
    return _about(call) | {"for": which, "holds": holds, "conditions": [condition.as_json() for condition in every]}


async def _history(call: Call[NoArguments]) -> Mapping[str, Any]:
    return _about(call) | {"items": await operations.history(call.uow, call.cluster)}


async def _quarantine(call: Call[QuarantineArguments]) -> Mapping[str, Any]:
    arguments = call.arguments
    state, limit = (None if arguments.state == "all" else arguments.state), arguments.limit
    late = await quarantine_operations.quarantined(
        call.uow, call.definition, call.cluster, state, after=arguments.after, limit=limit + 1
    )
    page = late[:limit]
    following = int(page[-1]["id"].partition(":")[2]) if len(late) > limit else None
    return {"items": page, "next": following}


async def _late_message(call: Call[LateArguments]) -> Mapping[str, Any]:
    return await quarantine_operations.late_message(call.uow, call.definition, call.arguments.number, call.cluster)


async def _way_back(call: Call[WayBackArguments]) -> Mapping[str, Any]:
    arguments = call.arguments
    page = await operations.written_back(
        call.uow, call.definition, call.cluster, after=arguments.after, limit=arguments.limit
    )
    return _about(call) | page


# --- commands ------------------------------------------------------------------------------------------------------


async def _move(call: Call[MoveArguments]) -> Mapping[str, Any]:
    which = call.arguments.move
    moved = await operations.move(
        call.uow,
        call.definition,
        call.cluster,
        which,
        by=call.author,
        reason=call.reason,
        overrule=call.arguments.overrule,
    )
    at = moved.state
    return _about(call) | {
        "stage": at.stage,
        "authority": operations.authority(at.stage),
        "epoch": at.epoch,
        "since": at.since,
        "by": at.by,
        "already": moved.already,
        "remains": _remains(call) if which == "retire" else None,
    }


async def _apply_late(call: Call[LateArguments]) -> Mapping[str, Any]:
    return await _decide_late(call, apply=True)


async def _dismiss_late(call: Call[LateArguments]) -> Mapping[str, Any]:
    return await _decide_late(call, apply=False)


async def _decide_late(call: Call[LateArguments], *, apply: bool) -> Mapping[str, Any]:
    number = call.arguments.number
    await quarantine_operations.decide_late(
        call.uow, call.definition, [number], apply=apply, by=call.author, reason=call.reason, cluster=call.cluster
    )
    return await _late_message(call)


async def _note_backup(call: Call[BackupArguments]) -> BackupNoted:
    await operations.note_backup(call.uow, by=call.author, note=call.arguments.note)
    return BackupNoted(noted=True)


# --- the table -----------------------------------------------------------------------------------------------------

CUTOVER: Final = (
    Bound(declared.STAGE, _stage),
    Bound(declared.CONDITIONS, _conditions),
    Bound(declared.HISTORY, _history),
    *PARITY,
    Bound(declared.WAY_BACK, _way_back),
    Bound(declared.QUARANTINE, _quarantine),
    Bound(declared.LATE_MESSAGE, _late_message),
    Bound(declared.MOVE, _move),
    Bound(declared.APPLY_LATE, _apply_late),
    Bound(declared.DISMISS_LATE, _dismiss_late),
    Bound(declared.NOTE_BACKUP, _note_backup),
)


def table_of(definition: CutoverDefinition) -> Table:
    """Every operation that a service carries out: those that all services have, and its own."""
    return table((*CUTOVER, *PARKED, *definition.operations))


def _remains(call: Call[Any]) -> str:
    """Services have no right to change rights: an operator's command takes this one, and completes the answer."""
    return (
        f"its broker user {call.cluster}.{call.definition.name} still may write, until an operator runs: "
        "traboule former-systems revoke-retired"
    )


def _system(call: Call[Any]) -> str:
    return f"{call.cluster}/{call.definition.name}"


def _about(call: Call[Any]) -> dict[str, Any]:
    return {"system": _system(call)}
