"""What ``traboule cutover`` and ``traboule quarantine`` ask of the desk, in the services' databases."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from services.cutover import desk
from services.cutover.desk import DeskError, GatedMove, Moved
from services.cutover.gate import Condition
from services.cutover.stages import Move
from services.ops.transactions import transaction
from shared.cli.errors import CannotAct, NotFound, Unreachable
from shared.messaging.unit_of_work import UnitOfWork
from shared.messaging.waiting import BrokerAwayError
from shared.runtime.clusters import Cluster
from shared.runtime.settings import ServiceSettings

Services = Mapping[str, ServiceSettings]


@asynccontextmanager
async def _desk(service: str, settings: ServiceSettings, command: str = "cutover") -> AsyncGenerator[UnitOfWork]:
    """One transaction. Raises Unreachable; says as CannotAct or NotFound what the desk refuses."""
    try:
        async with transaction(service, settings, command) as uow:
            yield uow
    except BrokerAwayError as error:
        raise Unreachable(str(error)) from None
    except DeskError as error:
        raise (NotFound if error.kind == "late-unknown" else CannotAct)(str(error)) from None


async def board(services: Services, clusters: Mapping[str, Cluster]) -> list[dict[str, Any]]:
    """Every former system, by cluster and service: where it stands, since when, and what waits in quarantine."""
    rows: list[dict[str, Any]] = []
    for service, settings in services.items():
        async with _desk(service, settings) as uow:
            theirs = [code for code, cluster in clusters.items() if service in cluster.services]
            rows += await desk.board(uow, service, theirs)
    return sorted(rows, key=lambda row: row["system"])


async def gate(service: str, settings: ServiceSettings, cluster: str, which: GatedMove = "switch") -> list[Condition]:
    """The conditions for switching this former system, or for rolling it back. Raises Unreachable."""
    async with _desk(service, settings) as uow:
        return await desk.conditions(uow, service, cluster, which)


async def make_move(
    service: str,
    settings: ServiceSettings,
    cluster: str,
    which: Move,
    *,
    by: str,
    reason: str,
    overrule: Collection[str] = (),
) -> Moved:
    """Move it on or back, unless that was done already.

    Raises CannotAct, with what failed and the command that mends it, and Unreachable.
    """
    async with _desk(service, settings) as uow:
        return await desk.move(uow, service, cluster, which, by=by, reason=reason, overrule=overrule)


async def history(service: str, settings: ServiceSettings, cluster: str) -> list[dict[str, Any]]:
    """Every move of a former system, the newest first."""
    async with _desk(service, settings) as uow:
        return await desk.history(uow, cluster)


async def note_backup(services: Services, by: str, note: str) -> None:
    """Remember in every service's database that all were backed up now."""
    for service, settings in services.items():
        async with _desk(service, settings) as uow:
            await desk.note_backup(uow, by=by, note=note)


# --- quarantine ----------------------------------------------------------------------------------------------------


async def quarantined(services: Services, cluster: str | None, state: str | None) -> list[dict[str, Any]]:
    """What is or was in quarantine, without its content."""
    rows: list[dict[str, Any]] = []
    for service, settings in services.items():
        async with _desk(service, settings, "quarantine") as uow:
            rows += await desk.quarantined(uow, service, cluster, state)
    return rows


async def late_message(service: str, settings: ServiceSettings, number: int) -> dict[str, Any]:
    """One message whole, beside what is held now of the record that it is about. Raises NotFound."""
    async with _desk(service, settings, "quarantine") as uow:
        return await desk.late_message(uow, service, number)


async def decide_late(
    service: str, settings: ServiceSettings, numbers: Sequence[int], *, apply: bool, by: str, reason: str
) -> list[str]:
    """Apply or dismiss late messages; all of them or, if one cannot be, none. Raises CannotAct, NotFound."""
    async with _desk(service, settings, "quarantine") as uow:
        return await desk.decide_late(uow, service, numbers, apply=apply, by=by, reason=reason)
