"""Figures that are kept equal those that are counted, after every kind of change and in every process."""

import asyncio
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from deploy.local.nodes import Nodes
from services.membership.connections import ReadPool
from services.membership.identity import review_rows
from services.membership.identity.decisions import Signature
from services.membership.identity.review_answers import all_cases, all_crowds
from services.membership.identity.review_rows import Wanted
from services.membership.pictures import CROWDS, MEMBERS, MOST, Picture
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide
from services.membership.views import lists, queries
from services.membership.views.facets import facets
from services.membership.views.lists import Filters, kept_groups, matching_groups
from tests.support.any_order import decisions_about, deliveries, handle, messages
from tests.support.emptying import EMPTY
from tests.support.examples import examples
from tests.support.in_memory import POLICY
from tests.support.membership_database import an_engine, execute, membership_database

TODAY = date(2026, 6, 30)
FILTERS = (
    Filters(),
    Filters(active=True),
    Filters(paid_up=True),
    Filters(paid_up=False, cluster="numelink"),
    Filters(departement="42"),
    Filters(lineage="numelink"),
)
COUNTED = """
    select kind, key, count(*)::bigint as members, count(*) filter (where active) as active,
           count(*) filter (where paid_up) as paid_up
    from (
        select *, exempt or coalesce(paid_until >= $1, false) as paid_up from views
    ) as v cross join lateral (
        select 'total' as kind, null as key
        union all select 'several-clusters', null where cardinality(clusters) > 1
        union all select 'cluster', unnest(clusters)
        union all select 'lineage', unnest(lineages)
        union all select 'departement', departement
    ) as k
    group by kind, key order by kind, key
"""


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[str]:
    with membership_database(nodes) as url:
        yield url


class Gateway:
    """What one process keeps."""

    def __init__(self, url: str) -> None:
        self.pool = ReadPool(url, application="test", size=1)
        self.statistics = Picture(MEMBERS, queries.statistics)
        self.groups = Picture(MEMBERS, kept_groups)
        self.crowds = Picture(CROWDS, all_crowds)

    async def agrees(self) -> None:
        """What is kept is what would be computed."""
        async with self.pool.snapshot() as rows:
            counted = [dict(row) for row in await rows.fetch(COUNTED, TODAY)]
            assert await self.statistics.get(rows, TODAY) == counted
            everything = await review_rows.page(rows, Wanted(), after=None, limit=1_000)
            assert everything == await all_cases(rows)
            assert await review_rows.count(rows, Wanted()) == len(everything)
            assert not await review_rows.any_marks(rows)
            assert await self.crowds.get(rows) == await all_crowds(rows)
            groups = await self.groups.get(rows, TODAY)
            assert sorted(groups, key=repr) == sorted(await matching_groups(rows, Filters(), TODAY), key=repr)
            for filters in FILTERS:
                kept = facets(groups, filters).total
                assert kept == len(await lists.members(rows, filters, TODAY, after=None, limit=1_000)), filters
                assert kept == await lists.count_members(rows, filters, TODAY), filters


async def changes(url: str, data: st.DataObject, gateways: list[Gateway]) -> None:
    published = data.draw(messages(at_most=10))
    async with an_engine(url) as engine:
        for batch in data.draw(deliveries(published)):
            async with engine.begin() as connection:
                await handle(MembershipUnitOfWork(connection, POLICY), batch)
            await data.draw(st.sampled_from(gateways)).agrees()
        for decision in data.draw(decisions_about(published)):
            async with engine.begin() as connection:
                uow = MembershipUnitOfWork(connection, POLICY)
                decided = await decide.decide(uow, decision, Signature("a", "test"))
            await gateways[0].agrees()
            if data.draw(st.booleans()):
                async with engine.begin() as connection:
                    uow = MembershipUnitOfWork(connection, POLICY)
                    await decide.take_back(uow, decided.number, Signature("a", "test"))
            await gateways[1].agrees()


@settings(
    max_examples=examples(60),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_what_is_kept_is_what_would_be_computed(database: str, data: st.DataObject) -> None:
    async def story() -> None:
        await execute(database, EMPTY)
        gateways = [Gateway(database), Gateway(database)]
        try:
            await changes(database, data, gateways)
            for gateway in gateways:
                await gateway.agrees()
        finally:
            for gateway in gateways:
                await gateway.pool.close()

    asyncio.run(story())


async def test_no_view_is_looked_at_while_nothing_changes(database: str) -> None:
    made = list[Any]()

    async def make(rows: Any, today: date) -> int:
        made.append(today)
        await asyncio.sleep(0)
        return len(made)

    await execute(database, EMPTY, "insert into picture_versions values ('members', 1)")
    picture = Picture[int](MEMBERS, make)
    pool = ReadPool(database, application="test", size=4)

    async def ask(day: date = TODAY) -> int:
        async with pool.snapshot() as rows:
            return await picture.get(rows, day)

    try:
        assert await asyncio.gather(*(ask() for _ in range(4))) == [1, 1, 1, 1]
        assert await ask(date(2026, 7, 1)) == 2
        await execute(database, "update picture_versions set version = 2")
        assert await ask(date(2026, 7, 1)) == 3
        assert await picture.latest(pool, date(2026, 7, 1)) == 3
        await execute(database, "update picture_versions set version = 3")
        assert await picture.latest(pool, date(2026, 7, 1)) == 4
    finally:
        await pool.close()


async def test_each_question_has_an_answer_of_its_own_and_they_do_not_pile_up(database: str) -> None:
    async def make(_: Any, number: int) -> int:
        made.append(number)
        return -number

    made: list[int] = []
    await execute(database, EMPTY, "insert into picture_versions values ('members', 1)")
    picture = Picture[int](MEMBERS, make)
    pool = ReadPool(database, application="test", size=1)
    try:
        assert [await picture.latest(pool, number) for number in (1, 2, 1, 2)] == [-1, -2, -1, -2]
        assert made == [1, 2]
        for number in range(3, 3 + MOST):
            await picture.latest(pool, number)
        assert len(picture._kept) <= MOST
        assert await picture.latest(pool, 2 + MOST) == -2 - MOST
        assert made == list(range(1, 3 + MOST))
    finally:
        await pool.close()


async def test_words_are_planned_for_what_they_are(database: str) -> None:
    pool = ReadPool(database, application="test", size=1)
    try:
        assert (await pool.fetch("show plan_cache_mode"))[0][0] == "force_custom_plan"
    finally:
        await pool.close()


async def test_an_emptied_table_counts_nobody(database: str) -> None:
    await execute(
        database,
        EMPTY,
        "insert into views (member_id, document, etag, summary, sort_key, search, sirens, clusters, lineages, exempt,"
        " active) values (gen_random_uuid(), '', '', '{}', '', '', '{}', '{}', '{}', false, true)",
        "truncate views",
    )
    pool = ReadPool(database, application="test", size=1)
    try:
        assert await kept_groups(pool, TODAY) == []
    finally:
        await pool.close()
