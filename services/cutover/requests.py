"""What was asked at the HTTP door, answered by the service that keeps the stage: done or refused, and told.

The operation and its answer are one transaction. A refusal is an answer too: what the operation had begun is undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import orjson
import structlog
from sqlalchemy.exc import DBAPIError

from schemas.catalogue import FACTS
from schemas.cutover_requests import CutoverAnswered, CutoverRequested, Outcome
from schemas.envelope import Envelope
from services.cutover import operations
from services.cutover.definition import CutoverDefinition
from services.cutover.operations import CutoverError, NotMetError
from services.cutover.parity.runs import Found
from shared.messaging.failures import sqlstate
from shared.messaging.outbox import Outbox
from shared.messaging.publishing import publish
from shared.messaging.unit_of_work import UnitOfWork
from shared.messaging.waiting import BrokerUnavailableError
from shared.runtime.clock import Clock

log = structlog.get_logger()

GOOD_FOR: Final = timedelta(minutes=15)
"""What waited longer, say for a service that was stopped, is refused: whoever asked no longer expects it."""
LONGEST_ANSWER: Final = 2 * 1024 * 1024
"""Bytes of JSON; a message may have twice as many."""

_NO_SUCH_VALUE: Final = "22"
"""Class of SQLSTATE: a text with U+0000, a number or an instant out of range."""

ANSWER_OF = {fact.service: fact for fact in FACTS if issubclass(fact, CutoverAnswered)}
"""What each service announces."""


@dataclass(frozen=True, slots=True)
class Answering:
    """The handler of one service: it answers what that service is asked, and leaves the rest alone."""

    definition: CutoverDefinition
    clock: Clock = field(default_factory=Clock)

    async def __call__(self, uow: UnitOfWork, messages: Sequence[Envelope[CutoverRequested]]) -> None:
        """Answer in order of arrival."""
        for message in messages:
            if message.data.responsible == self.definition.name:
                await self._answer(uow, message.data, message.correlationid or message.id)

    async def _answer(self, uow: UnitOfWork, asked: CutoverRequested, cause: str) -> None:
        outcome, answer = await self._tried(uow, asked)
        now = self.clock.now()
        told = ANSWER_OF[self.definition.name](
            version=int(now.timestamp() * 1_000_000),
            request_id=asked.request_id,
            outcome=outcome,
            answer=answer,
            answered_at=now,
        )
        publish(uow, type(told), [(told, cause)])
        log.info("cutover.answered", request_id=asked.request_id, operation=asked.operation, outcome=outcome)

    async def _tried(self, uow: UnitOfWork, asked: CutoverRequested) -> tuple[Outcome, dict[str, Any]]:
        try:
            if self.clock.now() - asked.asked_at > GOOD_FOR:
                waited = f"it waited for more than {GOOD_FOR.seconds // 60} minutes"
                raise CutoverError("asked-too-long-ago", f"{waited}, and nothing was done: ask again")
            return "done", await _wholly(uow, self.definition, asked)
        except NotMetError as error:
            unmet = [one.as_json() for one in error.unmet]
            return "refused", {"kind": error.kind, "detail": str(error), "conditions": unmet}
        except CutoverError as error:
            return "refused", {"kind": error.kind, "detail": str(error)}
        except BrokerUnavailableError as error:
            return "refused", {"kind": "broker-away", "detail": str(error)}
        except DBAPIError as error:
            # What was asked for holds a value that no row can have. Whoever asked is told; nobody need look after it.
            if not sqlstate(error).startswith(_NO_SUCH_VALUE):
                raise
            told = "the database knows no such value as one of the request's: correct it, and ask again"
            return "refused", {"kind": "value-impossible", "detail": told}


async def _wholly(uow: UnitOfWork, definition: CutoverDefinition, asked: CutoverRequested) -> dict[str, Any]:
    """Do it or, if it is refused, nothing of it: neither a row nor an announcement stays."""
    before, uow.outbox = uow.outbox, Outbox()
    try:
        async with uow.connection.begin_nested():
            raw = orjson.dumps(await _done(uow, definition, asked), default=str)
            if len(raw) > LONGEST_ANSWER:
                raise CutoverError("answer-too-long", "the answer is too long for a message: see the traboule command")
            await uow.outbox.flush(uow.connection)
            return orjson.loads(raw)
    finally:
        uow.outbox = before


async def _done(uow: UnitOfWork, definition: CutoverDefinition, asked: CutoverRequested) -> dict[str, Any]:
    given, by, reason = asked.arguments, asked.author, asked.reason or ""
    if asked.cluster is None:
        return await _for_all(uow, asked)
    cluster = asked.cluster
    match asked.operation:
        case "standing":
            return await operations.read_stage(uow, definition, cluster)
        case "conditions":
            found = await operations.conditions(uow, definition, cluster, given["for"])
            told = {"for": given["for"], "holds": all(one.holds for one in found)}
            return _about(definition, cluster) | told | {"conditions": [one.as_json() for one in found]}
        case "move":
            overrule: list[str] = given.get("overrule", [])
            moved = await operations.move(
                uow, definition, cluster, given["move"], by=by, reason=reason, overrule=overrule
            )
            at = moved.standing
            told = {
                "stage": at.stage,
                "authority": operations.authority(at.stage),
                "epoch": at.epoch,
                "since": at.since,
            }
            remains = _remains(definition, cluster) if given["move"] == "retire" else None
            return _about(definition, cluster) | told | {"by": at.by, "already": moved.already, "remains": remains}
        case "history":
            return _about(definition, cluster) | {"items": await operations.history(uow, cluster)}
        case "quarantine":
            return await _quarantined(uow, definition, cluster, given)
        case "late-message":
            return await operations.late_message(uow, definition, given["number"], cluster)
        case "apply-late" | "dismiss-late":
            apply, numbers = asked.operation == "apply-late", [given["number"]]
            await operations.decide_late(uow, definition, numbers, apply=apply, by=by, reason=reason, cluster=cluster)
            return await operations.late_message(uow, definition, given["number"], cluster)
        case "parity":
            return await _compared(uow, definition, cluster, given)
        case "way-back":
            told = await operations.written_back(uow, definition, cluster, after=given["after"], limit=given["limit"])
            return _about(definition, cluster) | told
        case "note-backup":
            return await _for_all(uow, asked)


def _remains(definition: CutoverDefinition, cluster: str) -> str:
    """Services have no right to change rights: an operator's command takes this one, and completes the answer."""
    return (
        f"its broker user {cluster}.{definition.name} still may write, until an operator runs: "
        "traboule former-systems revoke-retired"
    )


