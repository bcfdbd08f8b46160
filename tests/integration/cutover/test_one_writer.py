"""One writer at any moment: a former system's word applies while it is the authority, and waits for a person after."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.billing import InvoiceRecorded
from schemas.envelope import STRUCTURED, Envelope, encode, source_of
from schemas.reading import read
from services.billing.consumers import SUBSCRIPTIONS
from services.billing.definition import DEFINITION as BILLING
from services.billing.mirror.repository import BillingUnitOfWork
from services.cutover import late_messages, quarantine
from services.cutover.fence import NotOursError, require_ours
from services.cutover.moves import move
from services.cutover.stages import MoveError, lock_stages, read_stages
from shared.persistence.database import create_engine
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService

CLUSTER, OTHER = "numelink", "clustr-numerique"
RECORD = next(subscription.handler for subscription in SUBSCRIPTIONS if subscription.fact is InvoiceRecorded)
WHY = {"by": "ops", "reason": "a test"}


@pytest.fixture
async def engine(empty_billing: OwnService) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(empty_billing.env["TRABOULE_BILLING_DATABASE_URL"], application="test", pool_size=8)
    yield engine
    await engine.dispose()


def uow_of(connection: AsyncConnection) -> BillingUnitOfWork:
    return BillingUnitOfWork(connection, conflict_owner="somebody")


async def moved(engine: AsyncEngine, *moves: Any) -> None:
    for item in moves:
        async with engine.begin() as connection:
            uow = uow_of(connection)
            await move(uow, "billing", CLUSTER, item, **WHY)
            await uow.outbox.flush(connection)


async def said(engine: AsyncEngine, cluster: str = CLUSTER, **fields: Any) -> Envelope[InvoiceRecorded]:
    [event] = read(InvoiceRecorded, encode(source_of(cluster, "billing"), [an_invoice(**fields)]).body, STRUCTURED, {})
    assert isinstance(event, Envelope)
    async with engine.begin() as connection:
        await RECORD(uow_of(connection), [event])
    return event


async def stands(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        return (await lock_stages(connection, [CLUSTER]))[CLUSTER].stage


async def test_every_move_and_no_other(engine: AsyncEngine, empty_billing: OwnService) -> None:
    assert await stands(engine) == "legacy"
    for impossible in ("switch", "rollback", "retire"):
        with pytest.raises(MoveError, match=r"in stage legacy, so it cannot .*: from there it can only mirror"):
            await moved(engine, impossible)
    await moved(engine, "mirror", "switch", "rollback", "switch", "retire")
    with pytest.raises(MoveError, match="that is its end"):
        await moved(engine, "rollback")
    history = await empty_billing.query("select epoch, stage, by, reason from stage_history order by epoch")
    assert [(row["epoch"], row["stage"]) for row in history] == [
        (1, "mirror"), (2, "live"), (3, "mirror"), (4, "live"), (5, "retired"),
    ]  # fmt: skip
    assert {(row["by"], row["reason"]) for row in history} == {("ops", "a test")}
    column = [orjson.loads(body) for body in await empty_billing.column("select body from outbox order by id")]
    assert [item["data"]["stage"] for item in column] == [row["stage"] for row in history]
    async with engine.connect() as connection:
        assert {name: stage.epoch for name, stage in (await read_stages(connection)).items()} == {CLUSTER: 5}


async def test_a_late_message_waits_and_nothing_else_is_touched(engine: AsyncEngine, empty_billing: OwnService) -> None:
    before = await said(engine, invoice_id="F1", number="before")
    await moved(engine, "mirror", "switch")
    after = await said(engine, invoice_id="F1", number="after", version=9)
    await said(engine, OTHER, invoice_id="F1", number="another cluster's")
    rows = await empty_billing.query("select cluster, number from invoices order by cluster")
    assert [(row["cluster"], row["number"]) for row in rows] == [(OTHER, "another cluster's"), (CLUSTER, "before")]
    async with engine.connect() as connection:
        [waiting] = await quarantine.listed(connection)
    assert (waiting.cluster, waiting.epoch, waiting.message_id) == (CLUSTER, 2, after.id)
    assert orjson.loads(waiting.body)["data"] == orjson.loads(after.document)
    await moved(engine, "rollback")
    await said(engine, invoice_id="F1", number="again", version=10)
    assert await empty_billing.column("select number from invoices where cluster = $1", CLUSTER) == ["again"]
    assert before.data.number == "before"


async def test_a_person_applies_or_dismisses_it_once(engine: AsyncEngine, empty_billing: OwnService) -> None:
    await said(engine, invoice_id="F1", number="held", version=5)
    await moved(engine, "mirror", "switch")
    await said(engine, invoice_id="F1", number="late", version=4)
    await said(engine, invoice_id="F2", number="later")
    async with engine.begin() as connection:
        item, other = await quarantine.listed(connection)
        await late_messages.apply(uow_of(connection), BILLING, item.number, by="zoé", reason="it is right")
        await late_messages.dismiss(uow_of(connection), BILLING, other.number, by="zoé", reason="twice")
    assert await empty_billing.column("select number from invoices") == ["late"]
    for decide in (late_messages.apply, late_messages.dismiss):
        with pytest.raises(late_messages.LateMessageError, match="was applied by zoé already"):
            async with engine.begin() as connection:
                await decide(uow_of(connection), BILLING, item.number, by="somebody", reason="else")
    states = await empty_billing.query("select state, decided_by, reason from quarantine order by id")
    assert [tuple(row.values()) for row in states] == [("applied", "zoé", "it is right"), ("dismissed", "zoé", "twice")]


async def test_after_a_late_message_was_applied_a_former_system_that_counts_by_itself_is_heard_again(
    engine: AsyncEngine, empty_billing: OwnService
) -> None:
    await said(engine, invoice_id="F1", number="five", version=5)
    await moved(engine, "mirror", "switch")
    await said(engine, invoice_id="F1", number="six", version=6)
    async with engine.begin() as connection:
        [waiting] = await quarantine.listed(connection)
        await late_messages.apply(uow_of(connection), BILLING, waiting.number, by="zoé", reason="it is right")
    await moved(engine, "rollback")
    await said(engine, invoice_id="F1", number="seven", version=7)
    assert await empty_billing.column("select number from invoices") == ["seven"]


async def test_our_own_commands_are_refused_where_the_former_system_is_the_authority(engine: AsyncEngine) -> None:
    async def command() -> None:
        async with engine.begin() as connection:
            await require_ours(connection, CLUSTER, "billing")

    with pytest.raises(NotOursError, match=r"numelink/billing is in stage legacy: its former system is the authority"):
        await command()
    await moved(engine, "mirror", "switch")
    await command()
    await moved(engine, "rollback")
    with pytest.raises(NotOursError, match="stage mirror"):
        await command()


@pytest.mark.parametrize("seed", range(4))
async def test_switches_in_the_middle_of_traffic_never_leave_two_writers_nor_lose_a_message(
    engine: AsyncEngine, empty_billing: OwnService, seed: int
) -> None:
    """Each writer notes the epoch that it wrote in; a write in an epoch of the other would be told here."""
    rng = Random(seed)
    await moved(engine, "mirror")
    sent, commands = list[str](), list[tuple[int, str]]()
    done = asyncio.Event()

    async def former_system(number: int) -> None:
        while not done.is_set():
            event = await said(engine, invoice_id=f"F{number}-{len(sent)}")
            sent.append(event.id)
            await asyncio.sleep(rng.random() / 200)

    async def we() -> None:
        while not done.is_set():
            try:
                async with engine.begin() as connection:
                    state = await require_ours(connection, CLUSTER, "billing")
                    await asyncio.sleep(rng.random() / 100)
                    [now] = (
                        await connection.exec_driver_sql("select epoch from stages where cluster = $1", (CLUSTER,))
                    ).scalars()
                    commands.append((state.epoch, "ours" if now == state.epoch else "moved meanwhile"))
            except NotOursError:
                await asyncio.sleep(rng.random() / 100)

    writers = [asyncio.create_task(item) for item in (former_system(1), former_system(2), we(), we())]
    for _ in range(12):
        await asyncio.sleep(rng.random() / 10)
        await moved(engine, "switch")
        await asyncio.sleep(rng.random() / 10)
        await moved(engine, "rollback")
    done.set()
    await asyncio.gather(*writers)

    applied = await empty_billing.column("select invoice_id from invoices")
    late_ones = await empty_billing.query("select epoch, body from quarantine")
    assert len(applied) + len(late_ones) == len(sent), "a message was lost, or taken twice"
    assert applied, "some of it in mirror"
    assert late_ones, "some of it too late"
    assert {row["epoch"] % 2 for row in late_ones} == {0}, "quarantined only in the epochs that are ours"
    assert commands, "some commands went through"
    assert {(epoch % 2, what) for epoch, what in commands} == {(0, "ours")}
