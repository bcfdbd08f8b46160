"""The CloudEvents project's own Python SDK reads what we send, and we read what it sends."""

from typing import Any

import orjson
import pytest

from schemas.base import Fact
from schemas.billing import InvoiceRecorded
from schemas.envelope import Envelope, encode
from schemas.reading import read
from tests.support.builders import a_consent, a_mailing, a_member, a_payment, a_registration, an_event, an_invoice

rabbitmq: Any = pytest.importorskip("cloudevents.core.bindings.rabbitmq")
FACTS = [a_member(), an_invoice(), a_payment(), an_event(), a_registration(), a_consent(), a_mailing()]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.key)
def test_the_sdk_reads_what_we_send(fact: Fact) -> None:
    source = f"/numelink/{fact.service}"
    message = encode(source, [fact])
    event = rabbitmq.from_rabbitmq_event(rabbitmq.RabbitMQMessage({}, message.content_type, message.body))

    assert event.get_id() == message.message_id
    assert event.get_source() == source
    assert event.get_type() == fact.type_name()
    assert type(fact).model_validate(event.get_data()) == fact


@pytest.mark.parametrize("mode", [rabbitmq.to_structured_event, rabbitmq.to_binary_event], ids=["structured", "binary"])
def test_we_read_what_the_sdk_sends(mode: Any) -> None:
    invoice = an_invoice()
    theirs = rabbitmq.from_rabbitmq_event(
        rabbitmq.RabbitMQMessage({}, "application/cloudevents+json", encode("/numelink/billing", [invoice]).body)
    )
    message = mode(theirs)
    (event,) = read(InvoiceRecorded, message.body, message.content_type, message.headers)

    assert isinstance(event, Envelope), event
    assert (event.id, event.source, event.data) == (theirs.get_id(), theirs.get_source(), invoice)


def test_header_names_may_be_written_in_capitals() -> None:
    invoice = an_invoice()
    event = orjson.loads(encode("/numelink/billing", [invoice]).body)
    headers = {f"CE-{name.title()}": event[name] for name in ("specversion", "id", "source", "type")}
    (read_back,) = read(InvoiceRecorded, orjson.dumps(event["data"]), None, headers)
    assert isinstance(read_back, Envelope)
