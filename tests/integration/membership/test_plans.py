"""Whoever has the turn plans no statement anew: for a batch of one that took as long as the rest."""

from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from deploy.local.nodes import Nodes
from services.membership.unit_of_work import MembershipUnitOfWork
from tests.support.any_order import an_envelope, handle
from tests.support.builders import a_member
from tests.support.emptying import EMPTY
from tests.support.in_memory import POLICY
from tests.support.membership_database import an_engine, membership_database

BEGIN = partial(MembershipUnitOfWork, policy=POLICY)
PLANNED = "select name, statement, generic_plans, custom_plans from pg_prepared_statements where custom_plans > 1"


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[str]:
    with membership_database(nodes) as url:
        yield url


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    async with an_engine(database, pool_size=1) as engine:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(EMPTY)
        yield engine


async def mode(connection: AsyncConnection) -> str:
    return (await connection.exec_driver_sql("show plan_cache_mode")).scalar_one()


async def test_plans_are_kept_in_the_turn_and_chosen_outside(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        assert await mode(connection) == "auto"
        await BEGIN(connection).serialise_writers()
        assert await mode(connection) == "force_generic_plan"
    async with engine.begin() as connection:
        assert await mode(connection) == "auto"


async def test_single_messages_are_not_planned_one_by_one(engine: AsyncEngine) -> None:
    for number in range(20):
        async with engine.begin() as connection:
            await handle(BEGIN(connection), [an_envelope("numelink", a_member(record_id=f"M{number}", name="Vioreau"))])
    async with engine.begin() as connection:
        planned = await connection.exec_driver_sql(PLANNED)
        often = [row.statement[:80] for row in planned if row.custom_plans > 5 and "$" in row.statement]
    assert often == []
