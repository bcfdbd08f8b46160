"""A rehearsal of one former system: read in a transaction that can write nothing, then kept in another.

No effect leaves: PostgreSQL itself refuses every write, so also an outbox row, and what reads never commits.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import date
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.cutover import Stage
from services.cutover.definition import CutoverDefinition
from services.cutover.parity import runs
from services.cutover.parity.compare import Comparison, Result
from services.cutover.parity.mirror_reader import Kind
from services.cutover.parity.run import Run
from services.cutover.preconditions import Rehearsed
from services.cutover.rehearsal_rule import Rehearsal
from services.cutover.stages import StageState, read_stages

_CHUNK = 2_000
_SINCE = "since "

# Of one moment: half of a batch must not look like a difference.
_READ = "set transaction isolation level repeatable read, read only"
# A connection looks things up by key; here tables are gone through whole, once.
_WHOLE = """
    select set_config(name, value, true) from (values ('enable_seqscan', 'on'), ('enable_hashjoin', 'on'),
        ('enable_mergejoin', 'on'), ('enable_nestloop', 'off')) as settings (name, value)
"""

_MENDS: dict[Stage, str] = {
    "legacy": "first mirror it (traboule cutover mirror {system} --reason …)",
    "live": "it does nothing any more that could be compared, unless it is rolled back "
    "(traboule cutover rollback {system} --reason …)",
    "retired": "it does nothing any more that could be compared",
}


class NotMirroredError(Exception):
    """What a former system does is only compared with what we would do while it is mirrored."""

    def __init__(self, system: str, stage: Stage) -> None:
        self.system, self.stage = system, stage
        super().__init__(f"{system} is in stage {stage}: {_MENDS[stage].format(system=system)}")


async def rehearse(engine: AsyncEngine, definition: CutoverDefinition, cluster: str, *, since: date, by: str) -> Run:
    """Rehearse what a former system did since that day, and keep what differs. Raises NotMirroredError."""
    result = await rehearsed(engine, definition.name, cluster, definition.rehearsals, since)
    async with engine.begin() as connection:
        await runs.keep(connection, cluster, result, by=by, source=[f"{_SINCE}{since}"], subject="rehearsal")
        run = await runs.newest(connection, cluster, "rehearsal")
        assert run is not None, "it was kept"
        return run


async def rehearsed(
    engine: AsyncEngine, service: str, cluster: str, rehearsals: Sequence[Rehearsal[Any]], since: date
) -> Result:
    """What differs at this moment; nothing is written. Raises NotMirroredError."""
    money = {item.name: item.money for item in rehearsals if item.money is not None}
    comparison = Comparison({}, money, [item.name for item in rehearsals])
    async with engine.connect() as connection:
        await connection.exec_driver_sql(_READ)
        await connection.exec_driver_sql(_WHOLE)
        state = (await read_stages(connection)).get(cluster, StageState())
        if state.stage != "mirror":
            raise NotMirroredError(f"{cluster}/{service}", state.stage)
        for rehearsal in rehearsals:
            async with aclosing(_cases(connection, rehearsal, cluster, since)) as cases:
                async for case in cases:
                    rehearsal.compare(case, comparison)
    return comparison.result()


async def last_rehearsal(connection: AsyncConnection, definition: CutoverDefinition, cluster: str) -> Rehearsed | None:
    """When this cluster was rehearsed last, what was compared, and how many differences are open now."""
    result = await runs.last_counted(connection, cluster, "rehearsal")
    if result is None:
        return None
    last, (source,), counts = result
    compared = {kind: max(sides.there, sides.here) for kind, sides in counts.items()}
    stored = 0 if any(compared.values()) else await _count_mirrored(connection, definition.mirrored, cluster)
    since = date.fromisoformat(source.removeprefix(_SINCE))
    return Rehearsed(last.at, last.open_differences, since, compared, stored)


async def _count_mirrored(connection: AsyncConnection, mirrored: Sequence[Kind], cluster: str) -> int:
    """How many records of the former system's are held."""
    counts = " + ".join(
        f"(select count(*) from {kind.table} m where m.cluster = $1 and {kind.present})" for kind in mirrored
    )
    return (await connection.exec_driver_sql(f"select {counts}", (cluster,))).scalar_one()


async def _cases(
    connection: AsyncConnection, rehearsal: Rehearsal[Any], cluster: str, since: date
) -> AsyncGenerator[list[Any]]:
    """The rows of one query, cut where they no longer belong together."""
    number = count()
    together = rehearsal.together or (lambda _: next(number))
    case: list[Any] = []
    now: Any = None
    rows = await connection.stream(sa.text(rehearsal.sql), {"cluster": cluster, "since": since})
    async for chunk in rows.partitions(_CHUNK):
        for values in chunk:
            row = rehearsal.row(*values)
            name = together(row)
            if case and name != now:
                yield case
                case = []
            now = name
            case.append(row)
    if case:
        yield case
