"""Documents as they are kept: issued in one go, with their lines and days, and read."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.documents.draft import Draft, payer_of
from services.billing.documents.numbering import Numbers, reference_of, take
from services.billing.dues.case import Key
from services.billing.dues.days import between, days_of, without
from services.billing.dues.differences import IssuedLine
from services.billing.issuers.issuer import Settings
from services.billing.money import to_cents
from shared.persistence.database import rows_of
from shared.runtime.clock import Clock

_DOCUMENTS = """
    insert into documents (document_id, issuer, kind, year, place, number, issued_on, due_on, cluster, record_id, first,
                           corrects, seller, buyer, net, vat, gross, reference, why, run_id, issued_by)
    select id, $1::text, $2::text, $3::int, place, number, $4::date, $5::date, cluster, record_id,
           first, corrects, $6::json, buyer, net, vat, gross, reference, why, $7::uuid, $8::text
    from unnest($9::uuid[], $10::int[], $11::text[], $12::text[], $13::text[], $14::date[], $15::uuid[], $16::json[],
                $17::numeric[], $18::numeric[], $19::numeric[], $20::text[], $21::text[])
        as n (id, place, number, cluster, record_id, first, corrects, buyer, net, vat, gross, reference, why)
"""
# One at a time to the trigger, in this order: a credit is compared with what earlier ones left.
_LINES = """
    insert into document_lines (document_id, place, code, label, amount, units, vat_regime, vat_rate, vat_code, account,
                                corrects_place)
    select document_id, place, code, label, amount, units::int[], vat_regime, vat_rate, vat_code, account,
           corrects_place
    from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::numeric[], $6::text[], $7::text[], $8::numeric[],
                $9::text[], $10::text[], $11::int[])
        as n (document_id, place, code, label, amount, units, vat_regime, vat_rate, vat_code, account, corrects_place)
"""
_DAYS = """
    insert into billed_days (payer, days, document_id, place)
    select payer, daterange(first, last, '[]'), document_id, place
    from unnest($1::uuid[], $2::date[], $3::date[], $4::uuid[], $5::int[]) as n (payer, first, last, document_id, place)
"""
# Days of the corrected invoice that the credit note frees. What of a range is still owed is billed on as it was.
_FREED = """
    select b.id, b.payer::text, b.document_id::text, b.place, lower(b.days), upper(b.days) - 1
    from billed_days b where b.released_by is null and b.document_id = any($1::uuid[]) order by b.id
"""
_RELEASE = """
    update billed_days b set released_by = n.by from unnest($1::bigint[], $2::uuid[]) as n (id, by) where b.id = n.id
"""
_ISSUED = """
    select d.document_id::text, d.number, l.place, d.cluster, d.record_id, l.code, l.units,
           l.amount - coalesce(c.amount, 0), coalesce(c.units, '[]')::text,
           coalesce((select json_agg(array[lower(b.days), upper(b.days) - 1] order by lower(b.days))
                     from billed_days b
                     where (b.document_id, b.place) = (l.document_id, l.place) and b.released_by is null), '[]')::text
    from documents d join document_lines l using (document_id)
    left join lateral (
        select sum(cl.amount) as amount, json_agg(cl.units) as units
        from documents cd join document_lines cl using (document_id)
        where cd.corrects = d.document_id and cl.corrects_place = l.place
    ) c on true
    where d.issuer = $1 and d.first = $2 and d.corrects is null
    order by d.issued_at, d.number, l.place
"""
_LIST = """
    select document_id::text, number, kind, issuer, issued_on, due_on, cluster || '/' || record_id as record, first,
           (select o.number from documents o where o.document_id = d.corrects) as corrects, net, vat, gross, reference,
           why, issued_by, buyer->>'name' as buyer,
           case when exists (select from document_files f where f.document_id = d.document_id) then 'ready'
                when exists (select from document_failures f where f.document_id = d.document_id) then 'failed'
                else 'waiting' end as files
    from documents d
    where ($1::text is null or issuer = $1) and ($2::text is null or cluster || '/' || record_id = $2)
      and ($3::text is null or number = $3)
    order by issued_on desc, number desc limit $4
"""
_LINES_OF = """
    select l.place, l.label, l.amount, l.vat_regime, l.vat_rate, l.vat_code, l.account from document_lines l
    join documents d using (document_id) where d.number = $1 order by l.place
"""


@dataclass(frozen=True, slots=True)
class Issued:
    """A document's number and id, and the draft that it was."""

    number: str
    document_id: str
    draft: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuing:
    """Who issues, as which issuer, for which run."""

    issuer: str
    settings: Settings
    author: str
    run_id: str | None = None
    clock: Clock = field(default_factory=Clock)


