"""Whoever is given a difference keeps it, whenever the next comparison finds it again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.billing.definition import DEFINITION as BILLING
from services.cutover.parity import runs, scheduled
from services.cutover.parity.comparison import compare_with_manifest, one_snapshot
from services.cutover.parity.deciding import Choice, Comparisons
from services.cutover.parity.scheduled import Comparing
from shared.persistence.database import create_engine
from tests.integration.cutover.test_scheduled_parity import a_manifest, told
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.waiting import eventually

OWNERS = "select run_id, owner from parity_differences order by run_id"
WAITING = "select count(*) as waiting from pg_locks where locktype = 'advisory' and not granted"


@pytest.fixture
async def engine(empty_billing: OwnService) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(empty_billing.env["TRABOULE_BILLING_DATABASE_URL"], application="test", pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
async def found(billing: OwnService, engine: AsyncEngine) -> OwnService:
    """A comparison found that an invoice is missing here, and a newer manifest says so again."""
    await told(billing, a_manifest(an_invoice(invoice_id="F9")))
    await Comparing(BILLING.mirrored, 4, 90, settled=timedelta()).compare(engine)
    assert await owners(billing) == [None]
    await restated(billing, 18)
    return billing


async def restated(billing: OwnService, version: int) -> None:
    """The former system says once more that it has the invoice."""
    await told(billing, a_manifest(an_invoice(invoice_id="F9"), version=version))

    async def arrived() -> bool:
        return (await billing.query("select max(version) as newest from manifests"))[0]["newest"] == version

    await eventually(arrived)


async def owners(billing: OwnService) -> list[str | None]:
    """Of the one difference, in each run."""
    return [row["owner"] for row in await billing.query(OWNERS)]


async def given(engine: AsyncEngine, to: str | None) -> None:
    async with engine.begin() as connection:
        await Comparisons(connection, "numelink", "billing").assign(Choice(), to)


async def test_who_is_given_one_while_a_run_is_being_kept_has_it_in_that_run(
    found: OwnService, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await one_snapshot(connection)
        compared = await compare_with_manifest(connection, "numelink", BILLING.mirrored)
    assert compared is not None
    async with engine.begin() as keeping:
        await compared.keep(keeping, "numelink", by="a test")
        giving = asyncio.create_task(given(engine, "Zoé"))

        async def waits() -> bool:
            return bool((await found.query(WAITING))[0]["waiting"])

        await eventually(waits)
        assert not giving.done()
    await giving

    assert await owners(found) == [None, "Zoé"]


async def test_who_is_given_one_while_both_sides_are_compared_has_it_in_the_next_run(
    found: OwnService, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(connection: AsyncConnection, *of: Any) -> Any:
        compared = await compare_with_manifest(connection, *of)
        await given(engine, "Zoé")
        return compared

    monkeypatch.setattr(scheduled, "compare_with_manifest", slow)
    await Comparing(BILLING.mirrored, 4, 90, settled=timedelta()).compare(engine)

    assert await owners(found) == ["Zoé", "Zoé"]
    # And who gives it back then has it no more in the run that comes next.
    await given(engine, None)
    await restated(found, 19)
    monkeypatch.undo()
    await Comparing(BILLING.mirrored, 4, 90, settled=timedelta()).compare(engine)
    assert await owners(found) == ["Zoé", None, None]


async def test_other_clusters_and_subjects_wait_for_nobody(engine: AsyncEngine) -> None:
    async with engine.begin() as first, engine.begin() as other:
        await runs.take_turn(first, "numelink", "mirror")
        await asyncio.wait_for(runs.take_turn(other, "numelink", "rehearsal"), 5)
        await asyncio.wait_for(runs.take_turn(other, "clustr-numerique", "mirror"), 5)
