"""Rehearsals that a service makes by itself: once a day, of each former system that is mirrored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.cutover.definition import CutoverDefinition
from services.cutover.parity.scheduled import last_time
from services.cutover.preconditions import REHEARSAL_COVERS
from services.cutover.rehearsal.running import NotMirroredError, rehearse
from shared.persistence.database import rows_of
from shared.runtime.clock import Clock

log = structlog.get_logger()

EVERY = 30.0
"""Seconds between two looks at what is due."""
_BY = "traboule"

# What was mirrored only since then is rehearsed by whoever mirrored it, or at that hour of the next day.
_DUE = """
    select cluster from stages s where stage = 'mirror' and since < $1 and not exists (
        select from parity_runs r where (r.cluster, r.subject) = (s.cluster, 'rehearsal') and r.at >= $1
    ) order by cluster
"""
# Other replicas go on to another cluster, or to nothing. A rehearsal reads for as long as it takes, elsewhere.
_ALONE = """
    select pg_try_advisory_xact_lock(hashtext('rehearsal'), hashtext($1)),
           set_config('idle_in_transaction_session_timeout', '0', true)
"""


@dataclass(slots=True)
class Rehearsing:
    """What one service does; ``hour`` is in Paris. Any number of replicas may do so at once."""

    definition: CutoverDefinition
    hour: int
    clock: Clock = field(default_factory=Clock)

    async def rehearse(self, engine: AsyncEngine) -> None:
        """Rehearse the last year of each former system that is due."""
        async with engine.connect() as connection:
            due = await self._due(connection)
        for cluster in due:
            await self._rehearse(engine, cluster)

    async def _rehearse(self, engine: AsyncEngine, cluster: str) -> None:
        async with engine.begin() as alone:
            ((locked, _),) = rows_of(await alone.exec_driver_sql(_ALONE, (cluster,)))
            # Another replica may have ended its rehearsal just before.
            if not locked or cluster not in await self._due(alone):
                return
            since = self.clock.now().astimezone(UTC).date() - REHEARSAL_COVERS
            try:
                run = await rehearse(engine, self.definition, cluster, since=since, by=_BY)
            except NotMirroredError:
                return  # it was moved on meanwhile
        log.info("rehearsal.made", cluster=cluster, run=run.number, open=run.open)

    async def _due(self, connection: AsyncConnection) -> Sequence[str]:
        hour: datetime = last_time(self.clock.now(), self.hour)
        return [cluster for (cluster,) in rows_of(await connection.exec_driver_sql(_DUE, (hour,)))]
