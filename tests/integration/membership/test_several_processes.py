"""Two and four processes take messages in at once: the same bytes of views as one, whatever is lost on the way."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from schemas.envelope import Envelope
from services.gateway import app
from services.membership.matching import term_frequency as frequencies
from services.membership.matching.keys import BEGINNING, NEAR, SIREN
from services.membership.matching.sql import looking
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import take_in as take_in_module
from services.membership.usecases.take_in import TakenIn, take_in
from services.membership.usecases.withdraw import withdraw_unlinked
from tests.support.any_order import Deliveries, an_envelope, deliveries, handle, messages
from tests.support.builders import a_member
from tests.support.emptying import EMPTY
from tests.support.examples import examples
from tests.support.in_memory import POLICY
from tests.support.membership_database import an_engine, execute, membership_database

BEGIN = partial(MembershipUnitOfWork, policy=POLICY)
STORIES = settings(
    max_examples=examples(60),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[str]:
    with membership_database(nodes) as url:
        yield url


@pytest.fixture(autouse=True, scope="module")
def even_a_single_record_is_published() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(take_in_module, "LEAST", 1)
        patch.setattr(take_in_module, "LEAST_PART", 2)
        yield


async def link(engine: AsyncEngine, batch: Sequence[Envelope[Any]], taken: TakenIn | None) -> None:
    """The transaction of the messages."""
    async with engine.begin() as connection:
        uow = BEGIN(connection)
        uow.prepared = taken
        await handle(uow, batch)


async def process(engine: AsyncEngine, queue: Deliveries, crashes: Iterator[bool]) -> None:
    """Take batches in and link them, until none is left. After a crash another process gets the batch again."""
    while queue:
        batch = queue.pop(0)
        taken = await take_in(engine, BEGIN, batch)
        if next(crashes, False):
            queue.append(batch)
        else:
            await link(engine, batch, taken)


async def shown(engine: AsyncEngine) -> list[Any]:
    """Every byte that is served, who is whose member, and what is pending."""
    async with engine.begin() as connection:
        views = await connection.exec_driver_sql("select (to_jsonb(v) - 'updated_at')::text from views v order by 1")
        pairs = await connection.exec_driver_sql("select to_jsonb(p)::text from match_pairs p order by 1")
        records = await connection.exec_driver_sql("select own_id, member_id from source_records order by 1")
        pending = await connection.exec_driver_sql("select count(*) from match_pending")
        return [*views.scalars(), *pairs.scalars(), *map(tuple, records), pending.scalar_one()]


async def compare(url: str, published: Deliveries, processes: int, crashes: Sequence[bool]) -> None:
    async with an_engine(url, pool_size=2 * processes) as engine:
        await execute(url, EMPTY)
        for batch in published:
            await link(engine, batch, None)
        alone = await shown(engine)
        await execute(url, EMPTY)
        queue, lost = [list(batch) for batch in published], iter(crashes)
        await asyncio.gather(*(process(engine, queue, lost) for _ in range(processes)))
        assert await shown(engine) == alone


@STORIES
@given(data=st.data())
def test_several_processes_end_as_one(database: str, data: st.DataObject) -> None:
    published = data.draw(deliveries(data.draw(messages(at_most=30, only_members=True))))
    crashes = data.draw(st.lists(st.booleans(), max_size=6))
    asyncio.run(compare(database, published, data.draw(st.sampled_from([2, 4])), crashes))


@pytest.mark.faults
@STORIES
@given(data=st.data())
def test_nor_do_crowds_show_how_many_there_were(
    database: str, data: st.DataObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frequencies, "_CROWDED", 2)
    monkeypatch.setattr(frequencies, "_CROWDED_ABOVE", {SIREN: 2, NEAR: 3, BEGINNING: 2})
    published = data.draw(deliveries(data.draw(messages(at_most=30, only_members=True))))
    crashes = data.draw(st.lists(st.booleans(), max_size=6))
    asyncio.run(compare(database, published, 4, crashes))


async def test_what_never_comes_again_is_withdrawn(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stays = [an_envelope("numelink", a_member(record_id="1", name="Forges du Gier", siren="732829320"))]
    goes = [an_envelope("clustr-numerique", a_member(record_id="2", name="Forges du Gier", siren="732829320"))]
    async with an_engine(database, pool_size=2) as engine:
        await execute(database, EMPTY)
        await link(engine, stays, None)
        alone = await shown(engine)
        await execute(database, EMPTY)
        await take_in(engine, BEGIN, goes)
        await link(engine, stays, await take_in(engine, BEGIN, stays))
        assert (await shown(engine))[-1] == 1
        async with engine.begin() as connection:
            assert await withdraw_unlinked(BEGIN(connection)) == 0
        monkeypatch.setattr(app, "MINUTES", 0)
        await app.withdraw(BEGIN, engine)
        assert await shown(engine) == alone


async def test_a_cluster_that_is_changed_here_is_not_taken_in(database: str) -> None:
    late = [an_envelope("numelink", a_member(record_id="1"))]
    async with an_engine(database, pool_size=2) as engine:
        await execute(database, EMPTY, "insert into stages values ('numelink', 'live', 3, now(), 'test')")
        taken = await take_in(engine, BEGIN, late)
        assert taken.look is None
        assert (await shown(engine))[-1] == 0


async def test_a_look_begins_once_all_is_published(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, look = list[int](), looking.look

    async def looks(*arguments: Any) -> looking.Look:
        async with an_engine(database) as another:
            seen.append((await shown(another))[-1])
        return await look(*arguments)

    monkeypatch.setattr(looking, "look", looks)
    await execute(database, EMPTY)
    async with an_engine(database, pool_size=2) as engine:
        await take_in(engine, BEGIN, [an_envelope("numelink", a_member(record_id=f"{at}")) for at in range(3)])
    assert seen == [3]
