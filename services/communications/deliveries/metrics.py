"""What went out and what waits, as metrics: no address, no name."""

from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.database import rows_of

ANSWERS = Counter(
    "traboule_delivery_answers_total", "What servers answered, by what it made of the mail", ["state", "mode"]
)
WAITING = Gauge("traboule_deliveries", "Mails that wait or are on their way", ["state"])
OLDEST = Gauge("traboule_delivery_oldest_due_seconds", "Since when the oldest mail that is due waits")
UNCERTAIN = Gauge(
    "traboule_deliveries_uncertain", "Bulk mails that await a decision: nobody knows whether they arrived"
)
PAUSED = Gauge("traboule_mail_domains_paused", "Domains whose servers refuse us, and that nothing is sent to")

_STATES = ("due", "handing")
_COUNTS = "select state, count(*) from deliveries where state in ('due', 'handing', 'uncertain') group by state"
_OLDEST = """
    select coalesce(extract(epoch from now() - min(due_at)), 0) from deliveries where state = 'due' and due_at <= now()
"""
_PAUSED = "select count(*) from paces where paused_at is not null"


async def measure_deliveries(connection: AsyncConnection) -> None:
    """Read the queue of mails, and set the gauges."""
    counts = dict(rows_of(await connection.exec_driver_sql(_COUNTS)))
    oldest = (await connection.exec_driver_sql(_OLDEST)).scalar_one()
    paused = (await connection.exec_driver_sql(_PAUSED)).scalar_one()
    for state in _STATES:
        WAITING.labels(state).set(counts.get(state, 0))
    UNCERTAIN.set(counts.get("uncertain", 0))
    OLDEST.set(float(oldest))
    PAUSED.set(paused)
