"""What ``traboule parity`` and ``traboule differences`` do in a service's database."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from services.common.transactions import transaction
from services.cutover import manifests
from services.cutover.operations import CutoverError
from services.cutover.parity import listing, runs
from services.cutover.parity.compare import Comparison
from services.cutover.parity.comparison import compare_mirror, compare_with_manifest, one_snapshot
from services.cutover.parity.deciding import Choice, Comparisons
from services.cutover.parity.run import Run, RunDifference, Subject
from shared.cli.errors import CannotAct, NotFound

if TYPE_CHECKING:
    from services.cli.importing.export import Export
    from services.common.definition import ServiceDefinition
    from shared.runtime.settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class System:
    """A former system, where our mirror of it is, and which comparisons with it are meant."""

    cluster: str
    definition: ServiceDefinition[Any]
    settings: ServiceSettings
    subject: Subject = "mirror"

    @property
    def name(self) -> str:
        """As operators write it."""
        return f"{self.cluster}/{self.definition.name}"


async def prove(system: System, export: Export, *, by: str, source: Sequence[str]) -> Run:
    """Compare an export with the mirror as it is at one moment, and keep the run. Raises Unreachable."""
    kinds = system.definition.mirrored
    money = {kind.name: kind.money for kind in kinds if kind.money is not None}
    comparison = Comparison(export.facts, money, [kind.name for kind in kinds])
    async with transaction(system.definition, system.settings, "parity") as uow:
        await one_snapshot(uow.connection)
        result = await compare_mirror(uow.connection, system.cluster, kinds, comparison)
    result = replace(result, differences=[*result.differences, *export.unreadable])
    async with transaction(system.definition, system.settings, "parity") as uow:
        await runs.keep(uow.connection, system.cluster, result, by=by, source=source)
        run = await runs.newest(uow.connection, system.cluster)
        assert run is not None, "it was kept"
        return run


async def prove_by_newest_manifest(system: System, *, by: str) -> Run:
    """Compare with what the former system says that it holds, and keep the run. Raises CannotAct, Unreachable."""
    async with transaction(system.definition, system.settings, "parity") as uow:
        await one_snapshot(uow.connection)
        compared = await compare_with_manifest(uow.connection, system.cluster, system.definition.mirrored)
        if compared is None:
            raise CannotAct(_no_manifest(system, await manifests.arrived(uow.connection, system.cluster)))
    async with transaction(system.definition, system.settings, "parity") as uow:
        await compared.keep(uow.connection, system.cluster, by=by)
        run = await runs.newest(uow.connection, system.cluster)
        assert run is not None, "it was kept"
        return run


async def listed(system: System, choice: Choice) -> tuple[Run, list[RunDifference]]:
    """The newest run as its differences stand now, and those that are chosen. Raises NotFound, CannotAct."""
    async with _deciding(system) as comparisons:
        run = await comparisons.newest()
        named = await comparisons.named(run, choice.beginnings) if choice.beginnings else None
        wanted = replace(choice.filter, digests=named)
        return run, await listing.differences(comparisons.connection, run, wanted)


async def past(system: System) -> list[dict[str, Any]]:
    """The newest runs, without their differences."""
    async with transaction(system.definition, system.settings, "differences") as uow:
        return await runs.history(uow.connection, system.cluster, subject=system.subject)


async def accept(system: System, choice: Choice, *, by: str, reason: str) -> Sequence[str]:
    """Accept differences of the newest run; returns the names of those that were open. Raises NotFound, CannotAct."""
    async with _deciding(system) as comparisons:
        return (await comparisons.accept(choice, by=by, reason=reason)).changed


async def take_back(system: System, choice: Choice, *, by: str, reason: str) -> Sequence[str]:
    """Open accepted differences again; returns the names of those that were accepted. Raises NotFound, CannotAct."""
    async with _deciding(system) as comparisons:
        return (await comparisons.take_back(choice, by=by, reason=reason)).changed


async def assign(system: System, choice: Choice, owner: str | None) -> Sequence[str]:
    """Give differences to somebody; returns the names of those that changed hands. Raises NotFound, CannotAct."""
    async with _deciding(system) as comparisons:
        return (await comparisons.assign(choice, owner)).changed


def _no_manifest(system: System, came: tuple[int, int, int] | None) -> str:
    if came is None:
        detail = f"{system.name} has sent no manifest: have it publish manifest-recorded (schemas/PRODUCERS.md)"
    else:
        version, parts, of = came
        detail = f"only {parts} of {of} parts of {system.name}'s manifest {version} arrived: have it send the rest"
    return f"{detail}, or give its export: traboule parity --as {system.name} EXPORT-FILE"


@asynccontextmanager
async def _deciding(system: System) -> AsyncGenerator[Comparisons]:
    """One transaction of the service. Raises Unreachable; and NotFound or CannotAct where it refuses."""
    try:
        async with transaction(system.definition, system.settings, "differences") as uow:
            yield Comparisons(uow.connection, system.cluster, system.definition.name, system.subject)
    except CutoverError as error:
        raise (CannotAct if error.kind == "difference-ambiguous" else NotFound)(str(error)) from None
