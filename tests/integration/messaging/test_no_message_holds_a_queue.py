"""Whatever a publisher sends, the next publisher's message is applied at once, and this one is applied or parked."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from aio_pika import queue as client_queue

from schemas.billing import InvoiceRecorded
from schemas.envelope import BATCH, Envelope
from schemas.reading import MAX_FACTS
from services.billing.mirror.repository import BillingUnitOfWork
from shared.messaging import acknowledging, dead_letters, work_items
from shared.messaging.batch_processor import BatchProcessor
from shared.messaging.dead_letters import Parked
from shared.messaging.work_items import PARKED_ALONE
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.messages import KEY, NUMELINK, applied, event_of, parked

CLUSTR = "clustr-numerique.billing"
WITHIN = 15.0
"""Seconds after which a healthy message of the other cluster has to be applied."""
HUGE = 10**30


def nested(depth: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(depth):
        value = {"n": value}
    return value


async def neighbour_is_applied(billing: OwnService, *others: InvoiceRecorded) -> None:
    await billing.publish_as(CLUSTR, healthy := an_invoice())
    await applied(billing, [*others, healthy], WITHIN)


async def test_an_integer_above_64_bits_is_applied_and_comes_back_whole_from_a_dead_letter(billing: OwnService) -> None:
    event = event_of(good := an_invoice()) | {"anything": HUGE}
    await billing.publish_as(NUMELINK, orjson_with_huge(event), key=KEY)
    forged = event_of(an_invoice()) | {"anything": HUGE, "source": "/clustr-numerique/billing"}
    await billing.publish_as(NUMELINK, orjson_with_huge(forged), key=KEY)

    await neighbour_is_applied(billing, good)
    (row,) = await parked(billing)
    assert row["reason"] == "forged-source"
    assert str(HUGE).encode() in row["body"]


def orjson_with_huge(event: dict[str, Any]) -> bytes:
    return orjson.dumps(event | {"anything": "HUGE"}).replace(b'"HUGE"', str(HUGE).encode())


async def test_an_integer_above_64_bits_can_be_tried_again_and_kept_in_quarantine(
    empty_billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, failures = BillingUnitOfWork.save_invoices, 1

    async def fails_once(uow: BillingUnitOfWork, messages: Sequence[Envelope[InvoiceRecorded]]) -> Any:
        nonlocal failures
        if failures and any(message.cluster == "numelink" for message in messages):
            if len(messages) == 1:
                failures -= 1
            raise RuntimeError
        return await save(uow, messages)

    monkeypatch.setattr(BillingUnitOfWork, "save_invoices", fails_once)
    async with empty_billing.running():
        event = event_of(retried := an_invoice()) | {"anything": HUGE}
        await empty_billing.publish_as(NUMELINK, orjson_with_huge(event), key=KEY)
        await neighbour_is_applied(empty_billing, retried)
        await empty_billing.query("insert into stages values ('numelink', 'live', 2, now(), 'a test')")
        late = event_of(an_invoice()) | {"anything": HUGE}
        await empty_billing.publish_as(NUMELINK, orjson_with_huge(late), key=KEY)
        await neighbour_goes_on(empty_billing)
        (body,) = await empty_billing.column("select body from quarantine")
        assert str(HUGE).encode() in body


async def neighbour_goes_on(billing: OwnService) -> None:
    column = set(await billing.column("select invoice_id from invoices"))
    await billing.publish_as(CLUSTR, healthy := an_invoice())
    known = [an_invoice(invoice_id=item) for item in column]
    await applied(billing, [*known, healthy], WITHIN)


@pytest.mark.parametrize("depth", [30, 253, 300, 320])
@pytest.mark.parametrize("name", ["x-anything", "ce-anything"])
async def test_a_header_however_deep_is_parked_with_its_message(billing: OwnService, depth: int, name: str) -> None:
    await billing.publish_as(NUMELINK, b"not json", key=KEY, headers={name: nested(depth)})
    await neighbour_is_applied(billing)
    (row,) = await parked(billing)
    assert row["reason"] in {"not-json", "unreadable-properties"}
    assert row["body"] == b"not json"


@pytest.mark.parametrize("deaths", [[1], [], "x", [{"routing-keys": 7}], [{"queue": nested(200)}], nested(250)])
async def test_a_forged_death_ends_in_the_queue_of_last_resort_like_any_other(billing: OwnService, deaths: Any) -> None:
    headers = {"x-death": deaths, "ce-deep": nested(260)}
    await billing.publish_as(NUMELINK, b"{}", key="numelink.billing.nothing-such", headers=headers)
    await neighbour_is_applied(billing)
    (row,) = await parked(billing)
    assert row["reason"] in {"unrouted", "unreadable-properties"}


async def test_a_message_that_cannot_even_be_parked_as_it_is_is_parked_by_its_bytes(
    empty_billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever we did not think of: reading and parking fail, and only bytes and names of the broker are left."""

    async def fails(connection: Any, items: Sequence[Parked]) -> None:
        if any(item.reason != "unprocessable" for item in items):
            raise TypeError
        await park(connection, items)

    park = dead_letters.park
    monkeypatch.setattr(dead_letters, "park", fails)
    async with empty_billing.running() as service:
        for number in range(3):
            await empty_billing.publish_as(NUMELINK, b"not json %d" % number, key=KEY, message_id=f"m{number}\x00")
        await neighbour_is_applied(empty_billing)
        rows = await parked(empty_billing, 3)
        assert {bytes(row["body"]) for row in rows} == {b"not json 0", b"not json 1", b"not json 2"}
        assert {row["reason"] for row in rows} == {"unprocessable"}
        assert {row["producer"] for row in rows} == {NUMELINK}
        assert service.bus.healthy