async def _for_all(uow: UnitOfWork, asked: CutoverRequested) -> dict[str, Any]:
    if asked.operation != "note-backup":
        raise CutoverError("former-system-unknown", f"{asked.operation} is about one former system: name its cluster")
    await operations.note_backup(uow, by=asked.author, note=asked.arguments["note"])
    return {"noted": True}


async def _quarantined(
    uow: UnitOfWork, definition: CutoverDefinition, cluster: str, given: dict[str, Any]
) -> dict[str, Any]:
    state, limit = (None if given["state"] == "all" else given["state"]), int(given["limit"])
    found = await operations.quarantined(uow, definition, cluster, state, after=given["after"], limit=limit + 1)
    page = found[:limit]
    following = int(page[-1]["id"].partition(":")[2]) if len(found) > limit else None
    return {"items": page, "next": following}


async def _compared(
    uow: UnitOfWork, definition: CutoverDefinition, cluster: str, given: dict[str, Any]
) -> dict[str, Any]:
    run = await operations.parity(uow, cluster)
    system = f"{cluster}/{definition.name}"
    if run is None:
        mend = f"traboule parity --as {system} EXPORT-FILE"
        raise CutoverError("never-compared", f"{system} was never compared with what it holds: {mend}")
    chosen = [one for one in run.found if given["state"] in ("all", _state(one))]
    first, limit = int(given["after"]), int(given["limit"])
    page = _as_many_as_fit([one.as_json() for one in chosen[first : first + limit]])
    following = first + len(page) if first + len(page) < len(chosen) else None
    return _about(definition, cluster) | {**run.as_json(), "differences": page, "next": following}


def _state(one: Found) -> str:
    return "open" if one.accepted is None else "accepted"


def _as_many_as_fit(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of them, at least one, that leave room for the rest of an answer."""
    size = 0
    for count, item in enumerate(items):
        size += len(orjson.dumps(item, default=str))
        if count and size > LONGEST_ANSWER // 2:
            return items[:count]
    return items


def _about(definition: CutoverDefinition, cluster: str) -> dict[str, Any]:
    return {"system": f"{cluster}/{definition.name}"}
