"""Payments as they are kept: every row is added, none is altered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.dues.case import Key
from services.billing.payments.allocation import Allocation, Claim
from shared.persistence.batches import transposed

_RECORD = """
    insert into payments_received (payment_id, issuer, cluster, record_id, amount, received_on, means, reference, key,
                                   account, advances, recorded_by, recorded_key, reason)
    values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
# In the order of documents, so that two transactions lock them in the same order.
_ALLOCATE = """
    insert into allocations (allocation_id, payment_id, document_id, amount, undoes, booked_on, author, reason)
    select gen_random_uuid(), payment_id, document_id, amount, undoes,
           -- The bank may take money back on a day before the one on which it was allocated.
           greatest($5, (select a.booked_on from allocations a where a.allocation_id = n.undoes)), $6, $7
    from unnest($1::uuid[], $2::uuid[], $3::numeric[], $4::uuid[]) as n (payment_id, document_id, amount, undoes)
    order by document_id
"""
_REFUND = """
    insert into refunds (refund_id, payment_id, amount, asked_by, asked_key, reason)
    values ($1::uuid, $2::uuid, $3, $4, $5, $6)
"""
_APPROVE = """
    insert into refund_approvals (refund_id, paid_on, account, approved_by, approved_key, reason)
    values ($1::uuid, $2, $3, $4, $5, $6)
"""
_RETURN = """
    insert into payment_returns (payment_id, return_id, returned_on, code, fee, bank, fees, author, reason)
    values ($1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8, $9)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that came in. ``account`` is where the books keep it, ``advances`` where what is free of it stands."""

    payment_id: str = field(default_factory=lambda: str(uuid4()))
    issuer: str
    payer: Key
    amount: Decimal
    received_on: date
    means: str
    reference: str
    key: str
    account: str
    advances: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Who does it, with which key, why, and the day on which it is booked."""

    author: str
    key_id: str | None
    reason: str
    on: date


async def record(connection: AsyncConnection, payment: Payment, by: Signed) -> None:
    """Keep a payment."""
    what = (payment.payment_id, payment.issuer, *payment.payer, payment.amount, payment.received_on, payment.means)
    how = (payment.reference, payment.key, payment.account, payment.advances)
    await connection.exec_driver_sql(_RECORD, (*what, *how, by.author, by.key_id, by.reason))


async def allocate(
    connection: AsyncConnection, payment_id: str, parts: Sequence[tuple[Claim, Decimal]], by: Signed
) -> None:
    """Let a payment pay so much of these documents."""
    await _add(connection, [(payment_id, claim.document_id, amount, None) for claim, amount in parts], by)


async def undo(connection: AsyncConnection, undone: Sequence[Allocation], by: Signed) -> None:
    """Let these allocations hold no more."""
    rows = [(each.payment_id, each.document_id, -each.amount, each.allocation_id) for each in undone]
    await _add(connection, rows, by)


async def keep(connection: AsyncConnection, allocation: Allocation, amount: Decimal, by: Signed) -> None:
    """Let so much of an allocation that was undone hold again."""
    await _add(connection, [(allocation.payment_id, allocation.document_id, amount, None)], by)


async def ask_refund(connection: AsyncConnection, payment_id: str, amount: Decimal, by: Signed) -> None:
    """Keep that so much of a payment is to be paid back."""
    values = (str(uuid4()), payment_id, amount, by.author, by.key_id, by.reason)
    await connection.exec_driver_sql(_REFUND, values)


async def approve_refund(connection: AsyncConnection, refund_id: str, account: str, by: Signed) -> None:
    """Keep that a refund is paid from this account."""
    await connection.exec_driver_sql(_APPROVE, (refund_id, by.on, account, by.author, by.key_id, by.reason))


async def give_back(
    connection: AsyncConnection, payment_id: str, code: str, fee: Decimal, accounts: tuple[str, str], by: Signed
) -> None:
    """Keep that the bank took a payment back; ``accounts`` are those of the bank and of its fees."""
    values = (payment_id, str(uuid4()), by.on, code, fee, *accounts, by.author, by.reason)
    await connection.exec_driver_sql(_RETURN, values)


async def _add(connection: AsyncConnection, rows: Sequence[tuple[str, str, Decimal, str | None]], by: Signed) -> None:
    if rows:
        columns = transposed(rows)
        await connection.exec_driver_sql(_ALLOCATE, (*columns, by.on, by.author, by.reason))