async def test_a_reader_that_breaks_parks_the_message_and_no_neighbour(
    empty_billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    grouped = work_items._grouped  # pyright: ignore[reportPrivateUsage]

    def breaks(delivery: Any, items: list[Any]) -> Any:
        if delivery.user == NUMELINK:
            raise RecursionError
        return grouped(delivery, items)

    monkeypatch.setattr(work_items, "_grouped", breaks)
    async with empty_billing.running():
        await empty_billing.publish_as(NUMELINK, an_invoice())
        await neighbour_is_applied(empty_billing)
        (row,) = await parked(empty_billing)
        assert row["reason"] == "unreadable"


@pytest.mark.parametrize("mode", [3, 255])
async def test_a_delivery_mode_that_the_client_library_refuses_is_parked(
    billing: OwnService, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """RabbitMQ 4 takes it; 3.10 refuses it, so the mode is written into what arrives."""
    from pamqp.commands import Basic

    unmarshal = Basic.Properties.unmarshal

    def odd(self: Basic.Properties, flags: int, data: bytes) -> None:
        unmarshal(self, flags, data)
        if self.message_id == "odd":
            self.delivery_mode = mode

    monkeypatch.setattr(Basic.Properties, "unmarshal", odd)
    await billing.publish_as(NUMELINK, an_invoice(), message_id="odd")
    await neighbour_is_applied(billing)
    (row,) = await parked(billing)
    assert row["reason"] == "unreadable-properties"


async def test_what_never_reached_the_consumer_is_not_acknowledged_with_its_neighbours(
    empty_billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledging, "GRACE_SECONDS", 0.5)
    real, refused = client_queue.IncomingMessage, 1  # pyright: ignore[reportPrivateImportUsage]

    def refuses_once(message: Any, no_ack: bool = False) -> Any:
        nonlocal refused
        if message.header.properties.message_id == "refused" and refused:
            refused -= 1
            raise ValueError
        return real(message, no_ack=no_ack)

    monkeypatch.setattr(client_queue, "IncomingMessage", refuses_once)
    async with empty_billing.running():
        await empty_billing.publish_as(NUMELINK, lost := an_invoice(), message_id="refused")
        await empty_billing.publish_as(CLUSTR, healthy := an_invoice())
        await applied(empty_billing, [lost, healthy], WITHIN)
    assert not refused
    assert await empty_billing.parked() == []


async def test_what_is_short_for_a_moment_costs_no_healthy_message(
    empty_billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction = BatchProcessor._transaction  # pyright: ignore[reportPrivateUsage]
    failures = 0

    async def out_of_files(self: BatchProcessor, items: Any) -> None:
        nonlocal failures
        if self.queue == "billing.invoice-recorded" and any(item.message for item in items) and failures < 6:
            failures += 1
            raise OSError(24, "too many open files")
        await transaction(self, items)

    monkeypatch.setattr(BatchProcessor, "_transaction", out_of_files)
    async with empty_billing.running():
        await empty_billing.publish_as(NUMELINK, healthy := an_invoice())
        await applied(empty_billing, [healthy])
        assert await empty_billing.parked() == []
    assert failures == 6, "it was tried again later, and not parked after the first three"


async def test_a_batch_of_rubbish_is_one_dead_letter_and_its_good_facts_are_applied(billing: OwnService) -> None:
    good = an_invoice()
    rubbish = [*range(3 * PARKED_ALONE), event_of(good)]
    await billing.publish_as(NUMELINK, orjson.dumps(rubbish), key=KEY, content_type=BATCH)
    await neighbour_is_applied(billing, good)
    (row,) = await parked(billing)
    assert row["content_type"] == BATCH
    assert orjson.loads(row["body"]) == rubbish[:-1]
    assert f"{3 * PARKED_ALONE} of {3 * PARKED_ALONE + 1}" in row["detail"]


async def test_a_message_of_too_many_facts_is_parked_whole_without_stopping_the_process(billing: OwnService) -> None:
    body = b"[" + b"0," * 1_900_000 + b"0]"
    await billing.publish_as(NUMELINK, body, key=KEY, content_type=BATCH)
    await neighbour_is_applied(billing)
    (row,) = await parked(billing)
    assert row["reason"] == "too-many-facts"
    assert f"{MAX_FACTS:,}" in row["detail"]
    assert bytes(row["body"]) == body


@pytest.mark.parametrize("version", ["²", "9" * 5_000, "٣"])
async def test_an_odd_version_of_a_type_costs_its_own_event_alone(billing: OwnService, version: str) -> None:
    good = [an_invoice() for _ in range(4)]
    odd = event_of(an_invoice()) | {"type": f"fr.traboule.billing.invoice-recorded.v{version}"}
    events = [event_of(good[0]), odd, *(event_of(fact) for fact in good[1:])]
    await billing.publish_as(NUMELINK, orjson.dumps(events), key=KEY, content_type=BATCH)
    await applied(billing, good, WITHIN)
    (row,) = await parked(billing)
    assert row["reason"] == "wrong-type"


@pytest.mark.parametrize("version", [2**63 - 1, 10**18, True, 1.0])
async def test_a_version_that_could_never_be_followed_is_refused(billing: OwnService, version: Any) -> None:
    await billing.publish_as(NUMELINK, orjson.dumps(event_of(an_invoice(), version=version)), key=KEY)
    await neighbour_is_applied(billing)
    (row,) = await parked(billing)
    assert (row["reason"], "data.version: " in row["detail"]) == ("invalid-field", True)


async def test_a_message_that_expired_is_told_from_one_that_came_back_too_often(empty_billing: OwnService) -> None:
    await empty_billing.publish_as(NUMELINK, an_invoice(), expiration=0.001)
    async with empty_billing.running():
        await neighbour_is_applied(empty_billing)
        (row,) = await parked(empty_billing)
        assert row["reason"] == "expired"
