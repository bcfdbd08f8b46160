"""What was asked at the HTTP gateway, answered by the service that keeps the stage: done or refused, and told.

The operation and its answer are one transaction. A refusal is an answer too: what the operation had begun is undone.
Queries cross by RPC now. A gateway of the version before sends them here, and is answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from schemas.catalogue import FACTS
from schemas.cutover_requests import CutoverAnswered, CutoverRequested
from schemas.envelope import Envelope
from services.cutover.definition import CutoverDefinition
from services.cutover.operations_table import table_of
from services.operations.binding import Identity
from services.operations.running import OperationRequest, Result, carry_out_all
from shared.messaging.publishing import publish
from shared.messaging.unit_of_work import UnitOfWork
from shared.runtime.clock import Clock

log = structlog.get_logger()

GOOD_FOR: Final = timedelta(minutes=15)
"""What waited longer, say for a service that was stopped, is refused: whoever asked no longer expects it."""

_TOO_LATE: Final = Result(
    "refused",
    {
        "kind": "asked-too-long-ago",
        "detail": f"it waited for more than {GOOD_FOR.seconds // 60} minutes, and nothing was done: ask again",
    },
)
ANSWER_OF = {fact.service: fact for fact in FACTS if issubclass(fact, CutoverAnswered)}
"""What each service announces."""


@dataclass(frozen=True, slots=True)
class Answering:
    """The handler of one service: it answers what that service is asked, and leaves the rest alone."""

    definition: CutoverDefinition
    clock: Clock = field(default_factory=Clock)

    async def __call__(self, uow: UnitOfWork, messages: Sequence[Envelope[CutoverRequested]]) -> None:
        """Answer in order of arrival."""
        ours = [message for message in messages if message.data.responsible == self.definition.name]
        answered = ANSWER_OF[self.definition.name]
        facts: list[tuple[CutoverAnswered, str]] = []
        for message, result in zip(ours, await self._results(uow, [each.data for each in ours]), strict=True):
            request, now = message.data, self.clock.now()
            fact = answered(
                version=int(now.timestamp() * 1_000_000),
                request_id=request.request_id,
                outcome=result.outcome,
                answer=result.answer,
                answered_at=now,
            )
            facts.append((fact, message.correlationid or message.id))
            log.info(
                "cutover.answered", request_id=request.request_id, operation=request.operation, outcome=result.outcome
            )
        publish(uow, answered, facts)

    async def _results(self, uow: UnitOfWork, requests: Sequence[CutoverRequested]) -> list[Result]:
        """What came of each; nothing of those that waited too long."""
        now = self.clock.now()
        results = {each.request_id: _TOO_LATE for each in requests if now - each.asked_at > GOOD_FOR}
        in_time = [each for each in requests if each.request_id not in results]
        table = table_of(self.definition)
        carried_out = await carry_out_all(uow, self.definition, table, [_operation(each) for each in in_time])
        results |= {each.request_id: result for each, result in zip(in_time, carried_out, strict=True)}
        return [results[each.request_id] for each in requests]


def _operation(request: CutoverRequested) -> OperationRequest:
    return OperationRequest(
        operation=request.operation,
        cluster=request.cluster,
        arguments=request.arguments,
        author=request.author,
        reason=request.reason,
        identity=_identity(request),
    )


def _identity(request: CutoverRequested) -> Identity | None:
    """Whose key it was; None from a gateway of a version that did not say so."""
    if request.key_id is None:
        return None
    return Identity(request.key_id, request.key_name or request.key_id)
