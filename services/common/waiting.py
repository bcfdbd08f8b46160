"""What waits for a person in a service: parked and late messages, open differences. Announced when it changes.

The gateway keeps the newest announcement of each service, so that a page shows all counts and asks nobody. What is
counted changes in many places and in several processes, so a periodic task looks, and no place has to remember it.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.catalogue import FACTS
from schemas.waiting import WaitingChanged, WaitingInCluster
from services.common.republish import CAUSE, Page, Place, Republisher
from services.cutover.parity.runs import last_runs
from shared.messaging.publishing import publish
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

ANNOUNCE_EVERY: Final = 5.0
"""Seconds between two looks at what waits."""
FACT_OF: Final = {fact.service: fact for fact in FACTS if issubclass(fact, WaitingChanged)}

_PARKED = "select count(*), min(first_at) from dead_letters where status = 'parked'"
_LATE = "select cluster, count(*) from quarantine where state = 'waiting' group by cluster"
_TURN = "select pg_advisory_xact_lock(hashtext('waiting'))"
_IF_NOBODY_DOES = "select pg_try_advisory_xact_lock(hashtext('waiting'))"
_ANNOUNCED = "select version, content from waiting_announced"
# By the clock, so that a database that was restored goes on with larger numbers; and always larger than before.
_SAVE = """
    insert into waiting_announced as announced (id, version, content)
    values (1, (extract(epoch from clock_timestamp()) * 1000000)::bigint, $1)
    on conflict (id) do update
    set version = greatest(announced.version + 1, excluded.version), content = excluded.content
    returning version
"""


async def announce_waiting(engine: AsyncEngine, service: str) -> None:
    """Announce what waits in a service, if that is not what was announced last. Any number of replicas may do so.

    Whoever finds another at it leaves it to the next look, and keeps no connection waiting.
    """
    async with engine.begin() as connection:
        if not (await connection.exec_driver_sql(_IF_NOBODY_DOES)).scalar_one():
            return
        uow = UnitOfWork(connection)
        await _announce(uow, service, None)
        await uow.outbox.flush(connection)


async def count_waiting(connection: AsyncConnection, service: str) -> WaitingChanged:
    """What waits in a service now; its ``version`` is 0."""
    ((parked, since),) = rows_of(await connection.exec_driver_sql(_PARKED))
    late = dict[str, int](map(tuple, rows_of(await connection.exec_driver_sql(_LATE))))
    runs = await last_runs(connection)
    differences = {cluster: run.open_differences for cluster, run in runs.items() if run.open_differences}
    return FACT_OF[service](
        version=0,
        parked=parked,
        parked_since=since,
        clusters=tuple(
            WaitingInCluster(cluster=name, late=late.get(name, 0), differences=differences.get(name, 0))
            for name in sorted(late.keys() | differences.keys())
        ),
    )


def waiting_of(service: str) -> Republisher:
    """What waits in a service, announced once more after a restore."""

    async def page(uow: UnitOfWork, _: Place | None) -> Page:
        await uow.connection.exec_driver_sql(_TURN)
        await _announce(uow, service, CAUSE, again=True)
        return Page(1, None)

    return Republisher("waiting", "select 1", page)


async def _announce(uow: UnitOfWork, service: str, cause: str | None, *, again: bool = False) -> None:
    now = await count_waiting(uow.connection, service)
    content = now.model_dump_json(exclude={"version"})
    announced = rows_of(await uow.connection.exec_driver_sql(_ANNOUNCED))
    if announced and announced[0][1] == content:
        version: int = announced[0][0]
        if not again:
            return
    else:
        version = (await uow.connection.exec_driver_sql(_SAVE, (content,))).scalar_one()
    publish(uow, FACT_OF[service], [(now.model_copy(update={"version": version}), cause)])
