"""What waits in a service is on the first page of staff seconds after it changed, and again after a restore."""

import asyncio
from typing import Any

import pytest

from services.common import waiting
from services.common.republish import CAUSE
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import create_engine
from tests.integration.cutover.staff import Staff
from tests.support.waiting import eventually

ANNOUNCED = "select version from waiting_announced"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.common.app.ANNOUNCE_EVERY", 0.1)


async def shown(staff: Staff, **expected: Any) -> None:
    """Wait until the page shows billing so."""

    async def shows() -> bool:
        services = (await staff.get("/waiting", role="staff")).json()["services"]
        billing = next((item for item in services if item["service"] == "billing"), {})
        return expected.items() <= billing.items()

    await eventually(shows)


async def test_parked_and_late_messages_are_counted_until_somebody_sees_to_them(staff: Staff, often: None) -> None:
    await shown(staff, parked=0, late=0, differences=0, clusters=[])

    await staff.stack.publish_as("numelink.billing", b"{}", key="numelink.billing.invoice-recorded")
    await shown(staff, parked=1)
    await staff.billing.query("update dead_letters set status = 'discarded'")
    await shown(staff, parked=0, parked_since=None)

    await staff.moved("mirror", "switch")
    number = await staff.late()
    await shown(staff, late=1, clusters=[{"cluster": "numelink", "late": 1, "differences": 0}])
    answer = await staff.ask("POST", f"/cutover/numelink/billing/quarantine/{number}/dismiss", {"reason": "a test"})
    assert answer.status_code == 200, answer.text
    await shown(staff, late=0)


async def test_differences_are_counted_until_they_are_accepted(staff: Staff, often: None) -> None:
    await staff.billing.query(
        "with run as (insert into parity_runs (cluster, by, source, counts, sums, open, accepted) "
        "values ('numelink', 'a test', '{}', '{}', '{}', 2, 0) returning id) "
        "insert into parity_differences (run_id, digest, kind, item_id, what, fields) "
        "select id, digest, 'invoice', digest, 'missing-here', '{}' from run, unnest(array['a', 'b']) as digest"
    )
    await shown(staff, differences=2)

    await staff.billing.query(
        "insert into parity_acceptances (cluster, digest, reason, by) values ('numelink', 'a', 'known', 'a test')"
    )

    await shown(staff, differences=1, clusters=[{"cluster": "numelink", "late": 0, "differences": 1}])


async def test_who_finds_another_at_it_leaves_it_to_the_next_look(staff: Staff, often: None) -> None:
    await shown(staff, parked=0)
    engine = create_engine(staff.billing.env["TRABOULE_BILLING_DATABASE_URL"], application="test", pool_size=2)
    try:
        async with engine.begin() as other:
            await other.exec_driver_sql("select pg_advisory_xact_lock(hashtext('waiting'))")
            await staff.stack.publish_as("numelink.billing", b"{}", key="numelink.billing.invoice-recorded")
            await eventually(staff.billing.parked)
            await asyncio.wait_for(waiting.announce_waiting(engine, "billing"), 5)
            assert await staff.billing.column("select content::json ->> 'parked' from waiting_announced") == ["0"]
        await shown(staff, parked=1)
    finally:
        await engine.dispose()


async def test_it_is_announced_when_it_changes_and_once_more_after_a_restore(staff: Staff, often: None) -> None:
    await shown(staff, parked=0)
    [version] = await staff.billing.column(ANNOUNCED)
    engine = create_engine(staff.billing.env["TRABOULE_BILLING_DATABASE_URL"], application="test", pool_size=1)
    try:
        await waiting.announce_waiting(engine, "billing")
        assert await staff.billing.column(ANNOUNCED) == [version], "nothing changed"
        for table in ("waiting_counts", "inbox"):  # as an older backup would have them
            await staff.stack.query(f"delete from {table}")
        async with engine.begin() as connection:
            uow = UnitOfWork(connection)
            page = await waiting.waiting_of("billing").page(uow, None)
            await uow.outbox.flush(connection)
    finally:
        await engine.dispose()

    assert (page.published, page.next, CAUSE) == (1, None, "told-again")
    await shown(staff, parked=0)
    assert await staff.billing.column(ANNOUNCED) == [version]
