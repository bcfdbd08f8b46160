"""The database or the broker restarts under a working service: it waits, goes on, and parks nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.local.nodes import Nodes
from schemas.billing import InvoiceRecorded
from shared.process.service import Service
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.messages import NUMELINK, applied
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def only_on_private_servers(nodes: Nodes) -> None:
    if not nodes.owned:
        pytest.skip("the environment names the servers: they are not ours to kill")


@asynccontextmanager
async def publishing(billing: OwnService) -> AsyncIterator[list[InvoiceRecorded]]:
    """Keep publishing in the background; the list holds what the broker has confirmed."""
    confirmed: list[InvoiceRecorded] = []
    # Cancelling is not enough: a call that is cut in the middle may raise its own error instead.
    ended = asyncio.Event()

    async def publish() -> None:
        while not ended.is_set():
            invoice = an_invoice()
            try:
                await billing.publish_as(NUMELINK, invoice)
            except Exception:  # the broker is away: publish it again until it is confirmed, as a publisher must
                await asyncio.sleep(0.1)
                continue
            confirmed.append(invoice)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(publish())
    try:
        yield confirmed
    finally:
        ended.set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def confirmed_more(confirmed: list[InvoiceRecorded], count: int) -> None:
    goal = len(confirmed) + count

    async def enough() -> bool:
        return len(confirmed) >= goal

    await eventually(enough, 30)


def holds(service: Service) -> bool:
    return any(lane.paused for lane in service.bus.lanes)


async def all_announced(billing: OwnService, invoices: list[InvoiceRecorded]) -> None:
    announced: set[str] = set()

    async def complete() -> bool:
        announced.update(event["data"]["invoice_id"] for event in await billing.heard(0))
        return announced >= {invoice.invoice_id for invoice in invoices}

    await eventually(complete, 30)


async def applied_at_least(billing: OwnService, invoices: list[InvoiceRecorded]) -> None:
    """An invoice whose confirm was lost may be there too: its publisher would have sent it again."""

    async def all_present() -> bool:
        return {i.invoice_id for i in invoices} <= set(await billing.column("select invoice_id from invoices"))

    await eventually(all_present, 30)


async def test_while_the_database_is_away_messages_are_held_and_none_is_parked(
    nodes: Nodes, empty_billing: OwnService
) -> None:
    async with empty_billing.running() as service, publishing(empty_billing) as confirmed:
        await confirmed_more(confirmed, 5)
        await asyncio.to_thread(nodes.database.kill)
        await confirmed_more(confirmed, 5)

        async def paused() -> bool:
            return holds(service) and not (await service.checks())["database"]

        await eventually(paused)
        assert not service.bus.healthy
        await asyncio.to_thread(nodes.database.start)
        await confirmed_more(confirmed, 5)
        sent = list(confirmed)

        async def released() -> bool:
            return not holds(service) and all((await service.checks()).values())

        await eventually(released)
        await applied_at_least(empty_billing, sent)
        assert await empty_billing.parked() == []
        await all_announced(empty_billing, sent)


async def test_a_service_that_is_stopped_while_it_holds_messages_returns_them(
    nodes: Nodes, empty_billing: OwnService
) -> None:
    async with empty_billing.running() as service:
        await asyncio.to_thread(nodes.database.stop)
        invoices = [an_invoice() for _ in range(3)]
        for invoice in invoices:
            await empty_billing.publish_as(NUMELINK, invoice)

        async def paused() -> bool:
            return holds(service)

        await eventually(paused)
        started = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - started < 5
    await asyncio.to_thread(nodes.database.start)
    assert await empty_billing.column("select invoice_id from invoices") == []

    async with empty_billing.running():
        await applied(empty_billing, invoices)
        assert await empty_billing.parked() == []


@pytest.mark.faults
async def test_a_service_finds_its_way_back_to_a_broker_that_was_killed(
    nodes: Nodes, empty_billing: OwnService
) -> None:
    async with empty_billing.running() as service:
        async with publishing(empty_billing) as confirmed:
            await confirmed_more(confirmed, 5)
            await asyncio.to_thread(nodes.broker.kill)
            await asyncio.to_thread(nodes.broker.start)
            await confirmed_more(confirmed, 5)
        await applied_at_least(empty_billing, confirmed)
        assert await empty_billing.parked() == []
        await all_announced(empty_billing, confirmed)

        async def ready() -> bool:
            return all((await service.checks()).values())

        await eventually(ready)
