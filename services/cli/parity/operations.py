"""What ``traboule parity`` and ``traboule differences`` do in a service's database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from services.common.transactions import transaction
from services.cutover import manifests
from services.cutover.parity import runs
from services.cutover.parity.compare import Comparison, What
from services.cutover.parity.comparison import compare_mirror, one_snapshot, prove_by_manifest
from services.cutover.parity.run import Run, RunDifference, Subject
from shared.cli.errors import CannotAct, NotFound

if TYPE_CHECKING:
    from services.cli.importing.export import Export
    from services.common.definition import ServiceDefinition
    from shared.runtime.settings import ServiceSettings

_CANDIDATES = 5


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


@dataclass(frozen=True, slots=True)
class Choice:
    """Which differences of the newest run: those whose ids begin so, or all that match."""

    beginnings: Sequence[str] = ()
    kind: str | None = None
    what: What | None = None
    field: str | None = None
    owner: str | None = None

    def matches(self, item: RunDifference) -> bool:
        """Whether the filter lets it through."""
        difference = item.difference
        return (
            self.kind in (None, difference.kind)
            and self.what in (None, difference.what)
            and (self.field is None or self.field in difference.fields)
            and self.owner in (None, item.owner)
        )


async def prove(system: System, export: Export, *, by: str, source: Sequence[str]) -> Run:
    """Compare an export with the mirror as it is at one moment, and keep the run. Raises Unreachable."""
    kinds = system.definition.mirrored
    money = {kind.name: kind.money for kind in kinds if kind.money is not None}
    comparison = Comparison(export.facts, money, [kind.name for kind in kinds])
    async with transaction(system.definition, system.settings, "parity") as uow:
        await one_snapshot(uow.connection)
        result = await compare_mirror(uow.connection, system.cluster, kinds, comparison)
        result = replace(result, differences=[*result.differences, *export.unreadable])
        await runs.keep(uow.connection, system.cluster, result, by=by, source=source)
        run = await runs.newest(uow.connection, system.cluster)
        assert run is not None, "it was kept"
        return run


async def prove_by_newest_manifest(system: System, *, by: str) -> Run:
    """Compare with what the former system says that it holds, and keep the run. Raises CannotAct, Unreachable."""
    async with transaction(system.definition, system.settings, "parity") as uow:
        await one_snapshot(uow.connection)
        if await prove_by_manifest(uow.connection, system.cluster, system.definition.mirrored, by=by) is None:
            raise CannotAct(_no_manifest(system, await manifests.arrived(uow.connection, system.cluster)))
        return await _newest(uow, system)


async def newest(system: System) -> Run:
    """The newest run as its differences stand now. Raises NotFound."""
    async with transaction(system.definition, system.settings, "differences") as uow:
        return await _newest(uow, system)


async def past(system: System) -> list[dict[str, Any]]:
    """The newest runs, without their differences."""
    async with transaction(system.definition, system.settings, "differences") as uow:
        return await runs.history(uow.connection, system.cluster, subject=system.subject)


async def accept(system: System, choice: Choice, *, by: str, reason: str) -> list[str]:
    """Accept differences of the newest run; returns the names of those that were open. Raises NotFound, CannotAct."""

    async def do(uow: Any, _: Run, digests: Collection[str]) -> set[str]:
        return await runs.accept(uow.connection, system.cluster, digests, by=by, reason=reason)

    return await _decide(system, choice, do)


async def take_back(system: System, choice: Choice, *, by: str, reason: str) -> list[str]:
    """Open accepted differences again; returns the names of those that were accepted. Raises NotFound, CannotAct."""

    async def do(uow: Any, _: Run, digests: Collection[str]) -> set[str]:
        return await runs.take_back(uow.connection, system.cluster, digests, by=by, reason=reason)

    return await _decide(system, choice, do)


async def assign(system: System, choice: Choice, owner: str) -> list[str]:
    """Give differences to somebody; returns the names of those that changed hands. Raises NotFound, CannotAct."""

    async def do(uow: Any, run: Run, digests: Collection[str]) -> set[str]:
        return await runs.assign(uow.connection, run.number, digests, owner)

    return await _decide(system, choice, do)


def chosen(run: Run, choice: Choice) -> list[RunDifference]:
    """What an operator chose. Raises NotFound, or CannotAct when several begin as one was named."""
    if not choice.beginnings:
        return [item for item in run.differences if choice.matches(item)]
    return [_named(run, beginning) for beginning in dict.fromkeys(choice.beginnings)]


def _named(run: Run, beginning: str) -> RunDifference:
    result = [item for item in run.differences if item.digest.startswith(beginning.lower())]
    if not result:
        raise NotFound(f"the newest comparison of {run.cluster} found no difference {beginning}")
    if len(result) > 1:
        names = ", ".join(item.digest[:16] for item in result[:_CANDIDATES])
        more = ", …" if len(result) > _CANDIDATES else ""
        raise CannotAct(f"several differences begin with {beginning}: {names}{more}")
    return result[0]


def _no_manifest(system: System, came: tuple[int, int, int] | None) -> str:
    if came is None:
        detail = f"{system.name} has sent no manifest: have it publish manifest-recorded (schemas/PRODUCERS.md)"
    else:
        version, parts, of = came
        detail = f"only {parts} of {of} parts of {system.name}'s manifest {version} arrived: have it send the rest"
    return f"{detail}, or give its export: traboule parity --as {system.name} EXPORT-FILE"


async def _decide(system: System, choice: Choice, do: Callable[..., Any]) -> list[str]:
    async with transaction(system.definition, system.settings, "differences") as uow:
        run = await _newest(uow, system)
        result = chosen(run, choice)
        if not result:
            raise NotFound("no difference matches")
        changed: set[str] = await do(uow, run, [item.digest for item in result])
        return [item.name for item in result if item.digest in changed]


async def _newest(uow: Any, system: System) -> Run:
    run = await runs.newest(uow.connection, system.cluster, system.subject)
    if run is None and system.subject == "rehearsal":
        raise NotFound(f"{system.name} was never rehearsed: traboule rehearse {system.name}")
    if run is None:
        raise NotFound(f"{system.name} was never compared: traboule parity --as {system.name} EXPORT-FILE")
    return run
