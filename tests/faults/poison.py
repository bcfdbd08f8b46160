"""Events and messages that no service may apply."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

from schemas.base import Fact
from schemas.billing import InvoiceRecorded, PaymentRecorded
from schemas.communications import ConsentRecorded, MailingRecorded
from schemas.envelope import BATCH, STRUCTURED, encode, routing_key, source_of
from schemas.events import EventRecorded, RegistrationRecorded
from schemas.membership import MemberRecorded, MemberRemoved
from tests.faults.sent import CLUSTERS, Event, Message


def bad_events() -> list[Event]:
    """Events that no service may apply, each with an id by which to find it, and fit to sit among healthy ones."""
    return [
        _bad(InvoiceRecorded, "nul", "invalid-field", invoice_id="F\x00", record_id="M1"),
        _bad(InvoiceRecorded, "float", "invalid-field", invoice_id="F-float", record_id="M1", gross=12.5),
        _bad(PaymentRecorded, "no-version", "invalid-field", payment_id="P-x"),
        _bad(MemberRecorded, "nameless", "invalid-field", version=1, record_id="M-nameless"),
        _bad(MemberRecorded, "no-date", "invalid-field", version=1, record_id="M1", name="A", paid_until="1970-01-01"),
        _bad(MemberRemoved, "wrong-shape", "invalid-field", version="soon", record_id=["M1"]),
        _bad(EventRecorded, "unknown-field", "invalid-field", version=1, event_id="E1", title="x", titel="y"),
        _bad(ConsentRecorded, "naive-time", "invalid-field", version=1, consent_id="C", decided_at="2026-01-01T00:00"),
        _bad(MailingRecorded, "not-an-object", "invalid-field", data=7),
        _bad(RegistrationRecorded, "old-spec", "not-a-cloudevent", specversion="0.3"),
        # Its instant in UTC lies before the calendar begins.
        _bad(
            EventRecorded, "before-time", "invalid-field", version=1, event_id="E-old", title="x",
            starts_at="0001-01-01T00:00:00+14:00",
        ),
    ]  # fmt: skip


def _bad(
    fact: type[Fact], name: str, reason: str, /, *, specversion: str = "1.0", data: Any = None, **fields: Any
) -> Event:
    cluster = CLUSTERS[len(name) % 2]
    event = {
        "specversion": specversion,
        "id": f"poison-{name}",
        "source": source_of(cluster, fact.service),
        "type": fact.type_name(),
        "datacontenttype": "application/json",
        "data": fields if data is None else data,
    }
    return Event(cluster, fact.service, fact.key, f"poison-{name}", orjson.dumps(event), reason)


def bad_messages() -> list[Message]:
    """Messages that cannot be read at all, and some that lie about where they come from."""

    def bad(fact: type[Fact], name: str, body: bytes, content_type: str | None = STRUCTURED, **headers: Any) -> Message:
        cluster = CLUSTERS[len(name) % 2]
        return Message(
            f"{cluster}.{fact.service}", routing_key(cluster, fact), body, content_type, f"poison-{name}", headers
        )

    lost = Message("numelink.billing", "numelink.billing.invoice-recroded", b"{}", STRUCTURED, "poison-misspelt")
    stolen = encode("/clustr-numerique/billing", [_an_invoice()])
    odd: dict[str, Any] = {"deep": {"list": [1, 2.5, bytearray(b"\xff"), None]}, "when": datetime.now(UTC)}
    return [
        bad(InvoiceRecorded, "malformed", b'{"specversion": "1.0", '),
        bad(MemberRecorded, "latin-1", '{"specversion": "é"}'.encode("latin-1")),
        bad(MemberRecorded, "empty", b""),
        bad(PaymentRecorded, "nul-byte", b"\x00\x00\x00"),
        bad(EventRecorded, "number", b"42"),
        bad(ConsentRecorded, "empty-batch", b"[]", BATCH),
        bad(RegistrationRecorded, "array-without-its-type", b"[{}]"),
        bad(MailingRecorded, "deep", b"[" * 5_000 + b"]" * 5_000),
        bad(InvoiceRecorded, "odd-headers", b"{", "text/odd; x", **odd),
        # A sound event of one cluster, published by another.
        Message("numelink.billing", "numelink.billing.invoice-recorded", stolen.body, STRUCTURED, "poison-stolen"),
        lost,
    ]


def _an_invoice() -> InvoiceRecorded:
    zero = Decimal("0.00")
    return InvoiceRecorded(
        version=9, invoice_id="F-stolen", record_id="M1", number="1", issued_on=date(2026, 1, 5), net=zero, vat=zero,
        gross=zero,
    )  # fmt: skip
