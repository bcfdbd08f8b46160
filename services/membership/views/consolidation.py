"""The consolidated view: a pure function of linked source records and of what the other services hold about them.

The same inputs give the same bytes, in whatever order they arrived: every list is sorted by what it contains, and
nothing in it depends on the clock. Whether somebody is paid up *today* is therefore asked of ``paid_until``, not kept.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import orjson

from services.membership.identity.members import member_id_of
from services.membership.normalisation.company_names import fold, sort_key
from services.membership.records.record import Related, SourceRecord
from services.membership.views import survivorship
from services.membership.views.conflicts import Conflict, conflicts
from services.membership.views.overrides import Override
from services.membership.views.people import people, split
from services.membership.views.rules import SurvivorshipRules

RESTRICTIONS = frozenset({"refused", "withdrawn"})
COVERS = {"email": ("bulk-email",)}
"""Who wants no e-mail at all wants no newsletter either."""
_SUMMARY = ("name", "brand", "siren", "city")


@dataclass(frozen=True, slots=True)
class View:
    """A consolidated view, ready to store: the document as UTF-8 JSON, and what lists and searches need of it."""

    member_id: str
    document: bytes
    etag: str
    summary: bytes
    sort_key: str
    search: str
    sirens: list[str]
    clusters: list[str]
    lineages: list[str]
    departement: str | None
    paid_until: str | None
    exempt: bool
    active: bool
    conflicts: list[Conflict]


def consolidate(
    records: Sequence[SourceRecord],
    related: Iterable[Related],
    overrides: Sequence[Override] = (),
    rules: SurvivorshipRules | None = None,
    *,
    since: date | None = None,
) -> View:
    """The view of one member. ``records`` are linked, in order of key; at least one of them was not removed.

    A removed record is not shown, and shows nothing any more, but what is owed, refused or registered under its id is:
    a duplicate that a former system tidied away must not take an objection with it (RGPD art. 21).

    ``overrides`` are those of its records, in any order; without ``rules`` those that are shipped apply.
    ``since`` is the day from which paying twice is a conflict.
    """
    group = [record for record in records if not record.removed]
    companies, persons = split(group)
    aside = {record.key for record in records if persons and record.written.get("works_for")}
    by_kind: defaultdict[str, list[Related]] = defaultdict(list)
    for item in related:
        by_kind[item.kind].append(item)
    memberships = [_membership(record) for record in group if record.key not in aside or record.written.get("status")]
    dues = _dues(by_kind["invoice"], by_kind["payment"])
    paid_until = _latest([*(m.get("paid_until") for m in memberships), _paid_through(dues)])
    fields = survivorship.survivors(companies, overrides, rules)
    lineages = sorted({m["lineage"] for m in memberships if m.get("lineage")})
    clusters = sorted({record.key.cluster for record in group})
    member_id = member_id_of(record.key for record in records)
    doubles = conflicts(group, _of(group, by_kind) if len(group) < len(records) else by_kind, since)
    removed = [str(record.key) for record in records if record.removed]
    document = {
        "id": member_id,
        "former_ids": sorted(record.key.own_id for record in records[1:]),
        "clusters": clusters,
        "lineages": lineages,
        **fields,
        "paid_until": paid_until,
        "memberships": memberships,
        "dues": dues,
        "registrations": _registrations(by_kind["registration"]),
        "consents": _consents([record for record in records if record.key not in aside], by_kind["consent"]),
        "mailings": _mailings(by_kind["mailing"]),
        "conflicts": [one.as_json() for one in doubles],
        **({"people": people(persons)} if persons else {}),
        "sources": [_source(record) for record in group],
        **({"removed_sources": removed} if removed else {}),
    }
    encoded = orjson.dumps(document)
    found_by, sirens_set = _set_manually(fields) if overrides else ((), frozenset())
    return View(
        member_id,
        encoded,
        blake2b(encoded, digest_size=16).hexdigest(),
        summary=orjson.dumps({name: fields[name]["value"] for name in _SUMMARY if name in fields}),
        sort_key=_sort_key(companies, fields),
        search=" ".join(dict.fromkeys([*(one.understood.get("search_text", "") for one in group), *found_by])),
        sirens=sorted({record.siren for record in group if record.siren} | sirens_set),
        clusters=clusters,
        lineages=lineages,
        departement=(fields.get("departement") or {}).get("value"),
        paid_until=paid_until,
        exempt=any(m.get("exempt") for m in memberships),
        active=any(_is_active(record) for record in group),
        conflicts=doubles,
    )


def _of(group: Sequence[SourceRecord], related: Mapping[str, Sequence[Related]]) -> dict[str, list[Related]]:
    """What is held about these records."""
    keys = {record.key for record in group}
    return {kind: [item for item in items if item.key in keys] for kind, items in related.items()}


def _set_manually(fields: Mapping[str, Any]) -> tuple[list[str], set[str]]:
    """What searches must find of the values that staff set, without accents and case, and the SIREN among them."""
    by_hand = {name: fields[name]["value"] for name in _SUMMARY if "override" in fields.get(name, ())}
    return [fold(value) for value in by_hand.values()], {by_hand["siren"]} if "siren" in by_hand else set()


def _sort_key(group: Sequence[SourceRecord], fields: Mapping[str, Any]) -> str:
    """The shown name without accents and case, which a record holds already of its own name."""
    name = fields.get("name")
    if name is None or (len(group) == 1 and "override" not in name):
        return str(group[0].understood.get("sort_key", ""))
    return sort_key(name["value"])


_MEMBERSHIP = ("category", "status", "member_since", "paid_until", "exempt", "fee_band", "subscriptions")


def _is_active(record: SourceRecord) -> bool:
    """By what the record says of a membership. One that only names a company has no say; one that says no more than
    that there is a member is believed.
    """
    status = record.written.get("status")
    return record.written.get("is_member") is not False if status is None else status == "active"


def _membership(record: SourceRecord) -> dict[str, Any]:
    kept = {name: record.written[name] for name in _MEMBERSHIP if record.written.get(name)}
    lineage = record.understood.get("lineage")
    return {"from": str(record.key), "cluster": record.key.cluster, **({"lineage": lineage} if lineage else {}), **kept}


def _source(record: SourceRecord) -> dict[str, Any]:
    return {
        "from": str(record.key),
        "member_id": record.key.own_id,
        "written": {name: value for name, value in record.written.items() if name not in {"version", "subscriptions"}},
        "problems": record.understood.get("problems", []),
    }


def _latest(days: Iterable[str | None]) -> str | None:
    return max((day for day in days if day), default=None)


# --- dues ----------------------------------------------------------------------------------------------------------


def _dues(invoices: Sequence[Related], payments: Sequence[Related]) -> dict[str, Any]:
    paid: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for payment in payments:
        invoice_id = payment.document.get("invoice_id")
        if invoice_id:
            paid[payment.key.cluster, invoice_id] += Decimal(payment.document["amount"])
    lines = [
        {**_item(one), "paid": str(paid[one.key.cluster, one.item_id]), **_without(one.document, "record_id")}
        for one in _sorted(invoices, "issued_on")
    ]
    cancelled = {(one.key.cluster, one.item_id) for one in invoices if one.document.get("status") == "cancelled"}
    billed = sum(
        (_signed(one.document) for one in invoices if _counts(one.document) and _corrected(one) not in cancelled),
        Decimal(),
    )
    received = sum((Decimal(one.document["amount"]) for one in payments), Decimal())
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


def _paid_through(dues: Mapping[str, Any]) -> str | None:
    """The last day of a period whose invoice is paid in full."""
    return _latest(
        line.get("period_ends_on")
        for line in dues["invoices"]
        if line.get("kind", "invoice") == "invoice"
        and (line.get("status") == "paid" or (_counts(line) and Decimal(line["paid"]) >= Decimal(line["gross"])))
    )


# --- registrations, consents, mailings -----------------------------------------------------------------------------


def _registrations(registrations: Sequence[Related]) -> list[dict[str, Any]]:
    return [
        {**_item(one), **_without(one.document, "record_id"), "event": _without(one.event) if one.event else None}
        for one in _sorted(registrations, "registered_at")
    ]


def _consents(group: Sequence[SourceRecord], consents: Sequence[Related]) -> dict[str, Any]:
    """What was decided, and what it comes to: the most restrictive wins (RGPD art. 7(3) and 21).

    Within one source record and brand the last decision on a channel and purpose counts, and of two at the same
    instant the refusal; between records and brands a single refusal forbids. What is refused for every purpose
    (``*``), by a consent or by an opt-out of the record itself, is refused for each.
    """
    last: dict[tuple[str, ...], Related] = {}
    for one in sorted(consents, key=_when_decided):
        brand = str(one.document.get("brand", ""))
        last[str(one.key), brand, one.document["channel"], one.document["purpose"]] = one
    verdicts: dict[tuple[str, str], dict[str, Any]] = {}
    for (speaker, _, channel, purpose), one in sorted(last.items()):
        _judge(verdicts, channel, purpose, f"{speaker}#{one.item_id}", forbids=one.document["status"] in RESTRICTIONS)
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
        "decisions": [{**_item(one), **_without(one.document, "record_id")} for one in _sorted(consents, "decided_at")],
    }


def _judge(
    verdicts: dict[tuple[str, str], dict[str, Any]], channel: str, purpose: str, because_of: str, *, forbids: bool
) -> None:
    held = verdicts.get((channel, purpose))
    if held is None or (forbids and held["allowed"]):
        verdicts[channel, purpose] = {
            "channel": channel,
            "purpose": purpose,
            "allowed": not forbids,
            "because_of": because_of,
        }


def _when_decided(consent: Related) -> tuple[Any, ...]:
    restricts = consent.document["status"] in RESTRICTIONS
    return datetime.fromisoformat(consent.document["decided_at"]), restricts, consent.key, consent.item_id


def _mailings(mailings: Sequence[Related]) -> list[dict[str, Any]]:
    return [{**_item(one), **_without(one.document, "record_id", "recipients")} for one in _sorted(mailings, "sent_at")]


def _sorted(items: Iterable[Related], field: str) -> list[Related]:
    return sorted(items, key=lambda one: (_time(one.document.get(field)), one.key, one.item_id))


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
