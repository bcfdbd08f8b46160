"""Members with all that their dues go by, many at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.dues.case import Key
from services.billing.dues.days import between
from services.billing.members.member import FormerBill, KnownMember, terms_of
from shared.persistence.database import json_of, rows_of

# What merges and separations say comes before what a description said of its moment.
_MEMBER = "coalesce(m.member_id::text, d.document->>'member_id', d.cluster || '/' || d.record_id)"
MEMBERS = f"""
    select {_MEMBER} as member, d.cluster, d.record_id
    from descriptions d left join member_records m using (cluster, record_id)
"""
"""Each record that billing knows, and whose it is."""
_RECORDS = f"""
    select {_MEMBER}, d.cluster, d.record_id, d.document
    from descriptions d left join member_records m using (cluster, record_id)
    where d.cluster = any($1::text[]) and ($2::text is null or {_MEMBER} = $2)
    order by 1, 2, 3
"""
_MEMBER_OF = f"""
    select {_MEMBER} from descriptions d left join member_records m using (cluster, record_id)
    where d.cluster || '/' || d.record_id = $1 or {_MEMBER} = $1 limit 1
"""
# What was billed and stands. A credit note takes the whole invoice's days off: which part it credits, nobody says.
_BILLS = """
    select i.cluster, i.record_id, i.invoice_id, i.number, i.period_starts_on, i.period_ends_on, i.gross
    from invoices i
    where i.cluster = any($1::text[]) and i.kind = 'invoice' and i.status not in ('draft', 'cancelled')
      and i.gross > 0 and i.period_starts_on is not null and i.period_ends_on >= i.period_starts_on
      and not exists (select from invoices c where c.cluster = i.cluster and c.corrects = i.invoice_id
                                               and c.kind = 'credit-note' and c.status not in ('draft', 'cancelled'))
      -- One that repeats a document of ours covers nothing: our own days do.
      and not exists (select from documents d where d.cluster = i.cluster and d.number = i.number)
"""


async def members_of(
    connection: AsyncConnection, clusters: Collection[str], member_id: str | None = None
) -> list[KnownMember]:
    """The members of these clusters by id, or the one that is named. Of a dual member only the records in them."""
    rows = rows_of(await connection.exec_driver_sql(_RECORDS, (list(clusters), member_id)))
    bills = await _bills(connection, clusters)
    documents: defaultdict[str, dict[Key, Mapping[str, Any]]] = defaultdict(dict)
    for member, cluster, record_id, document in rows:
        documents[member][Key(cluster, record_id)] = json_of(document)
    return [_member(member, records, bills) for member, records in documents.items()]


async def member_named(connection: AsyncConnection, name: str) -> str | None:
    """The id of the member that has this id, or this record."""
    return (await connection.exec_driver_sql(_MEMBER_OF, (name,))).scalar_one_or_none()


def _member(
    member_id: str, documents: Mapping[Key, Mapping[str, Any]], bills: Mapping[Key, list[FormerBill]]
) -> KnownMember:
    own = [bill for key in documents for bill in (*bills.get(key, ()), *terms_of(key, documents[key]))]
    return KnownMember(member_id, documents, own)


async def _bills(connection: AsyncConnection, clusters: Collection[str]) -> Mapping[Key, list[FormerBill]]:
    bills: defaultdict[Key, list[FormerBill]] = defaultdict(list)
    for cluster, record_id, _, number, first, last, gross in rows_of(
        await connection.exec_driver_sql(_BILLS, (list(clusters),))
    ):
        key = Key(cluster, record_id)
        bills[key].append(FormerBill(key, between(first, last), gross, f"{cluster}, facture {number}"))
    return bills
