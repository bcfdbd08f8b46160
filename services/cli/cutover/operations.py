"""What ``traboule cutover`` and ``traboule quarantine`` ask of the cutover operations, in the services' databases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from services.cli.registry import definition_of
from services.common.definition import ServiceDefinition
from services.common.transactions import transaction
from services.cutover import operations, quarantine_operations
from services.cutover.operations import CutoverError
from shared.cli.errors import CannotAct, NotFound, Unreachable
from shared.messaging.unit_of_work import UnitOfWork
from shared.messaging.waiting import BrokerUnavailableError
from shared.runtime.clusters import Cluster
from shared.runtime.settings import ServiceSettings

T = TypeVar("T")
Services = Mapping[str, ServiceSettings]


async def in_service(
    definition: ServiceDefinition[Any],
    settings: ServiceSettings,
    operation: Callable[[UnitOfWork], Awaitable[T]],
    command: str = "cutover",
) -> T:
    """One operation in one transaction of a service.

    Raises Unreachable; and CannotAct or NotFound, with what mends it, where they refuse.
    """
    try:
        async with transaction(definition, settings, command) as uow:
            return await operation(uow)
    except BrokerUnavailableError as error:
        raise Unreachable(str(error)) from None
    except CutoverError as error:
        raise (NotFound if error.kind == "late-unknown" else CannotAct)(str(error)) from None


async def board(services: Services, clusters: Mapping[str, Cluster]) -> list[dict[str, Any]]:
    """Every former system, by cluster and service: where it stands, since when, and what waits in quarantine."""
    rows: list[dict[str, Any]] = []
    for service, settings in services.items():
        definition, theirs = (
            definition_of(service),
            [code for code, cluster in clusters.items() if service in cluster.services],
        )
        rows += await in_service(definition, settings, lambda uow, d=definition, t=theirs: operations.board(uow, d, t))
    return sorted(rows, key=lambda row: row["system"])


async def note_backup(services: Services, by: str, note: str) -> None:
    """Remember in every service's database that all were backed up now."""
    for service, settings in services.items():
        await in_service(definition_of(service), settings, lambda uow: operations.note_backup(uow, by=by, note=note))


async def quarantined(services: Services, cluster: str | None, state: str | None) -> list[dict[str, Any]]:
    """What is or was in quarantine, without its content."""
    rows: list[dict[str, Any]] = []
    for service, settings in services.items():
        definition = definition_of(service)
        rows += await in_service(
            definition,
            settings,
            lambda uow, d=definition: quarantine_operations.quarantined(uow, d, cluster, state),
            "quarantine",
        )
    return rows
