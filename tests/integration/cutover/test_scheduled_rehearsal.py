"""A running service rehearses by itself what is mirrored: once a day, and in one replica only."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.billing.definition import DEFINITION as BILLING
from services.cutover.rehearsal import scheduled
from services.cutover.rehearsal.scheduled import Rehearsing
from shared.persistence.database import create_engine
from shared.runtime.clock import PARIS, Clock
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.waiting import eventually

RUNS = "select cluster, by, source, subject, open from parity_runs order by id"
NOW = datetime.now(UTC)
HOUR = NOW.astimezone(PARIS).hour


class At(Clock):
    """A clock that tests set."""

    def __init__(self, now: datetime) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant


@pytest.fixture
async def engine(empty_billing: OwnService) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(empty_billing.env["TRABOULE_BILLING_DATABASE_URL"], application="test", pool_size=8)
    yield engine
    await engine.dispose()


async def stands(stack: OwnService, stage: str, days: int = 2, cluster: str = "numelink") -> None:
    """In this stage for so many days."""
    await stack.query(
        "insert into stages values ($1, $2, 1, now() - make_interval(days => $3), 'a test') "
        "on conflict (cluster) do update set stage = excluded.stage, since = excluded.since",
        cluster, stage, days,
    )  # fmt: skip


async def test_what_is_mirrored_is_rehearsed_and_what_differs_is_kept(
    empty_billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduled, "EVERY", 0.1)
    async with empty_billing.running(parity_hour=HOUR):
        await empty_billing.publish_as("numelink.billing", an_invoice(invoice_id="F1", status="paid"))
        await eventually(lambda: empty_billing.query("select 1 from invoices"))
        await stands(empty_billing, "mirror")

        async def rehearsed() -> list[dict[str, Any]]:
            return await empty_billing.query(RUNS)

        [run] = await eventually(rehearsed)
        since = f"since {datetime.now(UTC).date() - timedelta(days=365)}"
        assert run == {
            "cluster": "numelink", "by": "traboule", "source": [since], "subject": "rehearsal", "open": 1,
        }  # fmt: skip
        await asyncio.sleep(0.5)
        assert len(await rehearsed()) == 1


async def test_once_a_day_and_only_what_was_mirrored_at_that_hour(
    empty_billing: OwnService, engine: AsyncEngine
) -> None:
    async def runs(now: datetime = NOW) -> int:
        await Rehearsing(BILLING, HOUR, At(now)).rehearse(engine)
        return len(await empty_billing.query(RUNS))

    for stage in ("legacy", "live", "retired"):
        await stands(empty_billing, stage)
        assert await runs() == 0
    await stands(empty_billing, "mirror", days=0)
    assert await runs() == 0, "it was mirrored only since"
    await stands(empty_billing, "mirror")
    await stands(empty_billing, "mirror", cluster="clustr-numerique")
    assert (await runs(), await runs()) == (2, 2)

    await empty_billing.query("update parity_runs set at = at - interval '1 day'")
    assert await runs(NOW - timedelta(hours=2)) == 2, "what was due then was done"
    assert (await runs(), await runs()) == (4, 4)


async def test_what_another_replica_did_just_before_is_not_done_again(
    empty_billing: OwnService, engine: AsyncEngine
) -> None:
    class Slower(Rehearsing):
        async def _due(self, connection: AsyncConnection) -> Sequence[str]:
            due = await super()._due(connection)
            await Rehearsing(BILLING, HOUR).rehearse(engine)
            return due

    await stands(empty_billing, "mirror")
    await Slower(BILLING, HOUR).rehearse(engine)
    assert len(await empty_billing.query(RUNS)) == 1


async def test_of_many_replicas_one_rehearses(empty_billing: OwnService, engine: AsyncEngine) -> None:
    await stands(empty_billing, "mirror")
    replicas = [Rehearsing(BILLING, HOUR) for _ in range(4)]
    for times in range(1, 9):
        await asyncio.gather(*(replica.rehearse(engine) for replica in replicas))
        assert len(await empty_billing.query(RUNS)) == times
        await empty_billing.query("update parity_runs set at = at - interval '2 days'")
