"""Numbers: whether the series are whole, what was sent before a restore, and the series of former systems."""

from asyncio import to_thread
from collections.abc import Mapping
from typing import Any

from schemas.billing_documents import Series, SeriesShown
from schemas.billing_series import (
    BillingCheck,
    ComparedSeries,
    FailingDocument,
    FormerSeriesList,
    FormerSeriesShown,
    LostNumbers,
    OfCluster,
    SentNumbers,
)
from services.billing.documents import restored
from services.billing.documents.files import failures
from services.billing.documents.former_series import former_series
from services.billing.documents.numbering import LETTERS, NUMBER
from services.billing.documents.restored import Lost, Sent
from services.billing.issuers.issuer import Issuer
from services.billing.usecases.issuing import take_turn
from services.operations.binding import Call, RefusedError

_SERIES = """
    with lost as (select issuer, kind, year, sum(last - first + 1)::int as count, max(last) as last
                  from lost_numbers group by issuer, kind, year)
    select s.issuer, s.kind, d.year, min(d.number) as first, max(d.number) as last, count(*)::int as count,
           (greatest(max(d.place), max(l.last)) - count(*))::int - coalesce(max(l.count), 0) as missing,
           max(d.issued_on) as last_on, bool_and(d.year < s.year or d.place < s.next) as counted,
           coalesce(max(l.count), 0) as lost
    from series s join documents d using (issuer, kind)
    left join lost l on (l.issuer, l.kind, l.year) = (d.issuer, d.kind, d.year)
    group by s.issuer, s.kind, d.year order by 1, 2, 3
"""
_FORMER = "select number from invoices where cluster = $1 and status <> 'draft' order by number"
_KINDS: Mapping[str, str] = {letter: kind for kind, letter in LETTERS.items()}


async def series(call: Call[Any]) -> Series:
    """Each series: first, last, how many, and whether any is missing."""
    return Series(items=await _series(call))


async def check(call: Call[Any]) -> BillingCheck:
    """Whether documents can be issued, and what is wrong."""
    items = await _series(call)
    compared = await restored.is_compared(call.uow.connection)
    failing = [
        FailingDocument(number=f.number, attempts=f.attempts, error=f.error, since=f.first_at, next_at=f.next_at)
        for f in await failures(call.uow.connection)
    ]
    wrong = [f"{s.first} to {s.last}: {s.missing} numbers are missing" for s in items if s.missing]
    wrong += [f"{s.first} to {s.last}: the counter stands before the last number" for s in items if not s.counted]
    wrong += [f"{f.number}: its files cannot be made ({f.error})" for f in failing]
    if not compared:
        wrong.append(
            "the database was restored, and nothing is issued: look in what was sent for the last number of each "
            "series, and say it with `traboule billing compare-series`"
        )
    return BillingCheck(ok=not wrong, compared=compared, wrong=wrong, series=items, failing=failing)


async def compare(call: Call[SentNumbers]) -> ComparedSeries:
    """Keep which numbers were sent last; each series goes on after what was given or sent, whichever is more."""
    sent = {number: _sent(call.uow.issuers, number) for number in call.arguments.sent}
    for code in sorted({each.issuer for each in sent.values()}):
        await take_turn(call.uow.connection, code)
    if unnamed := await restored.unnamed(call.uow.connection, sent.values()):
        names = ", ".join(f"{kind} {year} of {issuer}" for issuer, kind, year in unnamed)
        raise RefusedError("number-unknown", f"say the last number that was sent of these series, too: {names}")
    lost = await restored.compare(call.uow.connection, sent, call.author, call.reason)
    prefixes = {(each.issuer, each.kind): number.partition("-")[0] for number, each in sent.items()}
    return ComparedSeries(
        lost=[_lost(each, prefixes[each.issuer, each.kind]) for each in lost], series=await _series(call)
    )


async def former(call: Call[OfCluster]) -> FormerSeriesList:
    """The series of a former system, from the invoices that are mirrored: first, last, how many, which are missing."""
    numbers = (await call.uow.connection.exec_driver_sql(_FORMER, (call.arguments.cluster,))).scalars()
    items = [
        FormerSeriesShown(
            series=each.series,
            first=each.first,
            last=each.last,
            count=each.count,
            missing_count=each.missing_count,
            missing=list(each.missing),
            duplicates=list(each.duplicates),
        )
        for each in await to_thread(former_series, list(numbers))
    ]
    if not items:
        detail = f"no invoice of {call.arguments.cluster} is mirrored: is the cluster's name right?"
        raise RefusedError("former-system-unknown", detail)
    return FormerSeriesList(cluster=call.arguments.cluster, items=items)


async def _series(call: Call[Any]) -> list[SeriesShown]:
    rows = (await call.uow.connection.exec_driver_sql(_SERIES)).mappings()
    return [SeriesShown(**row) for row in rows]


def _sent(issuers: Mapping[str, Issuer], number: str) -> Sent:
    """Which place of which series a number is. Raises RefusedError."""
    match = NUMBER.fullmatch(number)
    if match is not None:
        prefix, letter, year, place = match.groups()
        for issuer in issuers.values():
            if any(settings.prefix == prefix for settings in issuer.settings):
                return Sent(issuer.code, _KINDS[letter], int(year), int(place))
    raise RefusedError("number-unknown", f"{number} is no number that one of the issuers gives: compare its prefix")


def _lost(lost: Lost, prefix: str) -> LostNumbers:
    first, last = (f"{prefix}-{lost.year}-{place:06}" for place in (lost.first, lost.last))
    return LostNumbers(first=first, last=last, count=lost.last - lost.first + 1)
