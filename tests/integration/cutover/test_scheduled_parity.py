"""A running service compares by itself: when a manifest arrived, once a day, and in one replica only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.billing import BillingManifestRecord, BillingManifestRecorded, InvoiceRecorded
from schemas.digests import record_digest
from services.billing.definition import DEFINITION as BILLING
from services.billing.definition import create_app
from services.billing.settings import BillingSettings
from services.common import app
from services.cutover.parity import scheduled
from services.cutover.parity.scheduled import Comparing
from shared.persistence.database import create_engine
from shared.process.service import PeriodicTask
from shared.runtime.clock import PARIS, Clock
from tests.support.builders import an_invoice
from tests.support.command import traboule
from tests.support.in_process import OwnService
from tests.support.waiting import eventually

RUNS = "select cluster, by, source, manifest, subject, open from parity_runs order by id"


def a_manifest(*invoices: InvoiceRecorded, **fields: Any) -> BillingManifestRecorded:
    records = tuple(
        BillingManifestRecord(
            kind="invoice", id=invoice.invoice_id, version=invoice.version, digest=record_digest(invoice)
        )
        for invoice in invoices
    )
    return BillingManifestRecorded(**{"version": 17, "records": records} | fields)


class At(Clock):
    """A clock that tests set."""

    def __init__(self, now: datetime) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds in a service takes tenths here."""
    monkeypatch.setattr(scheduled, "EVERY", 0.1)
    monkeypatch.setattr(scheduled, "MEASURED_EVERY", 0.1)
    monkeypatch.setattr(app, "Comparing", partial(Comparing, settled=timedelta(seconds=1)))


@pytest.fixture
async def engine(empty_billing: OwnService) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(empty_billing.env["TRABOULE_BILLING_DATABASE_URL"], application="test", pool_size=8)
    yield engine
    await engine.dispose()


async def compared(stack: OwnService, runs: int) -> list[dict[str, Any]]:
    async def enough() -> list[dict[str, Any]]:
        query = await stack.query(RUNS)
        return query if len(query) >= runs else []

    return await eventually(enough, timeout=30)


async def told(stack: OwnService, *parts: BillingManifestRecorded) -> None:
    """The manifest arrived, in a service that compares nothing by itself."""
    for part in parts:
        await stack.publish_as("numelink.billing", part)

    async def kept() -> bool:
        return len(await stack.query("select part from manifests")) == len(parts)

    await eventually(kept)


async def test_a_manifest_is_compared_with_soon_after_it_arrived(empty_billing: OwnService) -> None:
    fact, lacking = an_invoice(invoice_id="F1"), an_invoice(invoice_id="F2")
    async with empty_billing.running():
        await empty_billing.publish_as("numelink.billing", fact)
        for part, invoice in enumerate((fact, lacking), 1):
            await empty_billing.publish_as("numelink.billing", a_manifest(invoice, part=part, parts=2))

        [run] = await compared(empty_billing, 1)

        assert run == {
            "cluster": "numelink", "by": "traboule", "source": ["manifest 17"], "manifest": 17, "subject": "mirror",
            "open": 1,
        }  # fmt: skip

        async def measured() -> bool:
            names = ("traboule_parity_open_differences", "traboule_parity_age_seconds")
            result, age = (REGISTRY.get_sample_value(name, {"cluster": "numelink"}) for name in names)
            return result == 1 and age is not None and 0 <= age < 60

        await eventually(measured)
        await empty_billing.publish_as("numelink.billing", lacking)
        await empty_billing.publish_as("numelink.billing", a_manifest(fact, lacking, version=18))
        assert (await compared(empty_billing, 2))[1]["open"] == 0

        await asyncio.sleep(0.5)
        assert len(await empty_billing.query(RUNS)) == 2
    board = (await traboule_board(empty_billing))["numelink/billing"]
    assert board["parity"]["open_differences"] == 0


async def traboule_board(stack: OwnService) -> dict[str, Any]:
    with stack.environment():
        return {row["system"]: row for row in (await traboule("cutover", "status", "--json")).json}


