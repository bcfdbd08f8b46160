"""Payments as staff record them: what they pay, what is free of them, refunds by two persons, and returns by a bank."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.billing_payments import (
    Allocated,
    ApprovedRefund,
    OfPayments,
    OneAllocation,
    OnePayment,
    Payments,
    PaymentShown,
    Recorded,
    Refunded,
    Returned,
)
from services.billing.dues.days import add_months
from services.billing.issuers.issuer import Accounts, Issuer
from services.billing.payments import queries, repository
from services.billing.payments.allocation import Claim, ImpossibleAllocationError, spread
from services.billing.payments.repository import Payment, Signed
from services.billing.usecases.approval import approver, key_of, refuse_same_person
from services.billing.usecases.decisions import record_named
from services.billing.usecases.issuers import issuer_named
from services.billing.usecases.issuing import not_the_authority, take_turn, theirs
from services.billing.usecases.ledger import refuse_closed
from services.operations.binding import Call, RefusedError
from shared.runtime.clock import Clock

_NOTHING = Decimal("0.00")
_SAME = ("issuer", "record", "amount", "received_on", "means", "reference")
"""What two requests under one key have alike, or they are about two payments."""


async def payments(call: Call[OfPayments]) -> Payments:
    """A page of payments, the newest first."""
    which = queries.Which(**call.arguments.model_dump())
    rows = await queries.payments(call.uow.connection, which)
    return Payments(
        items=[PaymentShown(**row) for row in rows],
        count=await queries.count(call.uow.connection, which),
        next=rows[-1]["payment_id"] if len(rows) == which.limit else None,
    )


async def payment(call: Call[OnePayment]) -> PaymentShown:
    """One payment, with what became of it."""
    return await _shown(call, call.arguments.payment_id)


async def record(call: Call[Recorded]) -> PaymentShown:
    """Keep a payment; under a key that is known nothing is done. Raises RefusedError."""
    asked = call.arguments
    issuer = issuer_named(call.uow.issuers, asked.issuer)
    _refuse_day(asked.received_on)
    _refuse_long_before(issuer, asked.received_on)
    await take_turn(call.uow.connection, issuer.code)
    if (known := await queries.of_key(call.uow.connection, issuer.code, asked.key)) is not None:
        return _same(await _shown(call, known), asked)
    await refuse_closed(call, issuer.code, asked.received_on)
    payer = await record_named(call, asked.record)
    if payer.cluster not in issuer.clusters:
        raise RefusedError("payment-invalid", f"{issuer.code} bills no member of {payer.cluster}: name its issuer")
    await _refuse_theirs(call, [payer.cluster])
    kept = Payment(
        issuer=issuer.code,
        payer=payer,
        **asked.model_dump(include={"amount", "received_on", "means", "reference", "key"}),
        account=_account(issuer.last_on(asked.received_on).accounts, asked.means),
        advances=issuer.last_on(asked.received_on).accounts.advances,
    )
    await repository.record(call.uow.connection, kept, _signed(call, asked.received_on))
    return await _shown(call, kept.payment_id)


async def allocate(call: Call[Allocated]) -> PaymentShown:
    """Let a payment pay documents. Raises RefusedError."""
    asked = call.arguments
    kept = await _locked(call, asked.payment_id)
    known = await queries.claims(call.uow.connection, [part.number for part in asked.documents])
    parts: list[tuple[Claim, Decimal | None]] = []
    for part in asked.documents:
        if part.number not in known:
            raise await _no_document(call, part.number)
        claim, issuer, kind, _ = known[part.number]
        if kind == "credit-note" or issuer != kept.issuer:
            raise RefusedError("allocation-impossible", f"{part.number} is a {kind} of {issuer}: {_PAYABLE}")
        parts.append((claim, part.amount))
    await _refuse_theirs(call, [cluster for *_, cluster in known.values()])
    try:
        fitting = spread(kept.free, parts)
    except ImpossibleAllocationError as error:
        raise RefusedError("allocation-impossible", str(error)) from None
    await repository.allocate(call.uow.connection, kept.payment_id, fitting, _signed(call))
    return await _shown(call, kept.payment_id)


async def _no_document(call: Call[Any], number: str) -> RefusedError:
    if cluster := await queries.former_system_of(call.uow.connection, number):
        detail = f"{number} is an invoice of a former system: record in {cluster} what pays it, and import it"
        return RefusedError("allocation-impossible", detail)
    return RefusedError("document-unknown", f"there is no document {number}")


_PAYABLE = "a payment pays invoices and dues notices of the issuer that received it"


async def undo(call: Call[OneAllocation]) -> PaymentShown:
    """Free the money of an allocation again. Raises RefusedError."""
    allocation_id = call.arguments.allocation_id
    [allocation] = await queries.live_allocations(call.uow.connection, allocation_id=allocation_id) or [None]
    if allocation is not None:
        await _locked(call, allocation.payment_id)
        [allocation] = await queries.live_allocations(call.uow.connection, allocation_id=allocation_id) or [None]
    if allocation is None:
        raise RefusedError("allocation-unknown", "there is no such allocation, or it was undone already")
    await repository.undo(call.uow.connection, [allocation], _signed(call))
    return await _shown(call, allocation.payment_id)


async def refund(call: Call[Refunded]) -> PaymentShown:
    """Ask for money back; nothing moves until somebody else approves it. Raises RefusedError."""
    kept = await _locked(call, call.arguments.payment_id)
    left = kept.free - kept.pending
    amount = _part_of(left, left if call.arguments.amount is None else call.arguments.amount, kept.pending)
    await repository.ask_refund(call.uow.connection, kept.payment_id, amount, _signed(call))
    return await _shown(call, kept.payment_id)


async def approve_refund(call: Call[ApprovedRefund]) -> PaymentShown:
    """Pay back what was asked for, by somebody else, while it is still free. Raises RefusedError."""
    asked = call.arguments
    row = await queries.refund(call.uow.connection, asked.refund_id)
    if row is None:
        raise RefusedError("refund-unknown", "there is no such refund: see `traboule billing payments show`")
    kept = await _locked(call, row["payment_id"])
    row = await queries.refund(call.uow.connection, asked.refund_id) or row
    if row["approved_by"] is not None:
        raise RefusedError("refund-state", f"it was approved by {row['approved_by']} already")
    issuer = issuer_named(call.uow.issuers, kept.issuer)
    refuse_same_person(call, row["asked_by"], row["asked_key"], "asked for")
    # Whoever approves chooses the day of the transfer, and not by it who may approve, nor in how many parts.
    approved = sum((each.amount for each in kept.refunds if each.approved_by), Decimal())
    by = approver(call, issuer.last_on(Clock().today()), approved + row["amount"])
    _refuse_day(asked.paid_on)
    _refuse_before(kept, asked.paid_on)
    await refuse_closed(call, kept.issuer, asked.paid_on)
    _part_of(kept.free, row["amount"])
    signed = Signed(author=call.author, key_id=by.key_id, reason=call.reason, on=asked.paid_on)
    await repository.approve_refund(
        call.uow.connection, asked.refund_id, issuer.last_on(asked.paid_on).accounts.bank, signed
    )
    return await _shown(call, kept.payment_id)


async def give_back(call: Call[Returned]) -> PaymentShown:
    """Keep that the bank took a payment back; what it paid is owed again. Raises RefusedError."""
    asked = call.arguments
    kept = await _locked(call, asked.payment_id)
    if kept.returned is not None:
        raise RefusedError("payment-returned", f"the bank took it back on {kept.returned.returned_on} already")
    if paid_back := sum((each.amount for each in kept.refunds if each.approved_by), Decimal()):
        raise RefusedError("payment-invalid", f"{paid_back} € of it were paid back: agree with the payer first")
    _refuse_day(asked.returned_on)
    _refuse_before(kept, asked.returned_on)
    await refuse_closed(call, kept.issuer, asked.returned_on)
    accounts = issuer_named(call.uow.issuers, kept.issuer).last_on(asked.returned_on).accounts
    undone = await queries.live_allocations(call.uow.connection, payment_id=kept.payment_id)
    await repository.undo(call.uow.connection, undone, _signed(call, asked.returned_on))
    signed, to = _signed(call, asked.returned_on), (accounts.bank, accounts.fees)
    await repository.give_back(call.uow.connection, kept.payment_id, asked.code, asked.fee, to, signed)
    return await _shown(call, kept.payment_id)


async def _locked(call: Call[Any], payment_id: str) -> PaymentShown:
    """The payment as it stays until we commit: one at a time changes what an issuer's money does."""
    kept = await _shown(call, payment_id)
    await take_turn(call.uow.connection, kept.issuer)
    return await _shown(call, payment_id)


