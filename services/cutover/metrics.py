"""Where each former system stands, what it said too late and the last backup, as gauges."""

from collections.abc import Iterable
from typing import get_args

from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.cutover import Stage
from services.cutover.stages import StageState, read_stages
from shared.persistence.database import rows_of

QUARANTINED = Gauge("traboule_quarantined_messages", "Late messages that await a decision", ["cluster"])
QUARANTINE_AGE = Gauge("traboule_quarantine_oldest_seconds", "Age of the oldest of them", ["cluster"])
STAGE = Gauge("traboule_stage", "1 for the stage that a former system is in", ["former_system", "stage"])
BACKED_UP = Gauge("traboule_backup_timestamp_seconds", "When the last backup was noted, 0 if none ever was")

_LATE = """
    select cluster, count(*), greatest(0, extract(epoch from now() - min(received_at)))
    from quarantine where state = 'waiting' group by cluster
"""
_BACKED_UP = "select coalesce(extract(epoch from max(at)), 0) from backups"


async def measure_cutover(connection: AsyncConnection, service: str, clusters: Iterable[str]) -> None:
    """Read the state of a service's former systems from its database, and set the gauges."""
    late = rows_of(await connection.exec_driver_sql(_LATE))
    ((backed_up,),) = rows_of(await connection.exec_driver_sql(_BACKED_UP))
    lock_stages = await read_stages(connection)
    # Nothing is awaited from here on, so that nobody scrapes a half.
    waiting = {cluster: (count, float(oldest)) for cluster, count, oldest in late}
    for cluster in dict.fromkeys([*clusters, *lock_stages]):
        count, oldest = waiting.get(cluster, (0, 0.0))
        QUARANTINED.labels(cluster).set(count)
        QUARANTINE_AGE.labels(cluster).set(oldest)
        stage_now = lock_stages.get(cluster, StageState()).stage
        for stage in get_args(Stage):
            STAGE.labels(f"{cluster}/{service}", stage).set(stage == stage_now)
    BACKED_UP.set(float(backed_up))
