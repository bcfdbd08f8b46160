"""What arrives is applied once, or parked with a reason; and its neighbours are applied either way."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import aio_pika
import orjson
import pamqp.encode
import pytest
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed

from schemas.billing import InvoiceRecorded
from schemas.envelope import BATCH, STRUCTURED
from services.billing.mirror.repository import BillingUnitOfWork
from shared.messaging.consumer import MAX_BODY
from shared.messaging.failures import Refusal
from shared.messaging.topology import MESSAGE_BYTES
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.messages import KEY, NUMELINK, applied, event_of, parked
from tests.support.waiting import eventually

# --- once ----------------------------------------------------------------------------------------------------------


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


# --- parked, with a reason that a person understands ---------------------------------------------------------------


async def test_one_bad_event_of_a_batch_is_parked_and_its_neighbours_are_applied(billing: OwnService) -> None:
    good, also_good = an_invoice(), an_invoice()
    events = [event_of(good), event_of(an_invoice(), gross="12,50", issued_on="31/12/2025"), event_of(also_good)]
    await billing.publish_as(NUMELINK, orjson.dumps(events), key=KEY, content_type=BATCH)

    await applied(billing, [good, also_good])
    (row,) = await parked(billing)
    assert row["reason"] == "invalid-field"
    assert "data.gross: " in row["detail"]
    assert "data.issued_on: " in row["detail"]
    assert orjson.loads(row["body"]) == events[1], "the event itself is kept, not its batch"
    assert row["content_type"] == STRUCTURED
    assert (row["producer"], row["routing_key"]) == (NUMELINK, KEY)


@pytest.mark.parametrize(
    ("body", "reason", "text"),
    [
        (b'{"specversion": "1.0", ', "not-json", "line 1"),
        ('{"nom": "Müller"}'.encode("latin-1"), "not-utf-8", "Latin-1"),
        (b"[]", "not-a-cloudevent", "needs the content type"),
        (b'{"hello": "world"}', "not-a-cloudevent", "specversion: Field required"),
        (b"", "not-json", "not JSON"),
    ],
    ids=["malformed", "latin-1", "array", "no envelope", "empty"],
)
async def test_a_body_that_cannot_be_read_is_parked(billing: OwnService, body: bytes, reason: str, text: str) -> None:
    await billing.publish_as(NUMELINK, body, key=KEY)
    await billing.publish_as(NUMELINK, neighbour := an_invoice())

    await applied(billing, [neighbour])
    (row,) = await parked(billing)
    assert (row["reason"], row["body"]) == (reason, body)
    assert text in row["detail"]


async def test_a_newer_version_of_a_type_is_parked_until_the_service_knows_it(billing: OwnService) -> None:
    event = event_of(an_invoice()) | {"type": "fr.traboule.billing.invoice-recorded.v2"}
    await billing.publish_as(NUMELINK, orjson.dumps(event), key=KEY)

    (row,) = await parked(billing)
    assert row["reason"] == "newer-version"
    assert "upgrade Traboule, then replay" in row["detail"]


async def test_nul_in_a_text_is_a_fault_of_its_field(billing: OwnService) -> None:
    event = event_of(an_invoice(), label="Cotisation\x00 2026", number="FA\x00")
    await billing.publish_as(NUMELINK, orjson.dumps(event), key=KEY)

    (row,) = await parked(billing)
    assert row["reason"] == "invalid-field"
    assert "data.label: " in row["detail"]
    assert "data.number: " in row["detail"]


async def test_nul_in_a_property_does_not_keep_a_message_from_being_parked(billing: OwnService) -> None:
    await billing.publish_as(
        NUMELINK, b"{", key=KEY, message_id="a\x00b", headers={"x-note": "c\x00d"}, content_type="e\x00f"
    )

    (row,) = await parked(billing)
    assert row["message_id"] == "a␀b"


@pytest.mark.parametrize(
    ("kind", "property_", "written"),
    [("shortstr", "message_id", "M\xfcller".encode("latin-1")), ("timestamp", "timestamp", 1_795_000_000_000_000)],
    ids=["latin-1", "microseconds"],
)
async def test_a_property_that_cannot_be_decoded_stops_nobody_else(
    billing: OwnService, monkeypatch: pytest.MonkeyPatch, kind: str, property_: str, written: bytes | int
) -> None:
    encoder, spoiled = (
        pamqp.encode.METHODS[kind],
        "to be spoiled" if kind == "shortstr" else datetime(2026, 1, 1, tzinfo=UTC),
    )
    raw = bytes([len(written)]) + written if isinstance(written, bytes) else written.to_bytes(8, "big")
    monkeypatch.setitem(pamqp.encode.METHODS, kind, lambda value: raw if value == spoiled else encoder(value))
    await billing.publish_as(NUMELINK, an_invoice(), **{property_: spoiled})
    await billing.publish_as(NUMELINK, neighbour := an_invoice())

    await applied(billing, [neighbour])
    (row,) = await parked(billing)
    assert row["reason"] == "unreadable-properties"


async def test_a_routing_key_that_nothing_subscribes_to_is_parked_as_unrouted(billing: OwnService) -> None:
    await billing.publish_as(NUMELINK, an_invoice(), key="numelink.billing.invoice-recorded2")

    (row,) = await parked(billing)
    assert (row["queue"], row["reason"]) == ("billing.unrouted", "unrouted")
    assert "numelink.billing.invoice-recorded2" in row["detail"]


@pytest.mark.parametrize("size", [MAX_BODY + 1, MESSAGE_BYTES], ids="{}B".format)
async def test_a_body_that_is_too_large_is_parked(billing: OwnService, size: int) -> None:
    body = b'{"filler": "' + b"x" * (size - 14) + b'"}'
    assert len(body) == size
    await billing.publish_as(NUMELINK, body, key=KEY)
    await billing.publish_as(NUMELINK, neighbour := an_invoice())

    await applied(billing, [neighbour])
    (row,) = await parked(billing)
    assert row["reason"] == "too-large"
    assert f"{MAX_BODY:,}" in row["detail"]
    assert len(row["body"]) == len(body), "even then nothing is lost"


async def test_what_is_larger_than_the_broker_takes_is_refused_with_the_number(billing: OwnService) -> None:
    with pytest.raises(ChannelPreconditionFailed, match=f"message size {MESSAGE_BYTES + 1} is larger than"):
        await billing.publish_as(NUMELINK, b"x" * (MESSAGE_BYTES + 1), key=KEY)
    await billing.publish_as(NUMELINK, neighbour := an_invoice())
    await applied(billing, [neighbour])
    assert await billing.parked() == []


async def test_the_same_bad_message_is_one_dead_letter_and_counted(billing: OwnService) -> None:
    for _ in range(3):
        await billing.publish_as(NUMELINK, b"nonsense", key=KEY)

    async def counted() -> bool:
        return await billing.column("select count from dead_letters") == [3]

    await eventually(counted)


# --- who may say what ----------------------------------------------------------------------------------------------


async def test_a_message_without_user_id_is_parked(billing: OwnService) -> None:
    await billing.publish_as(NUMELINK, an_invoice(), user_id=None)

    (row,) = await parked(billing)
    assert row["reason"] == "missing-user-id"
    assert row["producer"] is None
    assert await billing.column("select invoice_id from invoices") == []


async def test_the_broker_refuses_a_forged_user_id(billing: OwnService) -> None:
    with pytest.raises(ChannelPreconditionFailed):
        await billing.publish_as(NUMELINK, an_invoice(), user_id="clustr-numerique.billing")


async def test_the_broker_refuses_another_clusters_routing_key(billing: OwnService) -> None:
    with pytest.raises(ChannelAccessRefused):
        await billing.publish_as(NUMELINK, an_invoice(), key="clustr-numerique.billing.invoice-recorded")


async def test_the_broker_lets_a_former_system_read_nothing(billing: OwnService) -> None:
    async with await aio_pika.connect(billing.env["TRABOULE_BROKER_URL_NUMELINK_BILLING"]) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue("billing.invoice-recorded", ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await queue.get()


async def test_a_former_system_cannot_write_to_a_queue_past_its_routing_key(billing: OwnService) -> None:
    async with await aio_pika.connect(billing.env["TRABOULE_BROKER_URL_NUMELINK_BILLING"]) as connection:
        channel = await connection.channel()
        with pytest.raises(ChannelAccessRefused):
            await channel.default_exchange.publish(aio_pika.Message(b"{}"), "billing.invoice-recorded")


async def test_an_event_that_names_another_cluster_as_its_source_is_parked(billing: OwnService) -> None:
    event = event_of(an_invoice()) | {"source": "/clustr-numerique/billing"}
    await billing.publish_as(NUMELINK, orjson.dumps(event), key=KEY)

    (row,) = await parked(billing)
    assert row["reason"] == "forged-source"


async def test_headers_that_claim_to_be_a_replay_are_not_believed(billing: OwnService) -> None:
    claim = {"traboule-origin-user": "clustr-numerique.billing", "traboule-origin-key": "clustr-numerique.billing.x"}
    event = event_of(an_invoice()) | {"source": "/clustr-numerique/billing"}
    await billing.publish_as(NUMELINK, orjson.dumps(event), key=KEY, headers=claim)

    (row,) = await parked(billing)
    assert row["reason"] == "forged-source"


# --- when the handler fails ----------------------------------------------------------------------------------------


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
