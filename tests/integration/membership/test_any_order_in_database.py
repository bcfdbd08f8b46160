"""Any order and duplication of the same messages, through the real handlers and a real database."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from services.membership.matching import term_frequency as frequencies
from services.membership.matching.keys import BEGINNING, NEAR, SIREN
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.views import conflicts
from shared.persistence.database import create_engine
from tests.support.any_order import Deliveries, deliveries, handle, messages
from tests.support.examples import examples
from tests.support.in_memory import POLICY
from tests.support.membership_database import membership_database


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[str]:
    """A membership database of this test's own."""
    with membership_database(nodes) as url:
        yield url


@settings(
    max_examples=examples(30),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_two_deliveries_of_the_same_messages_give_the_same_views(database: str, data: st.DataObject) -> None:
    published = data.draw(messages(at_most=30))
    item, other = data.draw(deliveries(published), label="one"), data.draw(deliveries(published), label="other")

    async def compare() -> None:
        async with an_engine(database) as engine:
            assert await views_after(engine, item) == await views_after(engine, other)

    asyncio.run(compare())


@settings(
    max_examples=examples(30),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_nor_does_the_order_show_where_all_are_crowds(
    database: str, data: st.DataObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frequencies, "_CROWDED", 2)
    monkeypatch.setattr(frequencies, "_CROWDED_ABOVE", {SIREN: 2, NEAR: 3, BEGINNING: 2})
    monkeypatch.setattr(conflicts, "MANY", 2)
    published = data.draw(messages(at_most=30))
    item, other = data.draw(deliveries(published), label="one"), data.draw(deliveries(published), label="other")

    async def compare() -> None:
        async with an_engine(database) as engine:
            assert await views_after(engine, item) == await views_after(engine, other)

    asyncio.run(compare())


@asynccontextmanager
async def an_engine(url: str) -> AsyncGenerator[AsyncEngine]:
    engine = create_engine(url, application="any order", pool_size=1)
    try:
        yield engine
    finally:
        await engine.dispose()


_WHAT_MESSAGES_WRITE = (
    "source_records, record_history, related, views, match_state, match_features, match_keys, match_pairs, "
    "match_crowds, match_classes, match_pending"
)


async def views_after(engine: AsyncEngine, batches: Deliveries) -> list[tuple[object, ...]]:
    """All that is served, after each batch in a transaction of its own."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"truncate {_WHAT_MESSAGES_WRITE}")
    for batch in batches:
        async with engine.begin() as connection:
            await handle(MembershipUnitOfWork(connection, POLICY), batch)
    async with engine.begin() as connection:
        rows = await connection.exec_driver_sql("select (to_jsonb(v) - 'updated_at')::text from views v order by 1")
        return [tuple(row) for row in rows]
