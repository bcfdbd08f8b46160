"""Views that are ready before the turn are those that the turn would write, whatever came between."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from schemas.base import Fact
from schemas.billing import AccountChanged
from schemas.membership import MemberRemoved
from services.membership import projections
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import take_in as take_in_module
from services.membership.usecases.take_in import TakenIn, take_in
from tests.support.any_order import an_envelope, handle
from tests.support.builders import a_member
from tests.support.emptying import EMPTY
from tests.support.in_memory import POLICY
from tests.support.membership_database import an_engine, membership_database

BEGIN = partial(MembershipUnitOfWork, policy=POLICY)
CLUSTER = "numelink"
LONE: dict[str, Any] = {"record_id": "M1", "name": "Vioreau", "email": None, "siren": None, "version": 5}


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[str]:
    with membership_database(nodes) as url:
        yield url


@pytest.fixture
async def engine(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncEngine]:
    monkeypatch.setattr(take_in_module, "LEAST", 1)
    monkeypatch.setattr(take_in_module, "LEAST_PART", 1)
    async with an_engine(database) as engine:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(EMPTY)
        yield engine


async def prepared(engine: AsyncEngine, *facts: Fact) -> TakenIn:
    return await take_in(engine, BEGIN, [an_envelope(CLUSTER, fact) for fact in facts])


async def write(engine: AsyncEngine, taken: TakenIn | None, *facts: Fact) -> None:
    async with engine.begin() as connection:
        uow = BEGIN(connection)
        uow.prepared = taken
        await handle(uow, [an_envelope(CLUSTER, fact) for fact in facts])


async def views(engine: AsyncEngine) -> Sequence[Any]:
    async with engine.begin() as connection:
        rows = await connection.exec_driver_sql("select member_id, document, search, summary from views order by 1")
        return rows.all()


async def as_without(engine: AsyncEngine, *facts: Fact) -> Sequence[Any]:
    """The views of the same facts, one after the other and with the turn alone."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql(EMPTY)
    for fact in facts:
        await write(engine, None, fact)
    return await views(engine)


async def test_a_view_that_is_ready_is_not_made_again(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    member = a_member(**LONE)
    taken = await prepared(engine, member)
    with monkeypatch.context() as nobody:
        nobody.delattr(projections, "consolidate")
        await write(engine, taken, member)
    stored = await views(engine)
    assert len(stored) == 1
    assert stored == await as_without(engine, member)


@pytest.mark.parametrize(
    "between",
    [
        AccountChanged(cluster=CLUSTER, record_id="M1", version=1, paid_until=date(2026, 12, 31)),
        a_member(**LONE | {"version": 6, "name": "Vioreau Forez"}),
        a_member(**LONE | {"version": 4, "name": "Vioreau Forez"}),
        MemberRemoved(record_id="M1", version=6),
        MemberRemoved(record_id="M1", version=4),
        a_member(**LONE | {"record_id": "M2", "same_as": "M1"}),
    ],
    ids=["an account", "a newer version", "an older one", "removed", "removed before", "another like it"],
)
async def test_what_comes_between_is_in_the_view(engine: AsyncEngine, between: Fact) -> None:
    member = a_member(**LONE)
    taken = await prepared(engine, member)
    assert taken.views, "a view is ready"
    await write(engine, None, between)
    await write(engine, taken, member)
    assert await views(engine) == await as_without(engine, between, member)


async def test_a_removal_in_the_same_batch_shows(engine: AsyncEngine) -> None:
    member, removed = a_member(**LONE), MemberRemoved(record_id="M1", version=6)
    await write(engine, await prepared(engine, member, removed), member, removed)
    assert await views(engine) == []
