"""Cotisations of one member: what is owed, invoices with their state, and which days are paid for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from services.gateway.console.catalogue import Words
from services.gateway.console.display import Mark, Tag, cluster_of, mark_of, money, short_day

WIDTH: Final = 1_000
"""Of the picture of paid days, in its own units."""
YEARS: Final = 3
_ZERO: Final = Decimal()


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice or other document of an account."""

    number: str
    label: str | None
    amount: str
    day: str
    mark: Mark
    state: Tag


@dataclass(frozen=True, slots=True)
class Bar:
    """Days that are paid for: where they begin, how wide they are, and in words."""

    x: int
    width: int
    text: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The paid days of one cluster."""

    mark: Mark
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Dues:
    """What the section shows; ``years`` are where each begins in the picture, by its number."""

    owed: str
    is_owed: bool
    summary: str
    invoices: tuple[Invoice, ...]
    unlisted: str | None
    years: tuple[tuple[int, str], ...]
    lanes: tuple[Lane, ...]


def dues_of(member: Mapping[str, Any], marks: Mapping[str, Mark], today: date, words: Words) -> Dues | None:
    """The section, or None where the API gives none."""
    dues = member.get("dues")
    if dues is None:
        return None
    language = words.language
    outstanding = Decimal(dues["outstanding"])
    documents = [document for document in dues.get("documents", ()) if not document.get("mirrored")]
    invoices = [_invoice(item, marks, today, words) for item in dues["invoices"]]
    invoices += [_document(item, marks, words) for item in documents]
    years, lanes = _lanes(dues.get("periods") or (), marks, today, words)
    return Dues(
        owed=money(outstanding, language) if outstanding > 0 else words.text("Rien à payer"),
        is_owed=outstanding > 0,
        summary=_summary(dues, words),
        invoices=tuple(reversed(invoices)),
        unlisted=words.plural("et %(num)s plus ancienne", "et %(num)s plus anciennes", dues["unlisted"])
        if dues.get("unlisted")
        else None,
        years=years,
        lanes=lanes,
    )


def _summary(dues: Mapping[str, Any], words: Words) -> str:
    invoiced, received = Decimal(dues["invoiced"]), Decimal(dues["received"])
    if not invoiced:
        return words.text("Rien n’a été facturé.")
    if Decimal(dues["outstanding"]) <= 0:
        return words.text("%(invoiced)s facturés, tout est réglé.", invoiced=money(invoiced, words.language))
    return words.text(
        "%(invoiced)s facturés, %(received)s reçus.",
        invoiced=money(invoiced, words.language),
        received=money(received, words.language),
    )


def _invoice(item: Mapping[str, Any], marks: Mapping[str, Mark], today: date, words: Words) -> Invoice:
    return _line(item, invoice_state(item, today, words), marks, words)


def invoice_state(item: Mapping[str, Any], today: date, words: Words) -> Tag:
    """How an invoice stands, on a day."""
    left = Decimal(item["gross"]) - Decimal(item.get("paid") or 0)
    due = item.get("due_on")
    match item.get("status"), item.get("kind"):
        case "cancelled", _:
            return Tag("quiet", words.text("annulée"))
        case "draft", _:
            return Tag("quiet", words.text("brouillon"))
        case _, "credit-note":
            return Tag("quiet", words.text("avoir"))
        case "paid", _:
            return Tag("good", words.text("payée"))
        case _ if left <= _ZERO:
            return Tag("good", words.text("payée"))
        case _ if due is not None and due < today.isoformat():
            amount = money(left, words.language)
            return Tag("attention", words.text("en retard, reste %(amount)s", amount=amount), words.text("en retard"))
        case _:
            amount = money(left, words.language)
            return Tag("quiet", words.text("à payer, reste %(amount)s", amount=amount), words.text("à payer"))


def _document(item: Mapping[str, Any], marks: Mapping[str, Mark], words: Words) -> Invoice:
    match item["kind"]:
        case "credit-note":
            state = Tag("quiet", words.text("avoir"))
        case "dues-notice":
            state = Tag("quiet", words.text("appel de cotisation"))
        case _:
            state = Tag("quiet", words.text("facture d’ici"))
    return _line(item, state, marks, words)


def _line(item: Mapping[str, Any], state: Tag, marks: Mapping[str, Mark], words: Words) -> Invoice:
    return Invoice(
        number=item["number"],
        label=item.get("label"),
        amount=money(item["gross"], words.language),
        day=short_day(item["issued_on"], words.language),
        mark=mark_of(cluster_of(item["from"]), marks),
        state=state,
    )


def _lanes(
    periods: Iterable[Mapping[str, Any]], marks: Mapping[str, Mark], today: date, words: Words
) -> tuple[tuple[tuple[int, str], ...], tuple[Lane, ...]]:
    """Paid days by cluster, from the last years on: where they lie over each other, they are paid twice."""
    earliest = date(today.year - YEARS + 1, 1, 1)
    paid = [period for period in periods if period["paid_up"] and period["ends_on"] >= earliest.isoformat()]
    if not paid:
        return (), ()
    first = min(date.fromisoformat(period["starts_on"]) for period in paid)
    begin = max(earliest, date(first.year, 1, 1))
    last = max(date.fromisoformat(period["ends_on"]) for period in paid)
    end = date(max(last, today).year, 12, 31)
    days = (end - begin).days + 1
    years = tuple((_at(date(year, 1, 1), begin, days), str(year)) for year in range(begin.year, end.year + 1))
    by_cluster: dict[str, list[Bar]] = {}
    for period in paid:
        for cluster in dict.fromkeys(cluster_of(reason["from"]) for reason in period["reasons"]):
            by_cluster.setdefault(cluster, []).append(_bar(period, begin, days, words))
    order = [*marks, *sorted(by_cluster.keys() - marks.keys())]
    lanes = [Lane(mark_of(code, marks), tuple(by_cluster[code])) for code in order if code in by_cluster]
    return years, tuple(lanes)


def _bar(period: Mapping[str, Any], begin: date, days: int, words: Words) -> Bar:
    first, last = date.fromisoformat(period["starts_on"]), date.fromisoformat(period["ends_on"])
    x = _at(max(first, begin), begin, days)
    text = words.text(
        "du %(first)s au %(last)s",
        first=short_day(first, words.language),
        last=short_day(last, words.language),
    )
    return Bar(x, max(2, _at(last, begin, days) - x), text)


def _at(day: date, begin: date, days: int) -> int:
    return (day - begin).days * WIDTH // days
