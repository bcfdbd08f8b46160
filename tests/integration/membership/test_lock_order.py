"""A rebuild empties the tables of recognition while others read and write them: each waits, and nobody for ever.

PostgreSQL ends a deadlock after a second by refusing one of the two, so a wrong order shows as an error here.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from services.gateway import app
from services.membership.matching.sql import looking
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import take_in as take_in_module
from services.membership.usecases.rebuild import rebuild
from services.membership.usecases.take_in import take_in
from shared.persistence.database import create_engine
from tests.support.any_order import an_envelope, handle
from tests.support.builders import a_member
from tests.support.emptying import EMPTY
from tests.support.in_memory import POLICY
from tests.support.membership_database import an_engine, execute, membership_database
from tests.support.waiting import eventually

BEGIN = partial(MembershipUnitOfWork, policy=POLICY)
REBUILDER, WITHDRAWER = "rebuilder", "withdrawer"
OTHERS = [an_envelope("numelink", a_member(record_id=f"{at}", siren="732829320")) for at in range(3)]


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[str]:
    with membership_database(nodes) as url:
        yield url


@pytest.fixture(autouse=True)
async def one_linked_record(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take_in_module, "LEAST", 1)
    await execute(database, EMPTY)
    async with an_engine(database) as engine, engine.begin() as connection:
        await handle(BEGIN(connection), [an_envelope("clustr-numerique", a_member(record_id="1", siren="732829320"))])


@asynccontextmanager
async def engine_of(url: str, application: str) -> AsyncGenerator[AsyncEngine]:
    engine = create_engine(url, application=application, pool_size=1)
    try:
        yield engine
    finally:
        await engine.dispose()


async def until_waiting(engine: AsyncEngine, application: str) -> None:
    """Return once that session waits for a lock."""

    async def waits() -> bool:
        async with engine.connect() as connection:
            rows = await connection.exec_driver_sql(
                "select count(*) from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'",
                (application,),
            )
            return rows.scalar_one() > 0

    await eventually(waits, every=0.01)


async def rebuilt(engine: AsyncEngine) -> int:
    async with engine.begin() as connection:
        return (await rebuild(BEGIN(connection), lambda *_: None)).records


async def pending(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return (await connection.exec_driver_sql("select count(*) from match_pending")).scalar_one()


async def test_a_rebuild_waits_for_who_is_taking_in(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with an_engine(database) as looker, engine_of(database, REBUILDER) as other, an_engine(database) as engine:
        publish, rebuilding = looking.publish, list[asyncio.Task[int]]()

        async def later(*arguments: Any) -> Any:
            # What is known was read; what is new is written once the rebuild stands in between.
            rebuilding.append(asyncio.create_task(rebuilt(other)))
            await until_waiting(looker, REBUILDER)
            return await publish(*arguments)

        monkeypatch.setattr(looking, "publish", later)
        async with asyncio.timeout(20):
            taken = await take_in(engine, BEGIN, OTHERS)
            assert taken.look is not None
            assert await rebuilding[0] == 1


async def test_a_rebuild_does_not_wait_for_who_wants_to_withdraw(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "MINUTES", 0)
    async with an_engine(database) as looker, engine_of(database, WITHDRAWER) as other, an_engine(database) as engine:
        await take_in(engine, BEGIN, OTHERS)
        assert await pending(looker) == 3
        async with asyncio.timeout(20), engine.begin() as connection:
            uow = BEGIN(connection)
            await uow.serialise_writers()
            withdrawing = asyncio.create_task(app.withdraw(BEGIN, other))
            await until_waiting(looker, WITHDRAWER)
            await rebuild(uow, lambda *_: None)
        async with asyncio.timeout(20):
            await withdrawing
        assert await pending(looker) == 0
