"""Payments as they are read: what is free of them, and what is owed on the documents that they may pay."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.accounts.queries import ALLOCATED
from services.billing.payments.allocation import Allocation, Claim
from shared.persistence.database import rows_of

_WHICH = """
    ($1::text is null or issuer = $1) and ($2::text is null or cluster || '/' || record_id = $2)
    and ($3::text is null or cluster = $3) and ($4::uuid is null or payment_id = $4::uuid)
"""
# What is free is added up of those on the page alone, unless it is asked for.
_PAYMENTS = f"""
    select payment_id::text, issuer, cluster || '/' || record_id as record, amount, free, pending, received_on, means,
           reference, key, recorded_by, reason, at
    from (
        select * from payments_received
        where {_WHICH} and ($6::uuid is null or (received_on, at, payment_id)
                           < (select received_on, at, payment_id from payments_received where payment_id = $6::uuid))
        order by received_on desc, at desc, payment_id desc limit case when $5::bool then null else $7::bigint end
    ) p
    cross join lateral (select free_of(p.payment_id) as free offset 0) f
    cross join lateral (
        select coalesce(sum(r.amount), 0.00) as pending from refunds r left join refund_approvals a using (refund_id)
        where r.payment_id = p.payment_id and a.refund_id is null offset 0) w
    where not $5::bool or free > 0
    order by received_on desc, at desc, payment_id desc limit $7
"""
_COUNT = f"""
    select count(*) from payments_received
    where {_WHICH} and case when $5::bool then free_of(payment_id) > 0 else true end
"""
_BY_KEY = "select payment_id::text from payments_received where issuer = $1 and key = $2"
_ALLOCATIONS = """
    select a.allocation_id::text, d.number, d.cluster || '/' || d.record_id as record, a.amount, a.author, a.at
    from allocations a join documents d using (document_id)
    where a.payment_id = $1::uuid and a.undoes is null
      and not exists (select from allocations u where u.undoes = a.allocation_id)
    order by a.at, d.number
"""
_REFUNDS = """
    select r.refund_id::text, r.amount, r.asked_by, a.approved_by, a.paid_on
    from refunds r left join refund_approvals a using (refund_id) where r.payment_id = $1::uuid order by r.at
"""
_RETURN = "select returned_on, code, fee from payment_returns where payment_id = $1::uuid"
# A former system may have been paid on a document of ours, while it was the authority.
_CLAIMS = f"""
    select d.document_id::text, d.number, d.issuer, d.kind, d.cluster,
           owed_of(d.document_id)
           - (select coalesce(sum(p.amount), 0) from payments p where p.cluster = d.cluster and p.invoice_id = d.number)
           - coalesce({ALLOCATED.format(cluster="d.cluster", id="d.number")}, 0)
    from documents d where d.number = any($1::text[]) order by d.document_id
"""
_FORMER = "select cluster from invoices where number = $1 order by cluster limit 1"
_LIVE = """
    select allocation_id::text, payment_id::text, document_id::text, amount from allocations a
    where undoes is null and not exists (select from allocations u where u.undoes = a.allocation_id)
      and {which} order by at desc, allocation_id
"""
_OVERPAID = """
    select document_id::text, - owed_of(document_id) from documents
    where document_id = any($1::uuid[]) and owed_of(document_id) < 0
"""
_REFUND = """
    select r.refund_id::text, r.payment_id::text, r.amount, r.asked_by, r.asked_key, a.approved_by
    from refunds r left join refund_approvals a using (refund_id) where r.refund_id = $1::uuid
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which payments; ``after`` is the id of the one after which the page begins."""

    issuer: str | None = None
    record: str | None = None
    cluster: str | None = None
    payment_id: str | None = None
    free: bool = False
    after: str | None = None
    limit: int = 1


async def payments(connection: AsyncConnection, which: Which) -> list[dict[str, Any]]:
    """A page of payments with what is free of each, the newest first. ``pending``: refunds that nobody approved yet."""
    return await _all(connection, _PAYMENTS, *astuple(which))


async def count(connection: AsyncConnection, which: Which) -> int:
    """How many there are on all pages."""
    return (await connection.exec_driver_sql(_COUNT, astuple(which)[:5])).scalar_one()


async def of_key(connection: AsyncConnection, issuer: str, key: str) -> str | None:
    """The payment that was recorded under this key."""
    return (await connection.exec_driver_sql(_BY_KEY, (issuer, key))).scalar_one_or_none()


async def parts_of(connection: AsyncConnection, payment_id: str) -> dict[str, Any]:
    """Its allocations that hold, its refunds, and its return."""
    [returned] = await _all(connection, _RETURN, payment_id) or [None]
    return {
        "allocations": await _all(connection, _ALLOCATIONS, payment_id),
        "refunds": await _all(connection, _REFUNDS, payment_id),
        "returned": returned,
    }


async def claims(connection: AsyncConnection, numbers: Sequence[str]) -> dict[str, tuple[Claim, str, str, str]]:
    """By number: the document with what is owed on it, its issuer, kind and cluster."""
    rows = rows_of(await connection.exec_driver_sql(_CLAIMS, (list(numbers),)))
    return {
        number: (Claim(document_id=document_id, number=number, owed=owed), issuer, kind, cluster)
        for document_id, number, issuer, kind, cluster, owed in rows
    }


async def former_system_of(connection: AsyncConnection, number: str) -> str | None:
    """The cluster whose former system has an invoice of this number."""
    return (await connection.exec_driver_sql(_FORMER, (number,))).scalar_one_or_none()


async def live_allocations(
    connection: AsyncConnection, *, payment_id: str | None = None, allocation_id: str | None = None
) -> list[Allocation]:
    """Allocations that hold, of a payment, or the one of this id."""
    which = "a.payment_id = $1::uuid" if payment_id else "a.allocation_id = $1::uuid"
    rows = rows_of(await connection.exec_driver_sql(_LIVE.format(which=which), (payment_id or allocation_id,)))
    return [Allocation(*row) for row in rows]


async def overpaid(connection: AsyncConnection, documents: Sequence[str]) -> list[tuple[Decimal, list[Allocation]]]:
    """Of each of these documents that is paid above what is left of it: by how much, and what paid it, newest first."""
    excess = rows_of(await connection.exec_driver_sql(_OVERPAID, (list(documents),)))
    sql = _LIVE.format(which="a.document_id = any($1::uuid[])")
    rows = rows_of(await connection.exec_driver_sql(sql, ([document_id for document_id, _ in excess],)))
    paying = [Allocation(*row) for row in rows]
    return [(amount, [each for each in paying if each.document_id == document_id]) for document_id, amount in excess]


async def refund(connection: AsyncConnection, refund_id: str) -> dict[str, Any] | None:
    """A refund, and who approved it."""
    rows = await _all(connection, _REFUND, refund_id)
    return rows[0] if rows else None


async def _all(connection: AsyncConnection, sql: str, *values: Any) -> list[dict[str, Any]]:
    return [{**row} for row in (await connection.exec_driver_sql(sql, values)).mappings()]
