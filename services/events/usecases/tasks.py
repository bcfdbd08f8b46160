"""What the service does beside its messages: offers that end, and former systems that were moved over or back."""

from collections.abc import Callable, Sequence
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.events_operations import TakenOver
from services.cutover.stages import OURS, lock_stages
from services.events.gatherings.repository import give_back
from services.events.mirror.repository import EventsUnitOfWork
from services.events.seats.acts import Act
from services.events.seats.announcing import announce_given_back
from services.events.seats.order import Request, new_id
from services.events.seats.repository import now
from services.events.usecases.seating import decide
from services.events.usecases.taking_over import take_over_cluster
from shared.persistence.database import rows_of

log = structlog.get_logger()
UnitOfWorkOf = Callable[[AsyncConnection], EventsUnitOfWork]

SETTLE_EVERY: Final = 5.0
"""Seconds after which offers that are over are looked for: the next in the line is written to in time."""
TAKE_OVER_EVERY: Final = 5.0
"""Seconds after which a former system's gatherings go on here, once it was moved over."""
AT_A_TIME: Final = 50

_OVER = f"""
    select distinct s.session_id::text, g.cluster
    from bookings b join sessions s using (session_id) join gatherings g using (gathering_id)
    where b.state = 'offered' and b.offered_until <= clock_timestamp() and g.state = 'planned' limit {AT_A_TIME}
"""
# Looked at without a lock first: most of the time nothing is new.
_CLUSTERS = "select cluster from stages where stage = any($1::text[]) order by cluster"


async def settle_offers(unit_of_work: UnitOfWorkOf, engine: AsyncEngine) -> None:
    """End offers that are over, and offer what is free to the next.

    Whoever changes a session's seats does that too: this is for sessions where nobody does.
    """
    async with engine.begin() as connection:
        rows = rows_of(await connection.exec_driver_sql(_OVER))
        ours = await _ours(connection, [cluster for _, cluster in rows])
        uow = unit_of_work(connection)
        requests = [_settle(session_id) for session_id, cluster in rows if cluster in ours]
        if requests:
            await decide(uow, requests)
            await uow.outbox.flush(connection)


async def follow_stages(unit_of_work: UnitOfWorkOf, engine: AsyncEngine) -> None:
    """Go on with what former systems planned that were moved over, and give back what was moved back."""
    async with engine.begin() as connection:
        uow = unit_of_work(connection)
        await announce_given_back(uow, await give_back(connection), await now(connection))
        await uow.outbox.flush(connection)
        clusters = [row[0] for row in rows_of(await connection.exec_driver_sql(_CLUSTERS, (list(OURS),)))]
    for cluster in clusters:
        # One gathering in a transaction: staff of the others need not wait.
        while (taken := await _take_over_next(unit_of_work, engine, cluster)) is not None:
            if taken.gatherings or taken.registrations:
                log.info("events.taken_over", cluster=cluster, **taken.model_dump())
            if not taken.gatherings:
                break


async def _take_over_next(unit_of_work: UnitOfWorkOf, engine: AsyncEngine, cluster: str) -> TakenOver | None:
    """What was taken over now; None where the cluster is not ours any more."""
    async with engine.begin() as connection:
        if cluster not in await _ours(connection, [cluster]):
            return None
        uow = unit_of_work(connection)
        taken = await take_over_cluster(uow, cluster, at_most=1)
        await uow.outbox.flush(connection)
        return taken


async def _ours(connection: AsyncConnection, clusters: Sequence[str]) -> set[str]:
    at = await lock_stages(connection, set(clusters)) if clusters else {}
    return {cluster for cluster, stage in at.items() if stage.is_ours}


def _settle(session_id: str) -> Request:
    return Request(session_id=session_id, key=new_id(), act=Act(kind="settle"), author="settle")
