"""Conflicts in the databases of the services that resolve them, named ``<service>:<beginning of the id>``.

What is decided here goes through the service's own unit of work and outbox: its answer is announced by its relay.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from typing import Any

from schemas.conflicts import ConflictState
from services.cli.registry import definition_of
from services.common.transactions import transaction
from services.conflicts.domain import Conflict, WrongState
from services.conflicts.handlers import decide as decide_conflicts
from services.conflicts.repository import ConflictsUnitOfWork
from shared.cli.errors import CannotAct, NotFound, Unreachable
from shared.runtime.settings import ServiceSettings

_SHORT = 12
_CANDIDATES = 5


async def listed(
    services: Mapping[str, ServiceSettings], states: Sequence[ConflictState], owner: str | None
) -> list[dict[str, Any]]:
    """Every conflict in one of these states, of this owner if one is named, the oldest of each service first."""
    rows: list[dict[str, Any]] = []
    for service, settings in services.items():
        async with transaction(definition_of(service), settings, "conflicts") as uow:
            rows += [_shown(service, conflict) for conflict in await uow.conflicts_in(states, owner)]
    return rows


async def whole(service: str, settings: ServiceSettings, beginning: str) -> dict[str, Any]:
    """One conflict with its settlement and history. Raises NotFound, or CannotAct when several begin so."""
    async with transaction(definition_of(service), settings, "conflicts") as uow:
        return _shown(service, await _by_beginning(uow, service, beginning))


async def decide(
    services: Mapping[str, ServiceSettings],
    chosen: Mapping[str, Sequence[str]],
    decision: Callable[[Conflict], Conflict],
) -> dict[str, list[str]]:
    """Apply a decision to all of these conflicts or, where it fits one of them not, to none, whosever they are.

    Returns the names of those that it changed, by service. Raises NotFound, CannotAct and Unreachable.
    """
    decided: dict[str, list[str]] = {}
    committed: list[str] = []
    try:
        async with AsyncExitStack() as services_at_once:
            # In one order, so that two who decide at the same time never wait for each other.
            for service in sorted(chosen):
                uow = await services_at_once.enter_async_context(_noted(service, services[service], committed))
                decided[service] = await _decide(uow, service, chosen[service], decision)
    except Unreachable as error:
        # Databases commit one by one: all were there a moment ago, so this hardly ever has anything to tell.
        done = ", ".join(name for service in committed for name in decided[service])
        raise Unreachable(f"{error}. " + (f"Done: only {done}" if done else "Nothing was done")) from None
    return decided


@asynccontextmanager
async def _noted(service: str, settings: ServiceSettings, committed: list[str]) -> AsyncGenerator[Any]:
    async with transaction(definition_of(service), settings, "conflicts") as uow:
        yield uow
    committed.append(service)


async def _decide(
    uow: ConflictsUnitOfWork, service: str, beginnings: Sequence[str], decision: Callable[[Conflict], Conflict]
) -> list[str]:
    def decided(conflict: Conflict) -> Conflict:
        try:
            return decision(conflict)
        except WrongState as error:
            raise CannotAct(f"{_name(service, conflict)}: {error}. Nothing was done") from None

    chosen = {(await _by_beginning(uow, service, beginning)).conflict_id for beginning in beginnings}
    return [_name(service, conflict) for conflict in await decide_conflicts(uow, chosen, decided)]


async def _by_beginning(uow: ConflictsUnitOfWork, service: str, beginning: str) -> Conflict:
    conflicts = await uow.conflicts_like(beginning, _CANDIDATES + 1)
    if not conflicts:
        raise NotFound(f"there is no conflict {service}:{beginning}")
    if len(conflicts) > 1 and conflicts[0].conflict_id != beginning:
        names = ", ".join(f"{service}:{conflict.conflict_id}" for conflict in conflicts[:_CANDIDATES])
        more = ", …" if len(conflicts) > _CANDIDATES else ""
        raise CannotAct(f"several conflicts begin with {service}:{beginning}: {names}{more}")
    return conflicts[0]


def _name(service: str, conflict: Conflict) -> str:
    return f"{service}:{conflict.conflict_id[:_SHORT]}"


def _shown(service: str, conflict: Conflict) -> dict[str, Any]:
    row = asdict(conflict)
    for inner in ("version", "digest", "answers", "settled_twice"):
        del row[inner]
    return {"id": _name(service, conflict), "service": service, **row}
