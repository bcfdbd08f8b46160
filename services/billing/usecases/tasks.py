"""What staff must decide: periods that were billed, and of which something else is owed by now.

A task is the difference between owed and issued, worked out when it is asked for: so none is forgotten, and none
outlives its reason. It is done by a run that issues it, or by a decision after which nothing differs.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing_decisions import BillingTask, BillingTasks, OfTasks
from services.billing.documents.repository import issued_lines
from services.billing.dues.causes import cause_of, sentence
from services.billing.dues.reasons import Language, sentences
from services.billing.issuers.issuer import Issuer
from services.billing.usecases.cases import Period, period
from services.billing.usecases.issuers import settings_on
from services.billing.usecases.issuing import theirs_now
from services.billing.usecases.proposals import Change, changes
from services.operations.binding import Call
from shared.persistence.database import rows_of

# Older years are closed in every book; what differs there is found by whoever asks for that period itself.
_BILLED = """
    select distinct issuer, first from documents
    where charge_id is null and first >= current_date - interval '3 years' and ($1::text is null or issuer = $1)
    order by first desc, issuer
"""
_NUMBERS = "select document_id::text, number from documents where issuer = $1 and first = $2"


async def tasks(call: Call[OfTasks]) -> BillingTasks:
    """What differs in every period that was billed within three years, the newest period first."""
    asked, connection = call.arguments, call.uow.connection
    items: list[BillingTask] = []
    for code, first in rows_of(await connection.exec_driver_sql(_BILLED, (asked.issuer,))):
        issuer: Issuer | None = call.uow.issuers.get(code)
        if issuer is not None:
            items += await _of_period(connection, issuer, first, asked.language)
    return BillingTasks(items=items[: asked.limit], more=max(0, len(items) - asked.limit))


async def _of_period(connection: AsyncConnection, issuer: Issuer, first: date, language: Language) -> list[BillingTask]:
    whole = await period(connection, issuer, first)
    billed = await issued_lines(connection, issuer.code, first)
    numbers = {
        str(row[0]): str(row[1]) for row in rows_of(await connection.exec_driver_sql(_NUMBERS, (issuer.code, first)))
    }
    theirs = await theirs_now(connection, issuer.clusters)
    return [
        _task(whole, change, numbers, language, billed_before=change.proposal.owed.key in billed)
        for change in await changes(connection, whole, settings_on(issuer, first))
        # Whom a former system bills, and we never did, is no task of ours.
        if not theirs & {key.cluster for key in change.member.keys} or not billed.keys().isdisjoint(change.member.keys)
    ]


def _task(
    of: Period, change: Change, numbers: Mapping[str, str], language: Language, *, billed_before: bool
) -> BillingTask:
    proposal, key = change.proposal, change.proposal.owed.key
    alone = len(change.member.keys) == 1
    cause, other = cause_of(proposal, billed_before=billed_before, alone=alone)
    amount = sum((draft.gross for draft in change.drafts), Decimal("0.00"))
    return BillingTask(
        issuer=of.issuer.code,
        first=of.first,
        record=str(key),
        name=change.member.name,
        kind=proposal.kind,
        amount=amount,
        corrects=numbers.get(proposal.corrects or ""),
        cause=cause,
        sentence=sentence(cause, str(key), other, str(amount), language),
        why=sentences(proposal.reasons, language),
    )
