"""How membership made the sections of a view before billing, events and communications announced them.

Kept as it was, so that tests can compare bytes: the views of the version before are those of this one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.membership.records.record import Related, SourceRecord

RESTRICTIONS = frozenset({"refused", "withdrawn"})
COVERS = {"email": ("bulk-email",)}


def _latest(days: Iterable[str | None]) -> str | None:
    return max((day for day in days if day), default=None)


def dues(invoices: Sequence[Related], payments: Sequence[Related]) -> dict[str, Any]:
    paid: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for payment in payments:
        invoice_id = payment.document.get("invoice_id")
        if invoice_id:
            paid[payment.key.cluster, invoice_id] += Decimal(payment.document["amount"])
    lines = [
        {**_item(item), "paid": str(paid[item.key.cluster, item.item_id]), **_without(item.document, "record_id")}
        for item in _sorted(invoices, "issued_on")
    ]
    cancelled = {
        (invoice.key.cluster, invoice.item_id) for invoice in invoices if invoice.document.get("status") == "cancelled"
    }
    billed = sum(
        (
            _signed(invoice.document)
            for invoice in invoices
            if _counts(invoice.document) and _corrected(invoice) not in cancelled
        ),
        Decimal(),
    )
    received = sum((Decimal(item.document["amount"]) for item in payments), Decimal())
    return {
        "invoiced": str(billed),
        "received": str(received),
        "outstanding": str(billed - received),
        "currency": "EUR",
        "invoices": lines,
        "payments": [{**_item(p), **_without(p.document, "record_id")} for p in _sorted(payments, "paid_on")],
    }


def _counts(invoice: Mapping[str, Any]) -> bool:
    return invoice.get("status", "issued") not in {"draft", "cancelled"}


def _corrected(invoice: Related) -> tuple[str, str] | None:
    """The invoice that a credit note corrects: one that is cancelled already must not be taken off twice."""
    corrects = invoice.document.get("corrects")
    return (invoice.key.cluster, corrects) if corrects else None


def _signed(invoice: Mapping[str, Any]) -> Decimal:
    gross = Decimal(invoice["gross"])
    return -abs(gross) if invoice.get("kind") == "credit-note" else gross


def paid_through(dues: Mapping[str, Any]) -> str | None:
    """The last day of a period whose invoice is paid in full."""
    return _latest(
        line.get("period_ends_on")
        for line in dues["invoices"]
        if line.get("kind", "invoice") == "invoice"
        and (line.get("status") == "paid" or (_counts(line) and Decimal(line["paid"]) >= Decimal(line["gross"])))
    )


def registrations(registrations: Sequence[Related]) -> list[dict[str, Any]]:
    return [
        {**_item(item), **_without(item.document, "record_id"), "event": _without(item.event) if item.event else None}
        for item in _sorted(registrations, "registered_at")
    ]


def consents(group: Sequence[SourceRecord], consents: Sequence[Related]) -> dict[str, Any]:
    """What was decided, and what it comes to: the most restrictive wins (RGPD art. 7(3) and 21).

    Within one source record and brand the last decision on a channel and purpose counts, and of two at the same
    instant the refusal; between records and brands a single refusal forbids. What is refused for every purpose
    (``*``), by a consent or by an opt-out of the record itself, is refused for each.
    """
    last: dict[tuple[str, ...], Related] = {}
    for consent in sorted(consents, key=_when_decided):
        brand = str(consent.document.get("brand", ""))
        last[str(consent.key), brand, consent.document["channel"], consent.document["purpose"]] = consent
    verdicts: dict[tuple[str, str], dict[str, Any]] = {}
    for (speaker, _, channel, purpose), consent in sorted(last.items()):
        _judge(
            verdicts,
            channel,
            purpose,
            f"{speaker}#{consent.item_id}",
            forbids=consent.document["status"] in RESTRICTIONS,
        )
    for record in group:
        for channel in record.written.get("opt_outs", ()):
            for covered in (channel, *COVERS.get(channel, ())):
                _judge(verdicts, covered, "*", str(record.key), forbids=True)
    for (channel, _), verdict in verdicts.items():
        general = verdicts.get((channel, "*"))
        if general is not None and not general["allowed"] and verdict["allowed"]:
            verdict |= {"allowed": False, "because_of": general["because_of"]}
    return {
        "in_force": [verdicts[key] for key in sorted(verdicts)],
        "decisions": [
            {**_item(item), **_without(item.document, "record_id")} for item in _sorted(consents, "decided_at")
        ],
    }


def _judge(
    verdicts: dict[tuple[str, str], dict[str, Any]], channel: str, purpose: str, because_of: str, *, forbids: bool
) -> None:
    stored = verdicts.get((channel, purpose))
    if stored is None or (forbids and stored["allowed"]):
        verdicts[channel, purpose] = {
            "channel": channel,
            "purpose": purpose,
            "allowed": not forbids,
            "because_of": because_of,
        }


def _when_decided(consent: Related) -> tuple[Any, ...]:
    restricts = consent.document["status"] in RESTRICTIONS
    return datetime.fromisoformat(consent.document["decided_at"]), restricts, consent.key, consent.item_id


def mailings(mailings: Sequence[Related]) -> list[dict[str, Any]]:
    return [
        {**_item(item), **_without(item.document, "record_id", "recipients")} for item in _sorted(mailings, "sent_at")
    ]


def _sorted(items: Iterable[Related], field: str) -> list[Related]:
    return sorted(items, key=lambda item: (_time(item.document.get(field)), item.key, item.item_id))


def _time(written: str | None) -> date:
    """A day or an instant, to sort by: as texts, 09:00:00.5Z would come before 09:00:00Z."""
    if written is None:
        return date.min
    return datetime.fromisoformat(written) if "T" in written else date.fromisoformat(written)


def _item(item: Related) -> dict[str, Any]:
    return {"from": str(item.key)}


_BOOKKEEPING = frozenset({"version", "cluster", "applied_late"})


def _without(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in {*names, *_BOOKKEEPING}}
