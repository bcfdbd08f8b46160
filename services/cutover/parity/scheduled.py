"""Comparisons that a service makes by itself: soon after a manifest arrived, and once a day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.cutover import Stage
from services.cutover.manifests import COMPLETE
from services.cutover.parity import runs
from services.cutover.parity.comparison import compare_with_manifest, one_snapshot
from services.cutover.parity.mirror_reader import Kind
from shared.persistence.database import rows_of
from shared.runtime.clock import PARIS, Clock

log = structlog.get_logger()

OPEN = Gauge("traboule_parity_open_differences", "Unaccepted differences of the newest comparison", ["cluster"])
AGE = Gauge("traboule_parity_age_seconds", "Since the newest comparison of the mirror", ["cluster"])

EVERY = 5.0
"""Seconds between two looks at what is due."""
MEASURED_EVERY = 30.0
"""Seconds between two looks at how the newest comparisons stand."""
SETTLED = timedelta(seconds=10)
"""How old a manifest must be, so that facts that were published before it are applied too."""
PAUSES = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
"""After the first attempt that did not end, the second, and every other."""
MANIFEST_IS_FRESH = timedelta(hours=48)
DAILY: tuple[Stage, ...] = ("mirror", "live")
_BY = "traboule"

_NEWEST = f"""
    with complete as ({COMPLETE}),
    newest as (select distinct on (cluster) cluster, version, received_at from complete order by cluster, version desc)
    select n.cluster, n.received_at, coalesce(s.stage, 'legacy'),
           (select max(r.at) from parity_runs r
            where (r.cluster, r.subject, r.manifest) = (n.cluster, 'mirror', n.version)),
           coalesce(a.attempts, 0), a.begun_at, n.version
    from newest n left join stages s on s.cluster = n.cluster
    left join parity_attempts a on (a.cluster, a.manifest) = (n.cluster, n.version) order by n.cluster
"""
_BEGIN = """
    insert into parity_attempts as a (cluster, manifest, attempts, begun_at) values ($1, $2, 1, $3)
    on conflict (cluster) do update set manifest = excluded.manifest, begun_at = excluded.begun_at,
        attempts = case when a.manifest = excluded.manifest then a.attempts + 1 else 1 end
"""
_END = "delete from parity_attempts where cluster = $1 and manifest = $2"
# Other replicas go on to another cluster, or to nothing.
_ALONE = "select pg_try_advisory_xact_lock(hashtext('parity'), hashtext($1))"


@dataclass(frozen=True, slots=True)
class ManifestState:
    """A cluster whose newest complete manifest arrived then, and when it was last compared with, if it was.

    ``attempts`` were begun since, the last of them at ``begun_at``, and none of them ended.
    """

    cluster: str
    arrived_at: datetime
    stage: Stage
    compared_at: datetime | None
    attempts: int = 0
    begun_at: datetime | None = None
    version: int = 0


def is_due(item: ManifestState, now: datetime, hour: int, settled: timedelta = SETTLED) -> bool:
    """Whether to compare now: a manifest that never was; or, from ``hour`` in Paris on, one that was not yet today.

    Not while an attempt that did not end is recent: it may be under way, or have taken its process with it.
    """
    if item.begun_at is not None and now - item.begun_at < PAUSES[min(item.attempts, len(PAUSES)) - 1]:
        return False
    if item.compared_at is None:
        return now - item.arrived_at >= settled
    fresh = now - item.arrived_at <= MANIFEST_IS_FRESH
    return item.stage in DAILY and fresh and item.compared_at < last_time(now, hour)


def last_time(now: datetime, hour: int) -> datetime:
    """When it was last this hour in Paris."""
    # In UTC, and of an hour that comes twice the first: on the day that clocks go back it is due once.
    today = now.astimezone(PARIS).replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    last = today.astimezone(UTC)
    return last if last <= now else (today - timedelta(days=1)).astimezone(UTC)


@dataclass(slots=True)
class Comparing:
    """What one service does about the kinds that it mirrors.

    ``hour`` is in Paris, ``days`` how long the values of differences are kept.

    Any number of replicas may do so at once: each comparison is made by one of them.
    """

    mirrored: Sequence[Kind]
    hour: int
    days: int
    settled: timedelta = SETTLED
    clock: Clock = field(default_factory=Clock)
    _forgotten_at: datetime | None = None

    async def compare(self, engine: AsyncEngine) -> None:
        """Make every comparison that is due; once a day, forget values that were kept for long enough."""
        for item in await self._due(engine):
            await self._compare(engine, item.cluster)
        now = self.clock.now()
        if self._forgotten_at is None or self._forgotten_at < last_time(now, self.hour):
            async with engine.begin() as connection:
                await runs.forget(connection, self.days)
            self._forgotten_at = now

    async def measure(self, engine: AsyncEngine) -> None:
        """Tell how the newest comparison of each cluster stands."""
        async with engine.connect() as connection:
            last_runs = await runs.last_runs(connection)
        for cluster, parity in last_runs.items():
            OPEN.labels(cluster).set(parity.open_differences)
            AGE.labels(cluster).set(max(0.0, (self.clock.now() - parity.at).total_seconds()))

    async def _compare(self, engine: AsyncEngine, cluster: str) -> None:
        async with engine.begin() as connection:
            await one_snapshot(connection)
            if not await _alone(connection, cluster):
                return
            # Another replica may have ended its comparison just before; this snapshot might not show it.
            due = next((item for item in await self._due(engine) if item.cluster == cluster), None)
            if due is None:
                return
            # Noted before and apart: should it take this process with it, the next one must know.
            async with engine.begin() as apart:
                await apart.exec_driver_sql(_BEGIN, (cluster, due.version, self.clock.now()))
            compared = await compare_with_manifest(connection, cluster, self.mirrored)
        async with engine.begin() as connection:
            number = None if compared is None else await compared.keep(connection, cluster, by=_BY)
            await connection.exec_driver_sql(_END, (cluster, due.version))
        log.info("parity.compared", cluster=cluster, run=number)

    async def _due(self, engine: AsyncEngine) -> Sequence[ManifestState]:
        async with engine.connect() as connection:
            rows = rows_of(await connection.exec_driver_sql(_NEWEST))
        now = self.clock.now()
        result = [ManifestState(*row) for row in rows]
        return [item for item in result if is_due(item, now, self.hour, self.settled)]


async def _alone(connection: AsyncConnection, cluster: str) -> bool:
    return bool((await connection.exec_driver_sql(_ALONE, (cluster,))).scalar_one())
