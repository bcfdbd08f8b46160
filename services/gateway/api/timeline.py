"""A member's timeline: what its view tells with a date, and what its source records went through, newest first.

Days come at their beginning. Entries of one instant are ordered by ``rank``, which also names them in page cursors:
``h…`` for history, by number, and ``d…`` for what the document tells.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import orjson
from babel.numbers import format_currency

from services.gateway.cursors import LARGEST, number_in
from services.membership.rows import Rows
from services.membership.translations import CHANNELS, HAPPENED, Language, label
from services.membership.views import queries
from services.membership.views.queries import StoredView

About = Literal["dues", "registrations", "mails", "records"]
"""What a timeline may be narrowed to."""
_KINDS: Mapping[About, tuple[str, ...]] = {
    "dues": (
        *("member-since", "subscription", "invoice", "invoice-cancelled", "credit-note", "dues-notice"),
        *("payment", "refund"),
    ),
    "registrations": tuple(kind for kind in HAPPENED if kind.startswith("registration")),
    "mails": ("mailing", *(kind for kind in HAPPENED if kind.startswith("consent"))),
    "records": tuple(kind for kind in HAPPENED if kind.startswith("record-")),
}
_END = (datetime(9999, 1, 1, tzinfo=UTC), LARGEST)


class Entry(NamedTuple):
    """One entry: ``content`` is what is answered."""

    moment: datetime
    rank: str
    content: dict[str, Any]

    @property
    def position(self) -> tuple[str, str]:
        """Where it stands, for a cursor."""
        return self.moment.isoformat(), self.rank


async def timeline(
    rows: Rows,
    view: StoredView,
    after: tuple[datetime, str] | None,
    limit: int,
    language: Language,
    about: About | None = None,
) -> list[Entry]:
    """The next entries after a position, newest first; ``about`` leaves out all others."""
    histories: list[Entry] = []
    if about in (None, "records"):
        history = await queries.history(rows, str(view.member_id), before=_history_before(after), limit=limit)
        histories = [_from_history(row, language) for row in history]
    documents = _from_document(orjson.loads(view.document), language)
    histories += [entry for entry in documents if _is_after(entry, after) and _is_about(entry, about)]
    return sorted(histories, key=lambda entry: (entry.moment, entry.rank), reverse=True)[:limit]


def _history_before(after: tuple[datetime, str] | None) -> tuple[datetime, int]:
    if after is None:
        return _END
    moment, rank = after
    # History comes before documents of the same instant, so after a document's entry none of that instant is left.
    return moment, number_in(rank[1:]) if rank[:1] == "h" else 0


def _is_about(entry: Entry, about: About | None) -> bool:
    return about is None or entry.content["kind"] in _KINDS[about]


def _is_after(entry: Entry, after: tuple[datetime, str] | None) -> bool:
    return after is None or (entry.moment, entry.rank) < after


def _from_history(row: Mapping[str, Any], language: Language) -> Entry:
    kind = f"record-{row['what']}"
    what = label(HAPPENED, kind, language)
    fields = list(row["fields"])
    if fields:
        what += (" : " if language == "fr" else ": ") + ", ".join(fields)
    content = {"at": row["at"], "kind": kind, "what": what, "from": row["from"], "fields": fields}
    return Entry(row["at"], f"h{row['id']:019d}", content)


def _from_document(view: Mapping[str, Any], language: Language) -> list[Entry]:
    entries = [
        *_memberships(view["memberships"], language),
        *_dues(view["dues"], language),
        *_registrations(view["registrations"], language),
        *_consents(view["consents"]["decisions"], language),
        *(_entry("mailing", item, "sent_at", item.get("subject"), language) for item in view["mailings"]),
    ]
    return [entry for entry in entries if entry is not None]


def _memberships(memberships: Iterable[Mapping[str, Any]], language: Language) -> Iterable[Entry | None]:
    for membership in memberships:
        yield _entry("member-since", membership, "member_since", membership.get("category"), language)
        for term in membership.get("subscriptions", ()):
            detail = _joined(term.get("label"), _euros(term.get("amount"), language))
            yield _entry("subscription", {**term, "from": membership["from"]}, "starts_on", detail, language)


def _dues(dues: Mapping[str, Any], language: Language) -> Iterable[Entry | None]:
    for item in dues["invoices"]:
        status = item.get("status", "issued")
        if status == "draft":
            continue
        kind = "invoice-cancelled" if status == "cancelled" else item.get("kind", "invoice")
        yield _entry(kind, item, "issued_on", _joined(item["number"], _euros(item["gross"], language)), language)
    for item in dues.get("documents", ()):
        # What its former system says of it again is among the invoices.
        if not item.get("mirrored"):
            text = _joined(item["number"], _euros(item["gross"], language))
            yield _entry(item["kind"], item, "issued_on", text, language)
    for item in dues["payments"]:
        amount = Decimal(item["amount"])
        kind = "refund" if amount < 0 else "payment"
        yield _entry(kind, item, "paid_on", _joined(_euros(abs(amount), language), item.get("method")), language)


def _registrations(registrations: Iterable[Mapping[str, Any]], language: Language) -> Iterable[Entry | None]:
    for registration in registrations:
        status = registration.get("status", "registered")
        kind = "registration" if status == "registered" else f"registration-{status}"
        title = (registration.get("event") or {}).get("title")
        yield _entry(kind, registration, "registered_at", title, language)


def _consents(decisions: Iterable[Mapping[str, Any]], language: Language) -> Iterable[Entry | None]:
    for decision in decisions:
        detail = _joined(label(CHANNELS, decision["channel"], language), decision["purpose"], decision.get("brand"))
        yield _entry(f"consent-{decision['status']}", decision, "decided_at", detail, language)


def _entry(kind: str, item: Mapping[str, Any], field: str, detail: str | None, language: Language) -> Entry | None:
    when = item.get(field)
    if not when:
        return None
    what = label(HAPPENED, kind, language)
    if detail:
        what += (" : " if language == "fr" else ": ") + detail
    moment = datetime.fromisoformat(when)
    is_day = len(when) == 10
    if is_day or moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    content = {"on" if is_day else "at": when, "kind": kind, "what": what, "from": item["from"]}
    return Entry(moment.astimezone(UTC), f"d{kind} {item['from']} {_own_id(item)}", content)


def _own_id(item: Mapping[str, Any]) -> str:
    """What tells it from its like of the same day."""
    names = ("invoice_id", "payment_id", "registration_id", "consent_id", "mailing_id", "subscription_id")
    # A payment also names its invoice, so all ids that it has count.
    return " ".join(str(item[name]) for name in names if name in item)


def _euros(amount: str | Decimal | None, language: Language) -> str | None:
    return None if amount is None else format_currency(Decimal(amount), "EUR", locale=language)


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)
