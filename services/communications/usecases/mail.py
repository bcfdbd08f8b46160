"""What staff ask of mail, and decide: who gets none, and what becomes of mails that nobody knows arrived."""

from datetime import UTC, datetime
from typing import Any

from schemas.mail_operations import (
    Changed,
    Deliveries,
    Lifted,
    MailStatus,
    NewSuppression,
    OneDomain,
    Suppressions,
    Uncertain,
    WhichDeliveries,
    WhichSuppressions,
)
from services.common.sections import Record
from services.communications.deliveries import queries
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.address import AddressError, normalise
from services.communications.suppressions.repository import lift, suppress
from services.communications.suppressions.suppression import Suppression
from services.communications.usecases.letters import LETTER_QUEUES
from services.operations.binding import Call, RefusedError

_RESUME = "update paces set paused_because = null, paused_at = null where domain = $1 and paused_at is not null"
# Only where it is still uncertain: a second decision finds nothing.
_LEAVE = """
    update deliveries set state = 'refused', answer = $3
    where $1 in ('*', cause) and ($2::uuid is null or delivery_id = $2::uuid) and state = 'uncertain'
"""
_SEND_AGAIN = """
    update deliveries set state = 'due', due_at = now(), scheduled_at = now(), ended_at = null, answer = $3
    where $1 in ('*', cause) and ($2::uuid is null or delivery_id = $2::uuid)
      and state = 'uncertain' and address is not null
      and exists (select from contents c where c.content_id = deliveries.content_id and c.document <> '{}')
"""
_UNCERTAIN = """
    select count(*) from deliveries
    where $1 in ('*', cause) and ($2::uuid is null or delivery_id = $2::uuid) and state = 'uncertain'
"""


async def status(call: Call[Any]) -> MailStatus:
    """What waits, what went out, and what wants a decision."""
    uow = _uow(call)
    known = await queries.status(uow.connection, LETTER_QUEUES)
    return MailStatus.model_validate({**known, "sends": uow.mail is not None})


async def deliveries(call: Call[WhichDeliveries]) -> Deliveries:
    """Single mails, with what was answered."""
    wanted = call.arguments
    items = await queries.deliveries(
        call.uow.connection, (wanted.state, wanted.kind, wanted.cause), _record(wanted.record), wanted.limit
    )
    return Deliveries.model_validate({"items": items})


async def suppressions(call: Call[WhichSuppressions]) -> Suppressions:
    """Why somebody gets no mail. Refuses a mail that is unknown."""
    keys: list[bytes] = []
    if call.arguments.delivery_id is not None:
        found = await queries.address_of(call.uow.connection, call.arguments.delivery_id)
        if found is None:
            raise RefusedError("delivery-unknown", "there is no such mail: traboule mail deliveries lists them")
        _, written, address = found
        keys = [written, *(item.value for item in call.uow.keyring.all(address))] if address else [written]
    items = await queries.suppressions(call.uow.connection, _record(call.arguments.record), keys)
    return Suppressions.model_validate({"items": items})


async def suppress_somebody(call: Call[NewSuppression]) -> Changed:
    """Write no more bulk mail to them, by the word of staff."""
    new, uow = call.arguments, _uow(call)
    record = _record(new.record)
    at = datetime.now(UTC)
    found = Suppression(
        cause=f"staff/{at.isoformat()}/{new.record or ''}",
        address=None if new.address is None else _address(new.address),
        records=(Record(*record),) if record else (),
        purpose=new.purpose,
        source=f"staff, {call.author}: {call.reason}",
        at=at,
        spreads=True,
    )
    return Changed(changed=len(await suppress(uow.connection, uow.keyring, [found])))


async def lift_suppression(call: Call[Lifted]) -> Changed:
    """Let somebody be written to again, who asked for it."""
    wanted = call.arguments
    lifted = await lift(call.uow.connection, [wanted.suppression_id], call.author, f"{wanted.proof}: {call.reason}")
    if not lifted:
        raise RefusedError("suppression-unknown", "there is no such suppression in force")
    return Changed(changed=len(lifted))


async def resume(call: Call[OneDomain]) -> Changed:
    """Send to a domain again."""
    result = await call.uow.connection.exec_driver_sql(_RESUME, (call.arguments.domain,))
    if not result.rowcount:
        raise RefusedError("domain-not-paused", f"nothing waits for {call.arguments.domain}: it is not paused")
    return Changed(changed=result.rowcount)


async def decide_uncertain(call: Call[Uncertain]) -> Changed:
    """Leave mails that may have arrived, or send them again: somebody may then get one twice.

    Refuses to send again where all of them have been forgotten.
    """
    wanted = call.arguments
    statement = _LEAVE if wanted.decision == "leave" else _SEND_AGAIN
    answer = f"{wanted.decision}, {call.author}: {call.reason}"[:500]
    connection, which = call.uow.connection, (wanted.cause, wanted.delivery_id)
    result = await connection.exec_driver_sql(statement, (*which, answer))
    left = 0 if result.rowcount else (await connection.exec_driver_sql(_UNCERTAIN, which)).scalar_one()
    if left:
        raise RefusedError(
            "mail-forgotten",
            f"none of these {left} mails can be sent again: what they said, or to whom, was forgotten "
            "(TRABOULE_COMMUNICATIONS_TEXT_DAYS). Decide to leave them",
        )
    return Changed(changed=result.rowcount)


def _uow(call: Call[Any]) -> CommunicationsUnitOfWork:
    return call.uow


def _address(text: str) -> str:
    try:
        return normalise(text)
    except AddressError as error:
        raise RefusedError("value-impossible", f"address: {error}") from None


def _record(name: str | None) -> tuple[str, str] | None:
    if name is None:
        return None
    cluster, _, record_id = name.partition("/")
    return cluster, record_id
