"""Conflicts and their answers end in the same place, whatever came first, however often, and however many at a time."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.billing.mirror.repository import BillingUnitOfWork
from services.conflicts.handlers import decide, keep_conflicts
from shared.persistence.database import create_engine
from tests.support.examples import examples
from tests.support.merging import Database, a_conflict, deliveries, envelope, handled, newest_answers, year

UOW = partial(BillingUnitOfWork, conflict_owner="tresorerie")
ALL_ANNOUNCEMENTS = """
    select to_jsonb(c) - array['raised_at', 'changed_at', 'answers', 'history', 'settled_at'] from merge_conflicts c
    order by conflict_id
"""
"""The times, and how many steps it took, are those of the delivery."""

_facts = st.builds(
    lambda version, overlaps, name, service: a_conflict(version, *overlaps, service=service, conflict_id=name),
    st.integers(1, 4),
    st.lists(st.sampled_from([year(2026), year(2027), year(2026, invoice="F2")]), unique_by=str, max_size=2),
    st.sampled_from(["one", "two"]),
    st.sampled_from(["billing", "billing", "billing", "events"]),
)
_quiet = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@settings(max_examples=examples(40), deadline=None, suppress_health_check=_quiet)
@given(data=st.data())
def test_any_two_deliveries_of_the_same_facts_end_in_the_same_rows_and_answers(
    billing_database: Database, data: st.DataObject
) -> None:
    messages = data.draw(st.lists(_facts.map(envelope), min_size=2, max_size=8))
    ways = [data.draw(deliveries(messages), label=label) for label in ("one", "other")]
    settled = data.draw(st.booleans(), label="2026 was settled before")

    async def compare() -> None:
        async with billing_database.engine() as engine:
            item, other = [await stored_after(engine, way, settled) for way in ways]
            assert item == other

    asyncio.run(compare())


async def stored_after(
    engine: AsyncEngine, batches: list[list[Any]], settled: bool
) -> tuple[list[Any], dict[str, Any]]:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("truncate merge_conflicts, outbox")
    if settled:
        await handled(engine, UOW, keep_conflicts, [envelope(a_conflict(0, year(2026), conflict_id="one"))])
        async with engine.begin() as connection:
            await _settle(connection, "one")
    for batch in batches:
        await handled(engine, UOW, keep_conflicts, batch)
    async with engine.begin() as connection:
        rows = list((await connection.exec_driver_sql(ALL_ANNOUNCEMENTS)).scalars())
        result = await connection.exec_driver_sql("select conflict_id, owner, state from merge_conflicts")
        answers = await newest_answers(connection)
        assert answers == {name: (owner, state) for name, owner, state in map(tuple, result)}, (
            "the newest answer is the truth"
        )
        return rows, answers


async def _settle(connection: AsyncConnection, name: str) -> None:
    uow = UOW(connection)
    await decide(uow, [name], lambda conflict: conflict.settled("refunded", "Zoé", datetime.now(UTC)))
    await uow.outbox.flush(connection)


async def test_replicas_and_staff_at_the_same_time_number_their_answers_one_after_the_other(
    billing_database: Database,
) -> None:
    engine = create_engine(billing_database.url, application="tests", pool_size=8)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("truncate merge_conflicts, outbox")
    facts = [a_conflict(n, *([year(2026)] if n % 2 else []), conflict_id="one") for n in range(1, 25)]

    async def assign(owner: str) -> None:
        async with engine.begin() as connection:
            uow = UOW(connection)
            await decide(uow, ["one"], lambda conflict: conflict.assigned(owner, "Zoé", datetime.now(UTC)))
            await uow.outbox.flush(connection)

    await asyncio.gather(
        *(handled(engine, UOW, keep_conflicts, [envelope(fact)]) for fact in facts), *map(assign, ("Loire", "Isère"))
    )
    async with engine.begin() as connection:
        conflicts = await connection.exec_driver_sql("select owner, state, answers from merge_conflicts")
        owner, state, answers = tuple(conflicts.one())
        assert await newest_answers(connection) == {"one": (owner, state)}
        assert state == "gone"
        sent = (await connection.exec_driver_sql("select count(*) from outbox")).scalar()
        assert sent == answers
    await engine.dispose()