async def issue(connection: AsyncConnection, by: Issuing, drafts: Sequence[Draft]) -> list[Issued]:
    """Number and keep these documents. Whatever could fail of a draft was looked at before: see ``Draft.problem``."""
    issued: list[Issued] = []
    seller = orjson.dumps(by.settings.model_dump(mode="json")).decode()
    # In the order of kinds, so that two transactions lock the series in the same order.
    for kind in sorted({draft.kind for draft in drafts}):
        some = [draft for draft in drafts if draft.kind == kind]
        ids = [str(uuid4()) for _ in some]
        numbers = await take(connection, by.issuer, by.settings.prefix, kind, len(some), by.clock)
        await connection.exec_driver_sql(_DOCUMENTS, _columns(by, seller, some, ids, numbers))
        await _save_lines(connection, by.issuer, some, ids)
        issued += [Issued(numbers.number(n), ids[n], draft) for n, draft in enumerate(some)]
    return issued


def _columns(by: Issuing, seller: str, drafts: Sequence[Draft], ids: list[str], numbers: Numbers) -> tuple[Any, ...]:
    """What all have alike, then the columns of what differs."""
    kind, issued_on = numbers.kind, numbers.issued_on
    due_on = None if kind == "credit-note" else issued_on + timedelta(days=by.settings.due_days)
    alike = (by.issuer, kind, issued_on.year, issued_on, due_on, seller, by.run_id, by.author)
    named = [numbers.number(n) for n in range(len(drafts))]
    rows = [
        (ids[n], numbers.first + n, named[n], *draft.key, draft.first, draft.corrects,
         orjson.dumps(dict(draft.buyer)).decode(), draft.net, draft.vat, draft.gross, reference_of(named[n]), draft.why)
        for n, draft in enumerate(drafts)
    ]  # fmt: skip
    return (*alike, *(list(column) for column in zip(*rows, strict=True)))


async def _save_lines(connection: AsyncConnection, issuer: str, drafts: Sequence[Draft], ids: Sequence[str]) -> None:
    lines: list[tuple[Any, ...]] = []
    days: list[tuple[Any, ...]] = []
    for draft, document_id in zip(drafts, ids, strict=True):
        for place, line in enumerate(draft.lines):
            vat = (line.vat.regime, line.vat.rate, line.vat.code)
            units = f"{{{','.join(map(str, line.units))}}}"
            lines.append(
                (document_id, place, line.code, line.label, line.amount, units, *vat, line.account, line.corrects_place)
            )
            if draft.kind != "credit-note":
                payer = payer_of(issuer, draft.key)
                days += [(payer, span.first_day, span.last_day, document_id, place) for span in line.days]
    await connection.exec_driver_sql(_LINES, tuple(list(column) for column in zip(*lines, strict=True)))
    pairs = zip(drafts, ids, strict=True)
    if credited := {draft.corrects: (document_id, draft) for draft, document_id in pairs if draft.corrects}:
        days += await _release(connection, credited)
    if days:
        await connection.exec_driver_sql(_DAYS, tuple(list(column) for column in zip(*days, strict=True)))


async def _release(connection: AsyncConnection, credited: Mapping[str, tuple[str, Draft]]) -> list[tuple[Any, ...]]:
    """Release the ranges that credit notes free; returns what of them stays billed, as ranges of its own."""
    freed: list[tuple[int, str]] = []
    stays: list[tuple[Any, ...]] = []
    for row_id, payer, document_id, place, first, last in rows_of(
        await connection.exec_driver_sql(_FREED, (list(credited),))
    ):
        by, draft = credited[document_id]
        free = days_of(span for line in draft.lines for span in line.days)
        span = days_of([between(first, last)])
        left = without(span, free)
        if left != span:
            freed.append((row_id, by))
            stays += [(payer, item.first_day, item.last_day, document_id, place) for item in left]
    if freed:
        await connection.exec_driver_sql(_RELEASE, tuple(list(column) for column in zip(*freed, strict=True)))
    return stays


async def issued_lines(connection: AsyncConnection, issuer: str, first: date) -> Mapping[Key, list[IssuedLine]]:
    """What stands of the lines that bill this period, by record, in the order in which they were issued."""
    by_record: defaultdict[Key, list[IssuedLine]] = defaultdict(list)
    for document_id, _, place, cluster, record_id, code, units, amount, credited, days in rows_of(
        await connection.exec_driver_sql(_ISSUED, (issuer, first))
    ):
        gone = {unit for units_of_line in orjson.loads(credited) for unit in units_of_line}
        spans = days_of(between(date.fromisoformat(a), date.fromisoformat(b)) for a, b in orjson.loads(days))
        left = tuple(unit for unit in units if unit not in gone)
        by_record[Key(cluster, record_id)].append(IssuedLine(document_id, place, code, to_cents(amount), left, spans))
    return by_record


async def documents(
    connection: AsyncConnection, issuer: str | None = None, record: str | None = None, number: str | None = None,
    limit: int = 500,
) -> list[dict[str, Any]]:  # fmt: skip
    """Documents, the newest first."""
    rows = await connection.exec_driver_sql(_LIST, (issuer, record, number, limit))
    return [{**row} for row in rows.mappings()]


async def lines_of(connection: AsyncConnection, number: str) -> list[dict[str, Any]]:
    """The lines of one document."""
    return [{**row} for row in (await connection.exec_driver_sql(_LINES_OF, (number,))).mappings()]


def keys_of(drafts: Iterable[Draft]) -> list[Key]:
    """The records that these documents are made out to, each once and in order."""
    return sorted({draft.key for draft in drafts})
