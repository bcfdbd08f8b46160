"""Documents of an issuer that are due, with what was paid and who is reminded: a page of members at a time."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any, Final, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing import AccountChanged
from services.billing.accounts.account import DocumentRow
from services.billing.accounts.queries import accounts, issued_documents
from services.billing.reminders.overdue import Claim, less_unallocated
from services.common.sections import Record
from shared.persistence.database import json_of, rows_of

PAGE: Final = 500
_NOTHING: Final = Decimal(), Decimal()
# All records of each member that has a document which is due: records are joined by their key alone.
_MEMBERS: Final = """
    select member, cluster, record_id from (
        select member, cluster, record_id, bool_or(due) over (partition by member) as owes from (
            select coalesce(m.member_id::text, d.document->>'member_id', r.cluster || '/' || r.record_id) as member,
                   r.cluster, r.record_id, r.due
            from (
                select cluster, record_id, bool_or(due) as due from (
                    select cluster, record_id, false as due from descriptions
                    union all
                    select cluster, record_id, cluster = any($2::text[]) and due_on < $3 and kind <> 'credit-note'
                    from documents where issuer = $1) known
                group by cluster, record_id
            ) r
            left join descriptions d using (cluster, record_id) left join member_records m using (cluster, record_id)
        ) n
    ) s
    where owes order by member, cluster, record_id
"""
# What is free of payments that were recorded here: of this issuer's, and of all.
_FREE: Final = """
    select n.cluster, n.record_id, coalesce(sum(free_of(p.payment_id)) filter (where p.issuer = $3), 0),
           sum(free_of(p.payment_id))
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral
        (select * from payments_received where (cluster, record_id) = (n.cluster, n.record_id) offset 0) p
    group by n.cluster, n.record_id
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
    where d.issuer = $3 and d.cluster = any($4::text[]) and d.kind <> 'credit-note' and d.due_on is not null
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
    """All documents of these clusters of each member that has one which was due before ``today``: a page each."""
    rows = rows_of(await connection.exec_driver_sql(_MEMBERS, (issuer, sorted(clusters), today)))
    members = [[Record(*row[1:]) for row in some] for _, some in groupby(rows, key=lambda row: row[0])]
    for start in range(0, len(members), PAGE):
        yield await _due(connection, issuer, clusters, members[start : start + PAGE])


async def _due(
    connection: AsyncConnection, issuer: str, clusters: Collection[str], members: Sequence[Sequence[Record]]
) -> list[Due]:
    records = [record for some in members for record in some]
    keys = [record.cluster for record in records], [record.record_id for record in records]
    rows = (await connection.exec_driver_sql(_DUE, (*keys, issuer, sorted(clusters)))).mappings().all()
    documents = await issued_documents(connection, records)
    owed = _owed(documents)
    of_record: defaultdict[Record, dict[str, Due]] = defaultdict(dict)
    for row in rows:
        due = _read({**row}, owed.get(row["number"], Decimal()))
        of_record[due.record][due.claim.document_id] = due
    owing = [
        some for some in members if any(due.claim.owed > 0 for record in some for due in of_record[record].values())
    ]
    free = await _free(connection, issuer, owing, documents)
    result: list[Due] = []
    for some, amount in zip(owing, free, strict=True):
        dues = {name: due for record in some for name, due in of_record[record].items()}
        claims = less_unallocated((due.claim for due in dues.values()), amount)
        result += [replace(dues[claim.document_id], claim=claim) for claim in claims]
    return result


async def _free(
    connection: AsyncConnection,
    issuer: str,
    members: Sequence[Sequence[Record]],
    documents: Mapping[Record, list[DocumentRow]],
) -> list[Decimal]:
    """What each member paid this issuer without saying for what.

    That is what is free of payments to the issuer, which no invoice of a former system uses up. Money that a former
    system received is added, but only what its own invoices leave of it: they come first there.
    """
    records = [record for some in members for record in some]
    keys = [record.cluster for record in records], [record.record_id for record in records]
    rows = rows_of(await connection.exec_driver_sql(_FREE, (*keys, issuer)))
    here = {Record(*key): (of_issuer, of_all) for *key, of_issuer, of_all in rows}
    stated = await accounts(connection, records)
    result: list[Decimal] = []
    for some in members:
        formerly: defaultdict[str, Decimal] = defaultdict(Decimal)
        for record in some:
            outstanding = cast("AccountChanged", stated[record]).outstanding or Decimal()
            # The account less what is owed on documents, and less what is free here, is the former system's part.
            of_documents = sum(_owed({record: documents.get(record, [])}).values(), Decimal())
            formerly[record.cluster] += of_documents - here.get(record, _NOTHING)[1] - outstanding
        own = sum((here.get(record, _NOTHING)[0] for record in some), Decimal())
        result.append(own + sum((max(left, Decimal()) for left in formerly.values()), Decimal()))
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