async def _shown(call: Call[Any], payment_id: str) -> PaymentShown:
    rows = await queries.payments(call.uow.connection, queries.Which(payment_id=payment_id))
    if not rows:
        raise RefusedError("payment-unknown", "there is no such payment: see `traboule billing payments list`")
    return PaymentShown(**rows[0], **await queries.parts_of(call.uow.connection, payment_id))


def _same(kept: PaymentShown, asked: Recorded) -> PaymentShown:
    if different := [name for name in _SAME if getattr(kept, name) != getattr(asked, name)]:
        detail = f"another payment was recorded under this key; {', '.join(different)} differ: write another key"
        raise RefusedError("payment-key-used", detail)
    return kept


async def _refuse_theirs(call: Call[Any], clusters: Iterable[str]) -> None:
    """Where a former system bills, it records payments too: they come from there."""
    if billed := await theirs(call.uow.connection, set(clusters)):
        raise not_the_authority(sorted(billed))


def _refuse_day(day: date) -> None:
    if day > Clock().today():
        raise RefusedError("payment-invalid", f"{day} is still to come: record it once the bank has it")


def _refuse_long_before(issuer: Issuer, day: date) -> None:
    """Members may pay ahead of the issuer's first day; a year that was mistyped is in no financial year of its own."""
    if day < (earliest := add_months(issuer.since, -12)):
        detail = f"{day} is more than a year before {issuer.code} begins, on {issuer.since}: write {earliest} or later"
        raise RefusedError("payment-invalid", detail)


def _refuse_before(kept: PaymentShown, day: date) -> None:
    if day < kept.received_on:
        raise RefusedError("payment-invalid", f"the payment came on {kept.received_on}, which is after {day}")


def _part_of(free: Decimal, amount: Decimal, pending: Decimal = _NOTHING) -> Decimal:
    """The amount, if so much is free. ``pending`` is what others asked for, and is not in ``free`` any more."""
    if not 0 < amount <= free:
        waiting = f", and {pending} € wait for approval" if pending else ""
        detail = f"{amount} € of {free} € that are free of it{waiting}: undo an allocation first, or ask for less"
        raise RefusedError("refund-impossible", detail)
    return amount


def _account(accounts: Accounts, means: str) -> str:
    by_means = {"cheque": accounts.cheques, "card": accounts.cards, "cash": accounts.cash}
    return by_means.get(means, accounts.bank)


def _signed(call: Call[Any], on: date | None = None) -> Signed:
    return Signed(author=call.author, key_id=key_of(call), reason=call.reason, on=on or Clock().today())
