"""What cannot be applied is parked with a reason, and its neighbours are applied."""

from datetime import UTC, datetime

import aio_pika
import orjson
import pamqp.encode
import pytest
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed

from schemas.envelope import BATCH, STRUCTURED
from shared.messaging.consumer import MAX_BODY
from shared.messaging.topology import MESSAGE_BYTES
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.messages import KEY, NUMELINK, applied, event_of, parked
from tests.support.waiting import eventually


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
