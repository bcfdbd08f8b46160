"""Services as processes: told to stop, killed, doubled."""

import asyncio
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from deploy.local.local_services import LocalServices
from deploy.local.runs import Run
from deploy.provisioning.provision import Provisioned
from schemas.billing import InvoiceRecorded
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.messages import NUMELINK, applied
from tests.support.waiting import eventually


@pytest.fixture
def processes(empty_billing: OwnService, tmp_path: Path) -> Iterator[LocalServices]:
    """Billing's processes, none running yet, on the virtual host and database of this test alone."""
    with Run() as run:
        services = LocalServices(run, Provisioned(dict(empty_billing.env), {}), tmp_path, ["billing"])
        yield services
        services.close()


async def publish_one_by_one(billing: OwnService, count: int) -> list[InvoiceRecorded]:
    """Single messages from four producers at once."""
    invoices = [an_invoice() for _ in range(count)]

    async def some(mine: list[InvoiceRecorded]) -> None:
        for invoice in mine:
            await billing.publish_as(NUMELINK, invoice)

    await asyncio.gather(*(some(invoices[first::4]) for first in range(4)))
    return invoices


async def metric(stack: LocalServices, process: str, name: str) -> float:
    """The sum of a metric over its labels, or over those that ``name`` spells; 0 if it is not there."""
    text = await asyncio.to_thread(lambda: urlopen(stack.url(process) + "/metrics", timeout=5).read().decode())
    return sum(float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE))


async def test_sigterm_while_messages_arrive_loses_none_and_repeats_none(
    empty_billing: OwnService, processes: LocalServices
) -> None:
    await asyncio.to_thread(processes.start, "billing")
    publishing = asyncio.create_task(publish_one_by_one(empty_billing, 120))
    await asyncio.sleep(0.3)
    process = processes.process("billing")
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(process.wait, 15)
    assert processes.exit_code("billing") == 0
    await asyncio.to_thread(processes.start, "billing")

    await applied(empty_billing, invoices := await publishing)
    assert len(await empty_billing.heard(len(invoices))) == len(invoices)
    assert await metric(processes, "billing", r'traboule_facts_total\{outcome="duplicate".*\}') == 0
    assert await empty_billing.parked() == []


@pytest.mark.faults
async def test_a_killed_process_loses_nothing(empty_billing: OwnService, processes: LocalServices) -> None:
    await asyncio.to_thread(processes.start, "billing")
    publishing = asyncio.create_task(publish_one_by_one(empty_billing, 120))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(processes.kill, "billing")
    await asyncio.to_thread(processes.start, "billing")

    await applied(empty_billing, invoices := await publishing)
    announced = {event["data"]["invoice_id"] for event in await empty_billing.heard(len(invoices))}
    assert announced == {invoice.invoice_id for invoice in invoices}
    assert await empty_billing.parked() == []


@pytest.mark.faults
async def test_two_replicas_share_the_queue_and_one_relays_until_it_is_killed(
    empty_billing: OwnService, processes: LocalServices
) -> None:
    await asyncio.to_thread(processes.start, "billing")
    second = await asyncio.to_thread(processes.start_replica, "billing")

    async def relays() -> list[str]:
        return [name for name in ("billing", second) if await metric(processes, name, "traboule_relay_active") == 1]

    assert await eventually(relays) == ["billing"]
    invoices = await publish_one_by_one(empty_billing, 60)
    await applied(empty_billing, invoices)
    for name in ("billing", second):
        assert await metric(processes, name, "traboule_facts_total") > 0, f"{name} had no share of the work"

    await asyncio.to_thread(processes.kill, "billing")
    more = await publish_one_by_one(empty_billing, 4)
    await applied(empty_billing, invoices + more)
    announced = {event["data"]["invoice_id"] for event in await empty_billing.heard(len(invoices) + len(more))}
    assert announced == {invoice.invoice_id for invoice in invoices + more}
    assert await metric(processes, second, "traboule_relay_active") == 1
