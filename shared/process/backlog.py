"""What a service's database and connections look like, as gauges: what waits, and what is full."""

from collections.abc import Callable

from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

from shared.persistence.database import rows_of

OUTBOX_ROWS = Gauge("traboule_outbox_rows", "Messages not yet confirmed by the broker")
OUTBOX_AGE = Gauge("traboule_outbox_oldest_seconds", "Age of the oldest of them")
OUTBOX_REFUSED = Gauge("traboule_outbox_refused", "Those of them that the broker refused at least once")
DEAD_LETTERS = Gauge("traboule_dead_letters", "Parked messages that wait for a person", ["queue", "reason"])
DEAD_LETTER_BYTES = Gauge(
    "traboule_dead_letter_bytes", "Bodies of dead letters, in whatever state: nothing deletes them", ["producer"]
)
MEASURED = Gauge("traboule_measured_timestamp_seconds", "When these gauges were last read from the database")
CONNECTIONS = Gauge("traboule_database_connections", "Database connections in use now", ["pool"])
CONNECTIONS_LIMIT = Gauge("traboule_database_connections_limit", "The most that the pool opens", ["pool"])

_OUTBOX = """
    select count(*), greatest(0, extract(epoch from now() - min(created_at))), count(*) filter (where attempts > 0)
    from outbox
"""
_PARKED = "select queue, reason, count(*) from dead_letters where status = 'parked' group by queue, reason"
# The length of a large value is read without reading the value.
_PARKED_BYTES = "select coalesce(producer, ''), sum(octet_length(body)) from dead_letters group by 1"


async def measure_backlog(connection: AsyncConnection) -> None:
    """Read what waits in a service's database, and set the gauges."""
    ((rows, age, refused),) = rows_of(await connection.exec_driver_sql(_OUTBOX))
    parked = rows_of(await connection.exec_driver_sql(_PARKED))
    kept = rows_of(await connection.exec_driver_sql(_PARKED_BYTES))
    # Nothing is awaited from here on, so that nobody scrapes a half.
    OUTBOX_ROWS.set(rows)
    OUTBOX_AGE.set(float(age))
    OUTBOX_REFUSED.set(refused)
    DEAD_LETTERS.clear()
    for queue, reason, count in parked:
        DEAD_LETTERS.labels(queue, reason).set(count)
    DEAD_LETTER_BYTES.clear()
    for producer, length in kept:
        DEAD_LETTER_BYTES.labels(producer).set(int(length))


def watch_engine(pool: str, engine: AsyncEngine) -> None:
    """Show how many of an engine's connections are in use; counted when somebody asks."""
    connections = engine.pool
    assert isinstance(connections, QueuePool), "an engine of ours has a pool of a fixed size"
    watch_pool(pool, connections.size(), connections.checkedout)


def watch_pool(pool: str, limit: int, in_use: Callable[[], int]) -> None:
    """The same for any pool."""
    CONNECTIONS_LIMIT.labels(pool).set(limit)
    CONNECTIONS.labels(pool).set_function(in_use)
