"""What counts as one message, and what must never be taken for one."""

import orjson

from tests.support.builders import an_invoice, unique
from tests.support.in_process import OwnService
from tests.support.messages import KEY, NUMELINK, applied, event_of, parked

STRUCTURED = "application/cloudevents+json"


async def test_an_id_used_again_for_another_content_is_parked_and_the_same_content_is_not(billing: OwnService) -> None:
    first, second = an_invoice(), an_invoice()
    event = event_of(first)
    await billing.publish_as(NUMELINK, orjson.dumps(event), key=KEY, content_type=STRUCTURED)
    await applied(billing, [first])

    other = event | {"data": event_of(second)["data"]}
    await billing.publish_as(NUMELINK, orjson.dumps(event), key=KEY, content_type=STRUCTURED)
    await billing.publish_as(NUMELINK, orjson.dumps(other), key=KEY, content_type=STRUCTURED)

    (letter,) = await parked(billing)
    assert (letter["reason"], letter["message_id"]) == ("id-reused", event["id"])
    await applied(billing, [first])


async def test_an_id_used_twice_in_one_batch_applies_the_first_and_parks_the_other(billing: OwnService) -> None:
    first, second = an_invoice(), an_invoice()
    event = event_of(first)
    batch = [event, event | {"data": event_of(second)["data"]}, event]
    content_type = "application/cloudevents-batch+json"
    await billing.publish_as(NUMELINK, orjson.dumps(batch), key=KEY, content_type=content_type)

    (letter,) = await parked(billing)
    assert letter["reason"] == "id-reused"
    await applied(billing, [first])


async def test_equal_bodies_of_different_binary_events_are_different_dead_letters(billing: OwnService) -> None:
    for event_id in (unique("one"), unique("two")):
        headers = {
            "ce-id": event_id,
            "ce-specversion": "1.0",
            "ce-source": "/numelink/billing",
            "ce-type": "fr.traboule.billing.invoice-recorded.v1",
        }
        await billing.publish_as(NUMELINK, b'{"version": 1}', key=KEY, content_type="application/json", headers=headers)

    letters = await parked(billing, 2)
    assert len({letter["message_id"] for letter in letters}) == 2


async def test_a_parked_event_keeps_the_attributes_that_we_do_not_know(billing: OwnService) -> None:
    event = event_of(an_invoice()) | {
        "traceparent": "00-abc-def-01",
        "subject": "F1",
        "source": "/clustr-numerique/billing",
    }
    await billing.publish_as(NUMELINK, orjson.dumps(event), key=KEY, content_type=STRUCTURED)
    (letter,) = await parked(billing)
    kept = orjson.loads(letter["body"])
    assert (kept["traceparent"], kept["subject"]) == ("00-abc-def-01", "F1")
