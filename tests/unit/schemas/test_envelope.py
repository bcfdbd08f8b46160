"""Reading a message: every event, or why it is refused; and never an exception."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.billing import InvoiceRecorded
from schemas.envelope import BATCH, BINARY, STRUCTURED, Envelope, Refused, encode, encode_all
from schemas.reading import read
from tests.support.builders import an_invoice

SOURCE = "/numelink/billing"


def event_of(invoice: InvoiceRecorded) -> dict[str, Any]:
    return orjson.loads(encode(SOURCE, [invoice]).body)


def as_binary(event: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    attributes = {f"ce-{name}": value for name, value in event.items() if name not in ("data", "datacontenttype")}
    return orjson.dumps(event["data"]), attributes


def refused(body: bytes, content_type: str | None = STRUCTURED, headers: dict[str, Any] | None = None) -> Refused:
    (message,) = read(InvoiceRecorded, body, content_type, headers or {})
    assert isinstance(message, Refused)
    return message


def accepted(
    body: bytes, content_type: str | None = STRUCTURED, headers: dict[str, Any] | None = None
) -> Envelope[Any]:
    (message,) = read(InvoiceRecorded, body, content_type, headers or {})
    assert isinstance(message, Envelope), message
    return message


# --- what is accepted ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", [STRUCTURED, f"{STRUCTURED}; charset=utf-8", STRUCTURED.upper(), None, ""])
def test_structured(content_type: str | None) -> None:
    invoice = an_invoice()
    event = accepted(encode(SOURCE, [invoice]).body, content_type)
    assert (event.data, event.cluster, event.source) == (invoice, "numelink", SOURCE)


@pytest.mark.parametrize("content_type", [BINARY, f"{BINARY}; charset=utf-8", None])
def test_binary(content_type: str | None) -> None:
    event = event_of(an_invoice())
    body, headers = as_binary(event)
    assert accepted(body, content_type, headers).id == event["id"]


def test_batch_in_order() -> None:
    invoices = [an_invoice() for _ in range(3)]
    message = encode(SOURCE, invoices)
    assert message.content_type == BATCH
    events = read(InvoiceRecorded, message.body, BATCH, {})
    assert [event.data for event in events if isinstance(event, Envelope)] == invoices


def test_unknown_attributes_are_ignored_and_unknown_fields_are_not() -> None:
    event = event_of(an_invoice())
    assert accepted(orjson.dumps(event | {"traceparent": "00-…"}))
    event["data"]["amout"] = "1.00"
    assert "data.amout" in refused(orjson.dumps(event)).detail


# --- what is refused, and the words for it -------------------------------------------------------------------------


def test_malformed_json_is_refused_with_its_place() -> None:
    item = refused(b'{"specversion": "1.0",\n "id": }')
    assert (item.reason, item.detail) == ("not-json", "the body is not JSON: line 2, column 8")


def test_latin_1_is_refused_instead_of_garbled() -> None:
    body = encode(SOURCE, [an_invoice(label="Müller")]).body.decode().encode("latin-1")
    item = refused(body)
    assert item.reason == "not-utf-8"
    assert "0xFC (is it Latin-1 or Windows-1252?)" in item.detail
    assert item.body == body


def test_another_type_keeps_its_own_words() -> None:
    event = event_of(an_invoice()) | {"type": "fr.traboule.billing.payment-recorded.v1"}
    item = refused(orjson.dumps(event))
    assert item.reason == "wrong-type"
    assert orjson.loads(item.body) == event


@pytest.mark.parametrize("batched", [False, True])
def test_a_newer_version_keeps_its_own_type_so_that_it_can_be_replayed_after_an_upgrade(batched: bool) -> None:
    event = event_of(an_invoice()) | {"type": "fr.traboule.billing.invoice-recorded.v2"}
    item = refused(orjson.dumps([event] if batched else event), BATCH if batched else STRUCTURED)
    assert item.reason == "newer-version"
    assert orjson.loads(item.body) == event


def test_one_bad_event_does_not_take_its_batch_along() -> None:
    good, bad = an_invoice(), event_of(an_invoice())
    del bad["data"]["number"]
    events = read(InvoiceRecorded, orjson.dumps([event_of(good), bad, event_of(good)]), BATCH, {})
    assert [type(event) for event in events] == [Envelope[InvoiceRecorded], Refused, Envelope[InvoiceRecorded]]
    assert isinstance(events[1], Refused)
    assert (events[1].reason, events[1].detail) == ("invalid-field", "data.number: Field required")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("issued_on", "1970-01-01"),
        ("issued_on", "31/12/2025"),
        ("issued_on", "2026-02-30"),
        ("issued_on", "0026-01-15"),
        ("gross", 120.1),
        ("gross", "1.234"),
        ("gross", "1,50"),
        ("gross", "NaN"),
        ("gross", "99999999999999.00"),
        ("currency", "CHF"),
        ("invoice_id", ""),
        ("invoice_id", "x" * 201),
        ("number", "x" * 1001),
        ("label", "a\x00b"),
        ("version", -1),
        ("version", 2**63 + 5),
    ],
)
def test_a_bad_value_is_refused_by_its_field_and_is_not_quoted(field: str, value: Any) -> None:
    event = event_of(an_invoice())
    event["data"][field] = value
    item = refused(orjson.dumps(event))
    assert item.reason == "invalid-field"
    assert f"data.{field}: " in item.detail
    assert not value or str(value)[:40] not in item.detail.replace("1970-01-01 is how", "")


@pytest.mark.parametrize(
    ("body", "content_type", "wording"),
    [
        (b"[]", BATCH, "the batch is empty"),
        (b"{}", BATCH, "must hold a JSON array"),
        (b"[]", STRUCTURED, f"needs the content type {BATCH}"),
        (b"3", STRUCTURED, "must be a JSON object"),
        (b"[3]", BATCH, "must be a JSON object"),
        (b"null", STRUCTURED, "must be a JSON object"),
        (b"{}", BINARY, "id: Field required"),
    ],
)
def test_what_is_no_cloudevent_is_told_so(body: bytes, content_type: str, wording: str) -> None:
    item = refused(body, content_type)
    assert item.reason == "not-a-cloudevent"
    assert wording in item.detail


def test_a_message_alone_is_kept_as_it_came() -> None:
    body = b'{ "specversion" : "1.0" }'
    assert refused(body).body is body


@given(body=st.binary(max_size=200), content_type=st.sampled_from([None, "", STRUCTURED, BATCH, BINARY, "text/plain"]))
def test_reading_never_raises_for_any_bytes(body: bytes, content_type: str | None) -> None:
    assert read(InvoiceRecorded, body, content_type, {})


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
_attributes = st.sampled_from(["specversion", "id", "source", "type", "data", "time", "subject"])


@given(
    event=st.dictionaries(_attributes, _json, max_size=7),
    binary=st.booleans(),
    value=st.none() | st.booleans() | st.binary(max_size=20) | st.text(max_size=20) | st.integers(),
)
def test_reading_never_raises_for_any_event(event: dict[str, Any], binary: bool, value: Any) -> None:
    whole = event_of(an_invoice()) | event
    try:
        body = orjson.dumps(whole["data"] if binary else whole)
    except TypeError:  # an integer that JSON text can hold and orjson cannot
        return
    headers = {"ce-id": value, "ce-type": whole["type"], "ce-source": value} if binary else {}
    assert read(InvoiceRecorded, body, None, headers)


# --- what we send --------------------------------------------------------------------------------------------------


def test_the_same_fact_makes_the_same_event_id_and_another_version_another() -> None:
    invoice = an_invoice()
    newer = invoice.model_copy(update={"version": 2})
    assert encode(SOURCE, [invoice]) == encode(SOURCE, [invoice])
    assert encode(SOURCE, [invoice]).message_id != encode(SOURCE, [newer]).message_id
    assert encode(SOURCE, [invoice]).message_id != encode("/clustr-numerique/billing", [invoice]).message_id


def test_large_sets_travel_in_batches_that_hold_every_fact_in_order() -> None:
    invoices = [an_invoice(label="x" * 900) for _ in range(1_200)]
    messages = list(encode_all(SOURCE, ((invoice, None) for invoice in invoices)))
    assert len(messages) >= 3
    assert all(message.events <= 500 and len(message.body) <= 1_010_000 for message in messages)
    read_back = [
        event for message in messages for event in read(InvoiceRecorded, message.body, message.content_type, {})
    ]
    assert [event.data for event in read_back if isinstance(event, Envelope)] == invoices