async def test_a_manifest_of_another_cluster_or_with_another_kind_is_refused(billing: OwnService) -> None:
    body = b'{"specversion":"1.0","id":"a","source":"/clustr-numerique/billing","type":"%s","data":{"version":1}}'
    key = "numelink.billing.manifest-recorded"
    await billing.publish_as("numelink.billing", body % BillingManifestRecorded.type_name().encode(), key=key)
    with pytest.raises(Exception, match=r"ACCESS_REFUSED|access to topic"):
        await billing.publish_as("numelink.billing", b"{}", key="clustr-numerique.billing.manifest-recorded")
    other = body.replace(b"clustr-numerique", b"numelink").replace(b'"a"', b'"b"')
    other = other.replace(b'"version":1', b'"version":1,"counts":{"member":3}')
    await billing.publish_as("numelink.billing", other % BillingManifestRecorded.type_name().encode(), key=key)

    async def parked() -> bool:
        return len(await billing.parked()) == 2

    await eventually(parked)
    letters = {document["reason"]: document["detail"] for document in await billing.parked()}
    assert set(letters) == {"forged-source", "invalid-field"}
    assert "'invoice' or 'payment'" in letters["invalid-field"]
    assert await billing.query("select * from manifests") == []


async def test_a_manifest_is_heard_in_every_stage_and_never_quarantined(billing: OwnService) -> None:
    await billing.query("insert into stages values ('numelink', 'live', 2, now(), 'test')")
    await told(billing, a_manifest())
    assert await billing.query("select * from quarantine") == []


async def test_once_a_day_at_the_hour_that_is_set(empty_billing: OwnService, engine: AsyncEngine) -> None:
    billing = empty_billing
    # Not beside a running service, which would find yesterday's comparison too old by itself.
    async with billing.running():
        await told(billing, a_manifest())
    await billing.query("insert into stages values ('numelink', 'mirror', 1, now(), 'test')")
    now = datetime.now(UTC)
    comparing = Comparing(BILLING.mirrored, now.astimezone(PARIS).hour, 90, settled=timedelta())
    await comparing.compare(engine)
    await comparing.compare(engine)
    assert len(await billing.query(RUNS)) == 1

    # Yesterday's comparison: what is due is told by the hour, here and tomorrow.
    await billing.query("update parity_runs set at = at - interval '1 day'")
    await Comparing(BILLING.mirrored, comparing.hour, 90, clock=At(now - timedelta(hours=2))).compare(engine)
    assert len(await billing.query(RUNS)) == 1
    await comparing.compare(engine)
    await comparing.compare(engine)
    assert len(await billing.query(RUNS)) == 2


async def test_of_many_replicas_one_compares(billing: OwnService, engine: AsyncEngine) -> None:
    replicas = [Comparing(BILLING.mirrored, 4, 90, settled=timedelta()) for _ in range(4)]
    for version in range(1, 9):
        await told(billing, a_manifest(an_invoice(invoice_id="F1"), version=version))
        await billing.query("select pg_sleep(0.01)")
        # On a busy machine all of them may find another at it, who began before the manifest was there.
        for _ in range(5):
            await asyncio.gather(*(replica.compare(engine) for replica in replicas))
    assert [run["manifest"] for run in await billing.query(RUNS)] == list(range(1, 9))


async def test_an_attempt_is_noted_before_it_is_made_and_forgotten_when_it_ended(
    billing: OwnService, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As when the process ends."""

    async def killed(*_: Any, **__: Any) -> int:
        raise Killed

    now = datetime.now(UTC)
    await told(billing, a_manifest(an_invoice(invoice_id="F1")))
    with monkeypatch.context() as patch:
        patch.setattr(scheduled, "compare_with_manifest", killed)
        for attempts, hours in ((1, 0.1), (1, 0.1), (2, 0.3), (3, 2), (3, 20), (4, 40)):
            later = Comparing(BILLING.mirrored, 4, 90, clock=At(now + timedelta(hours=hours)))
            with contextlib.suppress(Killed):
                await later.compare(engine)
            assert await billing.query("select attempts from parity_attempts") == [{"attempts": attempts}]
    assert await billing.query(RUNS) == []

    await Comparing(BILLING.mirrored, 4, 90, clock=At(now + timedelta(hours=100))).compare(engine)

    assert len(await billing.query(RUNS)) == 1
    assert await billing.query("select * from parity_attempts") == []


async def test_what_fails_is_tried_again_and_ends_nothing(empty_billing: OwnService) -> None:
    tries: list[AsyncEngine] = []

    async def fails(engine: AsyncEngine) -> None:
        tries.append(engine)
        raise RuntimeError("with a member's name in it") if len(tries) % 2 else asyncio.CancelledError

    with empty_billing.environment():
        service = create_app(BillingSettings())  # pyright: ignore[reportCallIssue]
    service.periodic_tasks = [PeriodicTask("failing", 0.01, fails)]
    await service.start()
    try:

        async def often() -> bool:
            return len(tries) > 4

        await eventually(often)
        assert all((await service.checks()).values())
    finally:
        await service.stop()
    before = len(tries)
    await asyncio.sleep(0.1)
    assert len(tries) == before
