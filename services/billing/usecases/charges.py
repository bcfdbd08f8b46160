"""Seats that cost something: listed, billed, credited, or settled elsewhere."""

from typing import Any

from schemas.billing_charges import (
    Charges,
    ChargesBilled,
    ChargeShown,
    ChargesToBill,
    OfCharges,
    SettledCharge,
)
from schemas.billing_documents import NotIssued
from services.billing.charges import repository
from services.billing.charges.charge import Charge, ImpossiblePriceError, credit_of, hindrance, invoice_of
from services.billing.documents.draft import Draft, total
from services.billing.documents.repository import Issuing
from services.billing.documents.trial import unprintable
from services.billing.dues.case import Key
from services.billing.issuers.issuer import Issuer, Settings
from services.billing.usecases.approval import approver
from services.billing.usecases.issuers import issuer_named, settings_on
from services.billing.usecases.issuing import check_rules, issue, take_turn, theirs, theirs_now
from services.operations.binding import Call, RefusedError
from shared.runtime.clock import Clock


async def charges(call: Call[OfCharges]) -> Charges:
    """What is to be done, or what is done, the earliest gathering first."""
    asked = call.arguments
    clusters = None if asked.organiser is None else [asked.organiser]
    kept = await repository.charges(call.uow.connection, clusters, done=asked.state == "done")
    shown = await _shown(call, kept)
    items = [each for each in shown if asked.state in (None, each.state)]
    return Charges(items=items[: asked.limit], more=max(0, len(items) - asked.limit))


async def bill_charges(call: Call[ChargesToBill]) -> ChargesBilled:
    """Issue one document for each charge that is not billed as it is now. Raises RefusedError."""
    connection, asked = call.uow.connection, call.arguments
    issuer = issuer_named(call.uow.issuers, asked.issuer)
    settings = settings_on(issuer, Clock().today())
    await take_turn(connection, issuer.code)
    not_ours = await theirs(connection, issuer.clusters)
    # What came since is billed the next time; what is done is locked by nobody.
    seen = await repository.charges(connection, issuer.clusters, asked.registrations or None)
    registrations = [each.registration_id for each in seen]
    await repository.lock(connection, registrations)
    kept = await repository.charges(connection, issuer.clusters, registrations)
    drafts, held_back = await _drafts(call, kept, issuer, settings, not_ours)
    approver(call, settings, total(drafts))
    await check_rules(call, drafts, settings)
    by = Issuing(issuer=issuer.code, settings=settings, author=call.author)
    numbers = sorted(await issue(call.uow, by, drafts))
    await repository.announce_billed(call.uow, [draft.charge_id for draft in drafts if draft.charge_id])
    return ChargesBilled(documents=len(numbers), total=total(drafts), numbers=numbers, held_back=held_back)


async def settle_charge(call: Call[SettledCharge]) -> ChargeShown:
    """Enter that seats were billed, or paid back, elsewhere. Raises RefusedError."""
    connection, asked = call.uow.connection, call.arguments
    await repository.lock(connection, [asked.registration_id])
    kept = await repository.charges_of(connection, [asked.registration_id])
    if not kept:
        raise RefusedError("charge-unknown", "no price of this registration is known")
    if kept[0].invoice:
        raise RefusedError("charge-invoiced", f"it was invoiced here as {kept[0].invoice.number}: correct that")
    if not kept[0].owed:
        raise RefusedError("charge-settled", "nothing is left to be billed, or given back")
    await repository.settle(connection, asked.registration_id, call.author, asked.reference)
    await repository.announce_billed(call.uow, [asked.registration_id])
    [shown] = await _shown(call, await repository.charges_of(connection, [asked.registration_id]))
    return shown


async def _drafts(
    call: Call[Any], kept: list[Charge], issuer: Issuer, settings: Settings, not_ours: set[str]
) -> tuple[list[Draft], list[NotIssued]]:
    """Documents that can be issued, and why the others cannot."""
    records = {each.record for each in kept if each.record and not each.invoice}
    buyers = await repository.buyers_of(call.uow.connection, records)
    drafts: list[Draft] = []
    held_back: list[NotIssued] = []
    for each in kept:
        why = hindrance(each, issuer, not_ours)
        if each.state(why) == "by-hand":
            held_back.append(_kept_back(each, each.todo(why)))
            continue
        try:
            draft = _draft(each, buyers, settings)
        except ImpossiblePriceError as error:
            held_back.append(_kept_back(each, str(error)))
            continue
        if problem := draft.problem or _unprintable(draft):
            held_back.append(_kept_back(each, problem))
        else:
            drafts.append(draft)
    return drafts, held_back


def _draft(charge: Charge, buyers: dict[Key, dict[str, Any]], settings: Settings) -> Draft:
    if charge.invoice:
        return credit_of(charge)
    assert charge.record is not None
    return invoice_of(charge, buyers.get(charge.record, {}), settings)


def _unprintable(draft: Draft) -> str:
    return "it holds a character that the page's font lacks: bill it by hand" if unprintable(draft.texts) else ""


def _kept_back(charge: Charge, why: str) -> NotIssued:
    return NotIssued(record=str(charge.record or charge.registration_id), why=why)


async def _shown(call: Call[Any], kept: list[Charge]) -> list[ChargeShown]:
    not_ours = await theirs_now(call.uow.connection, {cluster for each in kept for cluster in _clusters_of(each)})
    issuers = list(call.uow.issuers.values())
    today = Clock().today()
    shown: list[ChargeShown] = []
    for each in kept:
        issuer = next((body for body in issuers if each.cluster in body.clusters and body.on(today)), None)
        why = hindrance(each, issuer, not_ours)
        shown.append(
            ChargeShown(
                registration_id=each.registration_id,
                cluster=each.cluster,
                title=each.title,
                day=each.day,
                record=str(each.record) if each.record else None,
                name=each.name,
                email=each.email,
                seats=each.seats,
                amount=each.amount,
                billed=each.billed,
                references=list(each.references),
                state=each.state(why),
                todo=each.todo(why),
            )
        )
    return shown


def _clusters_of(charge: Charge) -> set[str]:
    return {charge.cluster, *([charge.record.cluster] if charge.record else [])}
