"""Sections of records that their service has not announced yet, by the rules of the version before.

Billing, events and communications of the version before announce single invoices, registrations and consents. While
one of them still runs, and for the moments after an upgrade until it has announced every record, the section of a
record is made here of these. What is announced always comes first.

This file, and the subscriptions that feed it, go in the release after next: see the decision in the README.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.membership.records.record import RecordKey, Related
from services.membership.views.items import latest, without

Document = dict[str, Any]
_BOOKKEEPING = ("version", "cluster", "applied_late", "record_id")


def with_unannounced(related: Iterable[Related]) -> dict[str, list[Related]]:
    """What is stated of a member's records, by kind: each section as it was announced, or else as it would be."""
    by_kind: defaultdict[str, list[Related]] = defaultdict(list)
    for item in related:
        by_kind[item.kind].append(item)
    if not by_kind:
        return by_kind
    _complete(by_kind["account"], _accounts, by_kind["invoice"], by_kind["payment"])
    _complete(by_kind["participation"], _participations, by_kind["registration"])
    _complete(by_kind["preferences"], _preferences, by_kind["consent"])
    return by_kind


def _complete(announced: list[Related], make: Any, *items: Sequence[Related]) -> None:
    known = {section.key for section in announced}
    if any(item.key not in known for items_of_kind in items for item in items_of_kind):
        made: Mapping[RecordKey, tuple[str, Document]] = make(*items)
        announced += [
            Related(kind, key, key.record_id, document) for key, (kind, document) in made.items() if key not in known
        ]


def _by_record(items: Iterable[Related]) -> dict[RecordKey, list[Related]]:
    grouped: dict[RecordKey, list[Related]] = {}
    for item in items:
        grouped.setdefault(item.key, []).append(item)
    return grouped


# --- accounts ------------------------------------------------------------------------------------------------------


def _accounts(invoices: Sequence[Related], payments: Sequence[Related]) -> dict[RecordKey, tuple[str, Document]]:
    paid: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for payment in payments:
        if invoice_id := payment.document.get("invoice_id"):
            paid[payment.key.cluster, invoice_id].append(Decimal(payment.document["amount"]))
    in_force = [item for item in invoices if _in_force(item.document)]
    credited = {_corrected(item) for item in in_force}
    cancelled = {_name(item) for item in invoices if item.document.get("status") == "cancelled"}
    own_invoices, own_payments = _by_record(invoices), _by_record(payments)
    accounts: dict[RecordKey, tuple[str, Document]] = {}
    for key in own_invoices.keys() | own_payments.keys():
        lines = [
            (item, without(item.document, *_BOOKKEEPING), sum(paid[_name(item)], Decimal()))
            for item in own_invoices.get(key, ())
        ]
        settled = [(item, line) for item, line, amount in lines if _is_settled(line, amount)]
        counted = [line for item, line, _ in lines if _in_force(line) and _corrected(item) not in cancelled]
        sums = _sums(
            [_signed(line) for line in counted],
            [Decimal(item.document["amount"]) for item in own_payments.get(key, ())],
        )
        accounts[key] = (
            "account",
            {
                **sums,
                "paid_until": latest(line.get("period_ends_on") for _, line in settled),
                "paid_periods": [
                    {
                        "invoice_id": item.item_id,
                        "starts_on": line["period_starts_on"],
                        "ends_on": line["period_ends_on"],
                    }
                    for item, line in settled
                    if line.get("period_starts_on") and line.get("period_ends_on")
                    if Decimal(line["gross"]) > 0 and _name(item) not in credited
                ],
                "invoices": [
                    line | {"invoice_id": item.item_id} | ({"paid": str(amount)} if paid[_name(item)] else {})
                    for item, line, amount in lines
                ],
                "payments": [
                    without(item.document, *_BOOKKEEPING) | {"payment_id": item.item_id}
                    for item in own_payments.get(key, ())
                ],
            },
        )
    return accounts


def _sums(billed: Sequence[Decimal], received: Sequence[Decimal]) -> Document:
    sums: Document = {}
    if billed:
        sums["invoiced"] = str(sum(billed, Decimal()))
    if received:
        sums["received"] = str(sum(received, Decimal()))
    if sums:
        sums["outstanding"] = str(sum(billed, Decimal()) - sum(received, Decimal()))
    return sums


def _name(item: Related) -> tuple[str, str]:
    return item.key.cluster, item.item_id


def _corrected(invoice: Related) -> tuple[str, str] | None:
    corrects = invoice.document.get("corrects")
    return (invoice.key.cluster, corrects) if corrects else None


def _in_force(invoice: Mapping[str, Any]) -> bool:
    return invoice.get("status", "issued") not in {"draft", "cancelled"}


def _signed(invoice: Mapping[str, Any]) -> Decimal:
    gross = Decimal(invoice["gross"])
    return -abs(gross) if invoice.get("kind") == "credit-note" else gross


def _is_settled(invoice: Mapping[str, Any], paid: Decimal) -> bool:
    if invoice.get("kind", "invoice") != "invoice" or not _in_force(invoice):
        return False
    return invoice.get("status") == "paid" or paid >= Decimal(invoice["gross"])


# --- participations and preferences --------------------------------------------------------------------------------


def _participations(registrations: Sequence[Related]) -> dict[RecordKey, tuple[str, Document]]:
    return {
        key: ("participation", {"registrations": [*map(_line, items)], "expected": _expected(items)})
        for key, items in _by_record(registrations).items()
    }


def _line(registration: Related) -> Document:
    line = without(registration.document, *_BOOKKEEPING) | {"registration_id": registration.item_id}
    return line | ({"event": without(registration.event, *_BOOKKEEPING)} if registration.event else {})


def _expected(items: Sequence[Related]) -> list[str]:
    return [
        item.item_id
        for item in items
        if (item.event or {}).get("status", "planned") == "planned"
        and item.document.get("status", "registered") in {"registered", "waiting"}
    ]


def _preferences(consents: Sequence[Related]) -> dict[RecordKey, tuple[str, Document]]:
    return {
        key: (
            "preferences",
            {
                "in_force": _decided(items),
                "decisions": [without(item.document, *_BOOKKEEPING) | {"consent_id": item.item_id} for item in items],
            },
        )
        for key, items in _by_record(consents).items()
    }


def _decided(items: Sequence[Related]) -> list[Document]:
    last: dict[tuple[str, str, str], Related] = {}
    for item in sorted(items, key=_when_decided):
        last[str(item.document.get("brand", "")), item.document["channel"], item.document["purpose"]] = item
    verdicts: dict[tuple[str, str], Document] = {}
    for (_, channel, purpose), item in sorted(last.items()):
        known, allowed = verdicts.get((channel, purpose)), not _restricts(item)
        if known is None or (known["allowed"] and not allowed):
            verdicts[channel, purpose] = {
                "channel": channel,
                "purpose": purpose,
                "allowed": allowed,
                "consent_id": item.item_id,
            }
    return list(verdicts.values())


def _restricts(consent: Related) -> bool:
    return consent.document["status"] in {"refused", "withdrawn"}


def _when_decided(consent: Related) -> tuple[datetime, bool, str]:
    return datetime.fromisoformat(consent.document["decided_at"]), _restricts(consent), consent.item_id
