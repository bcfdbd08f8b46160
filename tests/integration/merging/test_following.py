"""Every service knows which member a source record is part of, whatever came first and however often."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.base import RecordRef
from schemas.membership import MembersMerged
from services.common.member_records import apply_merges, apply_separations
from shared.messaging.unit_of_work import UnitOfWork
from tests.support.examples import examples
from tests.support.merging import (
    OURS,
    THEIRS,
    Database,
    Speaker,
    deliveries,
    envelope,
    handled,
    member,
    merged,
    separated,
)
from tests.support.waiting import eventually

RECORDS = [RecordRef(cluster=c, record_id=r) for c in ("clustr-numerique", "numelink") for r in ("1", "2", "3")]
Rows = dict[tuple[str, str], tuple[str, int]]

_versions = st.integers(1, 5)
_names = st.sampled_from(["X", "Y", "Z"])
_some = st.lists(st.sampled_from(RECORDS), unique_by=str, min_size=1, max_size=4)
_merges = st.builds(lambda version, name, records: merged(version, name, *records), _versions, _names, _some)
_separations = st.builds(
    lambda version, name, records, at: separated(version, name, ("X", records[:at]), ("Y", records[at:])),
    _versions,
    _names,
    _some,
    st.integers(0, 4),
)
_written = st.lists(st.one_of(_merges, _separations).map(envelope), min_size=2, max_size=10)


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_two_deliveries_of_the_same_facts_end_in_the_same_rows(following: Database, data: st.DataObject) -> None:
    messages = data.draw(_written)
    item, other = data.draw(deliveries(messages), label="one"), data.draw(deliveries(messages), label="other")

    async def compare() -> None:
        async with following.engine() as engine:
            assert await rows_after(engine, item) == await rows_after(engine, other) == newest_of_each(messages)

    asyncio.run(compare())


async def rows_after(engine: AsyncEngine, batches: list[list[Any]]) -> Rows:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("truncate member_records")
    for batch in batches:
        handler = apply_merges if isinstance(batch[0].data, MembersMerged) else apply_separations
        await handled(engine, UnitOfWork, handler, batch)
    async with engine.begin() as connection:
        rows = await connection.exec_driver_sql(
            "select cluster, record_id, member_id::text, version from member_records"
        )
        return {
            (cluster, record_id): (member_id, version) for cluster, record_id, member_id, version in map(tuple, rows)
        }


def newest_of_each(published: list[Any]) -> Rows:
    """What the facts mean, told without any SQL."""
    rows: Rows = {}
    for fact in (message.data for message in published):
        parts = (
            [(fact.member_id, fact.records)]
            if isinstance(fact, MembersMerged)
            else [(part.member_id, part.records) for part in fact.parts]
        )
        for member_id, records in parts:
            for record in records:
                key = (record.cluster, record.record_id)
                rows[key] = max(
                    rows.get(key, (member_id, fact.version)), (member_id, fact.version), key=lambda r: r[::-1]
                )
    return rows


async def test_a_service_follows_a_merge_and_its_undoing(membership: Speaker) -> None:
    async def led_to(text: str, theirs: str) -> None:
        async def so() -> bool:
            rows = await membership.stack.query("select record_id, member_id::text from member_records")
            return {row["record_id"]: row["member_id"] for row in rows} == {
                OURS.record_id: member(text),
                THEIRS.record_id: member(theirs),
            }

        await eventually(so)

    await membership.publishes(merged(1, "X", OURS, THEIRS))
    await led_to("X", "X")
    await membership.publishes(separated(2, "X", ("X", [OURS]), ("Y", [THEIRS])))
    await led_to("X", "Y")


async def test_a_merge_that_comes_after_its_undoing_changes_nothing(membership: Speaker) -> None:
    await membership.publishes(separated(2, "X", ("X", [OURS]), ("Y", [THEIRS])), merged(1, "X", OURS, THEIRS))

    async def both_came() -> bool:
        return await membership.stack.column("select count(*) from inbox") == [2]

    await eventually(both_came)
    members = await membership.stack.column("select member_id::text from member_records order by cluster")
    assert members == [member("X"), member("Y")]


async def test_a_removed_record_leads_where_it_led(membership: Speaker) -> None:
    await membership.publishes(merged(1, "X", OURS, THEIRS), separated(2, "X", ("X", [OURS])))

    async def followed() -> bool:
        rows = await membership.stack.query("select record_id, member_id::text, version from member_records")
        return {row["record_id"]: (row["member_id"], row["version"]) for row in rows} == {
            OURS.record_id: (member("X"), 2),
            THEIRS.record_id: (member("X"), 1),
        }

    await eventually(followed)
