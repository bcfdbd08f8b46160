"""What arrives is applied once, and a handler that fails is tried again alone."""

import asyncio
from typing import Any

import orjson
import pytest

from schemas.billing import InvoiceRecorded
from services.billing.mirror.repository import BillingUnitOfWork
from shared.messaging.failures import Refusal
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.messages import KEY, NUMELINK, applied, event_of, parked
from tests.support.waiting import eventually


async def test_an_invoice_is_applied_and_announced(billing: OwnService) -> None:
    invoice = an_invoice()
    await billing.publish_as(NUMELINK, invoice)

    await applied(billing, [invoice])
    (event,) = await billing.heard(1)
    assert event["type"] == "fr.traboule.billing.invoice-changed.v1"
    assert event["data"]["cluster"] == "numelink"
    assert await billing.parked() == []


async def test_a_message_that_comes_twice_has_its_effect_once(billing: OwnService) -> None:
    invoice = an_invoice()
    for _ in range(3):
        await billing.publish_as(NUMELINK, invoice)
    last = an_invoice()
    await billing.publish_as(NUMELINK, last)

    await applied(billing, [invoice, last])
    assert len(await billing.heard(2)) == 2
    assert len(await billing.column("select message from inbox")) == 2


async def test_a_batch_that_holds_an_event_twice_applies_it_once(billing: OwnService) -> None:
    twice, fact = an_invoice(), an_invoice()
    await billing.publish_as(NUMELINK, [twice, fact, twice])

    await applied(billing, [twice, fact])
    assert len(await billing.heard(2)) == 2


async def test_the_correlation_id_goes_from_message_to_message(billing: OwnService) -> None:
    event = event_of(an_invoice()) | {"correlationid": "import-7"}
    await billing.publish_as(NUMELINK, orjson.dumps(event), key=KEY)

    (announced,) = await billing.heard(1)
    assert announced["correlationid"] == "import-7"


async def test_an_older_version_that_comes_late_changes_nothing(billing: OwnService) -> None:
    newer = an_invoice(version=2, status="paid")
    older = newer.model_copy(update={"version": 1, "status": "issued"})
    await billing.publish_as(NUMELINK, newer)
    await billing.publish_as(NUMELINK, older)
    await billing.publish_as(NUMELINK, last := an_invoice())

    await applied(billing, [newer, last])
    assert await billing.column("select status from invoices where invoice_id = $1", newer.invoice_id) == ["paid"]


async def test_eight_producers_at_once_deadlock_nobody(billing: OwnService) -> None:
    records = [an_invoice() for _ in range(40)]

    def said_by(producer: int) -> list[InvoiceRecorded]:
        order = records if producer % 2 else records[::-1]
        return [invoice.model_copy(update={"version": producer + 1}) for invoice in order]

    async with billing.running():  # a second replica, so that transactions meet
        await asyncio.gather(*(billing.publish_as(NUMELINK, said_by(number)) for number in range(8)))
        await applied(billing, records)

        async def all_at_the_last_version() -> bool:
            return set(await billing.column("select version from invoices")) == {8}

        await eventually(all_at_the_last_version)
        assert await billing.parked() == []


class Poison:
    """Makes the handler fail on chosen invoices, until it is told to heal."""

    def __init__(self, patch: pytest.MonkeyPatch, error: Exception) -> None:
        self.ids: set[str] = set()
        self.tries = 0
        save = BillingUnitOfWork.save_invoices

        async def fail_on_some(uow: BillingUnitOfWork, messages: Any) -> Any:
            saved = await save(uow, messages)
            if any(message.data.invoice_id in self.ids for message in messages):
                self.tries += len(messages) == 1
                raise error
            return saved

        patch.setattr(BillingUnitOfWork, "save_invoices", fail_on_some)


async def test_only_the_guilty_event_is_retried_and_then_parked(
    billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = Poison(monkeypatch, RuntimeError("a bug of ours"))
    invoices = [an_invoice() for _ in range(20)]
    poison.ids = {invoices[7].invoice_id}
    await billing.publish_as(NUMELINK, invoices)

    await applied(billing, invoices[:7] + invoices[8:])
    (row,) = await parked(billing)
    assert row["reason"] == "handler-failed"
    assert "RuntimeError in the handler, 3 times" in row["detail"]
    assert poison.tries == 3
    assert (row["producer"], row["routing_key"]) == (NUMELINK, KEY), "a retry keeps its origin"


async def test_what_fails_once_is_applied_by_the_retry(billing: OwnService, monkeypatch: pytest.MonkeyPatch) -> None:
    poison = Poison(monkeypatch, RuntimeError("a bug of ours"))
    invoice = an_invoice()
    poison.ids = {invoice.invoice_id}
    await billing.publish_as(NUMELINK, invoice)

    async def tried_once() -> bool:
        return poison.tries == 1

    await eventually(tried_once)
    poison.ids = set()
    await applied(billing, [invoice])
    assert await billing.parked() == []


async def test_a_refusal_is_parked_at_once(billing: OwnService, monkeypatch: pytest.MonkeyPatch) -> None:
    poison = Poison(monkeypatch, Refusal("closed-period", "the year 2019 is closed"))
    refused, accepted = an_invoice(), an_invoice()
    poison.ids = {refused.invoice_id}
    await billing.publish_as(NUMELINK, [refused, accepted])

    await applied(billing, [accepted])
    (row,) = await parked(billing)
    assert (row["reason"], row["detail"]) == ("closed-period", "the year 2019 is closed")
    assert poison.tries == 1
