"""Reminds whoever owes an overdue document: each document and level once; a person looks first."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from schemas.base import RecordRef
from schemas.billing_reminders import OfReminders, OverdueDocuments, OverdueShown, Reminded
from schemas.letters import PaymentReminded, Recipient
from services.billing.documents.restored import UncomparedSeriesError, require_compared
from services.billing.reminders.overdue import overdue
from services.billing.reminders.queries import Due, due_documents
from services.billing.usecases.issuers import issuer_named
from services.billing.usecases.issuing import take_turn, theirs, theirs_now
from services.operations.binding import Call, RefusedError
from shared.messaging.publishing import publish
from shared.persistence.database import rows_of
from shared.runtime.clock import Clock

MOST_LISTED: Final = 1_000
_NOTHING: Final = Decimal("0.00")
_KEEP: Final = """
    insert into reminders (document_id, level, owed, reminded_on, author, reason)
    select n.document_id, n.level, n.owed, $4, $5, $6
    from unnest($1::uuid[], $2::int[], $3::numeric[]) as n (document_id, level, owed)
    on conflict do nothing returning document_id::text
"""


async def overdue_documents(call: Call[OfReminders]) -> OverdueDocuments:
    """What a reminder would go out of today. Raises RefusedError."""
    issuer = issuer_named(call.uow.issuers, call.arguments.issuer)
    clusters = set(issuer.clusters) - await theirs_now(call.uow.connection, issuer.clusters)
    today = Clock().today()
    return _shown([due async for page in due_documents(call.uow.connection, issuer.code, clusters, today)
                   for due in _overdue(page, today, call.arguments.every)])  # fmt: skip


async def remind(call: Call[OfReminders]) -> Reminded:
    """Remind of them. Who does so twice on one day reminds nobody twice. Raises RefusedError."""
    issuer = issuer_named(call.uow.issuers, call.arguments.issuer)
    await _refuse_restored(call)
    await take_turn(call.uow.connection, issuer.code)
    clusters = set(issuer.clusters) - await theirs(call.uow.connection, issuer.clusters)
    today = Clock().today()
    reminded: list[Due] = []
    async for page in due_documents(call.uow.connection, issuer.code, clusters, today):
        reminded += await _remind(call, _overdue(page, today, call.arguments.every), today)
    shown = _shown(reminded)
    return Reminded(**shown.model_dump(), without_email=sum(due.email is None for due in reminded))


async def _refuse_restored(call: Call[Any]) -> None:
    """After a restore payments and reminders are missing too: who paid would be reminded, and again at that."""
    try:
        await require_compared(call.uow.connection)
    except UncomparedSeriesError as error:
        raise RefusedError("series-uncompared", str(error)) from None


def _overdue(page: Sequence[Due], today: date, every: int) -> list[Due]:
    by_id = {due.claim.document_id: due for due in page}
    claims = overdue((due.claim for due in page), today, timedelta(days=every))
    return [by_id[claim.document_id] for claim in claims]


async def _remind(call: Call[Any], page: Sequence[Due], today: date) -> list[Due]:
    columns = (
        [due.claim.document_id for due in page],
        [due.claim.reminders + 1 for due in page],
        [due.claim.owed for due in page],
    )
    kept = rows_of(await call.uow.connection.exec_driver_sql(_KEEP, (*columns, today, call.author, call.reason)))
    fresh = {row[0] for row in kept}
    reminded = [due for due in page if due.claim.document_id in fresh]
    version = int(datetime.now(UTC).timestamp() * 1_000_000)
    publish(call.uow, PaymentReminded, [(_announcement(due, version), None) for due in reminded])
    return reminded


def _announcement(due: Due, version: int) -> PaymentReminded:
    record = RecordRef(cluster=due.record.cluster, record_id=due.record.record_id)
    return PaymentReminded(
        version=version,
        cluster=due.record.cluster,
        recipient=Recipient(name=due.name, email=due.email, records=(record,)),
        number=due.claim.number,
        issuer=due.issuer,
        amount=due.claim.owed,
        iban=due.iban,
        reference=due.reference,
        reminder=due.claim.reminders + 1,
        due_on=due.claim.due_on,
    )


def _shown(dues: Sequence[Due]) -> OverdueDocuments:
    # Nobody else writes to those without an address: they are named first, and all of them.
    ordered = sorted(dues, key=lambda due: (due.email is not None, due.claim.due_on, due.claim.number))
    without_email = sum(due.email is None for due in dues)
    items = [
        OverdueShown(
            number=due.claim.number,
            record=f"{due.record.cluster}/{due.record.record_id}",
            name=due.name,
            owed=due.claim.owed,
            due_on=due.claim.due_on,
            reminder=due.claim.reminders + 1,
            reminded_on=due.claim.reminded_on,
            by_post=due.email is None,
        )
        for due in ordered[: max(MOST_LISTED, without_email)]
    ]
    return OverdueDocuments(
        items=items, count=len(ordered), owed=sum((due.claim.owed for due in ordered), start=_NOTHING)
    )
