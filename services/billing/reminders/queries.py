"""Documents of an issuer that are due, with what was paid and who is reminded: a page of records at a time."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing import AccountChanged
from services.billing.accounts.account import DocumentRow
from services.billing.accounts.queries import accounts, issued_documents
from services.billing.reminders.overdue import Claim, less_unallocated
from services.common.sections import Record
from shared.persistence.database import json_of, rows_of

PAGE: Final = 500
_RECORDS: Final = f"""
    select distinct cluster, record_id from documents
    where issuer = $1 and cluster = any($2::text[]) and due_on < $3 and kind <> 'credit-note'
      and (cluster, record_id) > ($4, $5)
    order by cluster, record_id limit {PAGE}
"""
# What its former system calls paid or cancelled is no claim, whatever payments it said.
_DUE: Final = """
    select d.document_id::text, d.number, d.cluster, d.record_id, d.due_on, d.seller, d.buyer, d.reference,
           m.document as described, coalesce(r.reminders, 0) as reminders, r.reminded_on
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from documents where (cluster, record_id) = (n.cluster, n.record_id) offset 0) d
    left join lateral
        (select document from descriptions where (cluster, record_id) = (n.cluster, n.record_id) offset 0) m on true
    left join lateral (
        select max(level) as reminders, max(reminded_on) as reminded_on from reminders
        where document_id = d.document_id offset 0) r on true
    where d.issuer = $3 and d.kind <> 'credit-note' and d.due_on is not null
      and not exists (select from invoices i where i.cluster = d.cluster and i.number = d.number
                                               and i.status in ('paid', 'cancelled'))
    order by d.number
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A document that somebody owes, and what a reminder of it says. ``email`` is the newest that is known."""

    claim: Claim
    record: Record
    issuer: str
    iban: str | None
    reference: str
    name: str = field(repr=False)
    email: str | None = field(repr=False)


async def due_documents(
    connection: AsyncConnection, issuer: str, clusters: Collection[str], today: date
) -> AsyncGenerator[list[Due]]:
    """All documents of each record that has one which was due before ``today``: a page of records each."""
    after = ("", "")
    while True:
        rows = rows_of(await connection.exec_driver_sql(_RECORDS, (issuer, sorted(clusters), today, *after)))
        records = [Record(*row) for row in rows]
        if records:
            yield await _due(connection, issuer, records)
        if len(records) < PAGE:
            return
        after = tuple(records[-1])


async def _due(connection: AsyncConnection, issuer: str, records: list[Record]) -> list[Due]:
    keys = [record.cluster for record in records], [record.record_id for record in records]
    rows = (await connection.exec_driver_sql(_DUE, (*keys, issuer))).mappings().all()
    owed = _owed(await issued_documents(connection, records))
    of_record: defaultdict[Record, dict[str, Due]] = defaultdict(dict)
    for row in rows:
        due = _read({**row}, owed.get(row["number"], Decimal()))
        of_record[due.record][due.claim.document_id] = due
    owing = [record for record, dues in of_record.items() if any(due.claim.owed > 0 for due in dues.values())]
    result: list[Due] = []
    for record, account in (await accounts(connection, owing)).items():
        outstanding = cast("AccountChanged", account).outstanding
        dues = of_record[record]
        claims = less_unallocated((due.claim for due in dues.values()), outstanding)
        result += [replace(dues[claim.document_id], claim=claim) for claim in claims]
    return result


def _owed(documents: Mapping[Record, list[DocumentRow]]) -> dict[str, Decimal]:
    """What credit notes and payments left of each document, by number."""
    rows = [row for some in documents.values() for row in some]
    owed = {row.document.number: row.document.gross - row.paid for row in rows if row.document.kind != "credit-note"}
    for row in rows:
        if row.document.corrects in owed:
            owed[row.document.corrects] -= row.document.gross
    return owed


def _read(row: Mapping[str, Any], owed: Decimal) -> Due:
    seller, buyer, described = json_of(row["seller"]), json_of(row["buyer"]), json_of(row["described"] or "{}")
    known = [(described.get(part) or {}).get("email") for part in ("shown", "own")]
    return Due(
        claim=Claim(
            document_id=row["document_id"],
            number=row["number"],
            due_on=row["due_on"],
            owed=max(owed, Decimal()),
            reminders=row["reminders"],
            reminded_on=row["reminded_on"],
        ),
        record=Record(row["cluster"], row["record_id"]),
        issuer=seller["name"],
        iban=seller.get("iban"),
        reference=row["reference"],
        name=buyer["name"],
        email=next((each for each in (*known, buyer.get("email")) if each), None),
    )
