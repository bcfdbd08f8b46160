"""Documents as they are kept: issued in one go, with their lines and days, and read."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.documents.draft import Draft, DraftLine, payer_of
from services.billing.documents.numbering import Numbers, reference_of, take
from services.billing.dues.case import Key
from services.billing.dues.days import between, days_of, without
from services.billing.dues.differences import IssuedLine
from services.billing.issuers.issuer import Settings
from services.billing.money import to_cents
from shared.persistence.batches import transposed
from shared.persistence.database import rows_of
from shared.runtime.clock import Clock

# Rows come as one JSON text: asyncpg looks at each element of an array in Python, which costs more than the insert.
_DOCUMENTS = """
    insert into documents (document_id, issuer, kind, year, place, number, issued_on, due_on, cluster, record_id, first,
                           corrects, seller, buyer, net, vat, gross, reference, why, run_id, issued_by, last, charge_id)
    select id, $1::text, $2::text, $3::int, place, number, $4::date, $5::date, cluster, record_id,
           first, corrects, $6::json, buyer, net, vat, gross, reference, why, $7::uuid, $8::text, last, charge_id
    from json_to_recordset($9::json)
        as n (id uuid, place int, number text, cluster text, record_id text, first date, corrects uuid, buyer json,
              net numeric, vat numeric, gross numeric, reference text, why text, last date, charge_id uuid)
"""
# In this order: of two credits of one line the second is compared with what the first left.
_LINES = """
    insert into document_lines (document_id, place, code, label, amount, units, vat_regime, vat_rate, vat_code, account,
                                corrects_place)
    select document_id, place, code, label, amount, units, vat_regime, vat_rate, vat_code, account, corrects_place
    from json_to_recordset($1::json)
        as n (document_id uuid, place int, code text, label text, amount numeric, units int[], vat_regime text,
              vat_rate numeric, vat_code text, account text, corrects_place int)
"""
_DAYS = """
    insert into billed_days (payer, days, document_id, place)
    select payer, daterange(first, last, '[]'), document_id, place
    from json_to_recordset($1::json) as n (payer uuid, first date, last date, document_id uuid, place int)
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
    where d.issuer = $1 and d.first = $2 and d.corrects is null and d.charge_id is null
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A document's number and id, its days, the draft that it was, and its version in µs since 1970."""

    number: str
    document_id: str
    issued_on: date
    due_on: date | None
    version: int
    draft: Draft
    net: Decimal
    vat: Decimal

    @property
    def gross(self) -> Decimal:
        """What is to be paid."""
        return self.net + self.vat


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
        numbers = await take(connection, by.issuer, by.settings.prefix, kind, len(some), by.clock)
        documents = _numbered(by, some, numbers)
        await connection.exec_driver_sql(_DOCUMENTS, _values(by, seller, documents, numbers))
        await _save_lines(connection, by.issuer, documents)
        issued += documents
    return issued


def _numbered(by: Issuing, drafts: Sequence[Draft], numbers: Numbers) -> list[Issued]:
    due_on = None if numbers.kind == "credit-note" else numbers.issued_on + timedelta(days=by.settings.due_days)
    return [
        Issued(
            number=numbers.number(offset),
            document_id=str(uuid4()),
            issued_on=numbers.issued_on,
            due_on=due_on,
            version=numbers.issued_at,
            draft=draft,
            net=draft.net,
            vat=draft.vat,
        )
        for offset, draft in enumerate(drafts)
    ]


def _values(by: Issuing, seller: str, documents: Sequence[Issued], numbers: Numbers) -> tuple[Any, ...]:
    """What all have alike, then what differs."""
    alike = (numbers.kind, numbers.issued_on.year, numbers.issued_on, documents[0].due_on)
    rows = [_document(document, numbers.first + offset) for offset, document in enumerate(documents)]
    return (by.issuer, *alike, seller, by.run_id, by.author, orjson.dumps(rows).decode())


def _document(document: Issued, place: int) -> dict[str, Any]:
    draft = document.draft
    return {
        "id": document.document_id,
        "place": place,
        "number": document.number,
        "cluster": draft.key.cluster,
        "record_id": draft.key.record_id,
        "first": draft.first,
        "corrects": draft.corrects,
        "buyer": dict(draft.buyer),
        "net": str(document.net),
        "vat": str(document.vat),
        "gross": str(document.gross),
        "reference": reference_of(document.number),
        "why": draft.why,
        "last": draft.last,
        "charge_id": draft.charge_id,
    }


def _line(line: DraftLine, document_id: str, place: int) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "place": place,
        "code": line.code,
        "label": line.label,
        "amount": str(line.amount),
        "units": line.units,
        "vat_regime": line.vat.regime,
        "vat_rate": str(line.vat.rate),
        "vat_code": line.vat.code,
        "account": line.account,
        "corrects_place": line.corrects_place,
    }


def _billed(payer: str, first: date, last: date, document_id: str, place: int) -> dict[str, Any]:
    return {"payer": payer, "first": first, "last": last, "document_id": document_id, "place": place}


async def _save_lines(connection: AsyncConnection, issuer: str, documents: Sequence[Issued]) -> None:
    lines: list[dict[str, Any]] = []
    days: list[dict[str, Any]] = []
    for document in documents:
        draft, document_id = document.draft, document.document_id
        payer = "" if draft.kind == "credit-note" else payer_of(issuer, draft.key)
        for place, line in enumerate(draft.lines):
            lines.append(_line(line, document_id, place))
            if payer:
                days += [_billed(payer, span.first_day, span.last_day, document_id, place) for span in line.days]
    await connection.exec_driver_sql(_LINES, (orjson.dumps(lines).decode(),))
    corrections = [each for each in documents if each.draft.corrects]
    if credited := {each.draft.corrects or "": (each.document_id, each.draft) for each in corrections}:
        days += await _release(connection, credited)
    if days:
        await connection.exec_driver_sql(_DAYS, (orjson.dumps(days).decode(),))


async def _release(connection: AsyncConnection, credited: Mapping[str, tuple[str, Draft]]) -> list[dict[str, Any]]:
    """Release the ranges that credit notes free; returns what of them stays billed, as ranges of its own."""
    freed: list[tuple[int, str]] = []
    stays: list[dict[str, Any]] = []
    for row_id, payer, document_id, place, first, last in rows_of(
        await connection.exec_driver_sql(_FREED, (list(credited),))
    ):
        by, draft = credited[document_id]
        free = days_of(span for line in draft.lines for span in line.days)
        span = days_of([between(first, last)])
        left = without(span, free)
        if left != span:
            freed.append((row_id, by))
            stays += [_billed(payer, item.first_day, item.last_day, document_id, place) for item in left]
    if freed:
        await connection.exec_driver_sql(_RELEASE, transposed(freed))
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
