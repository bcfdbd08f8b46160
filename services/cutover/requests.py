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
from services.operations.running import OperationRequest, Result, carry_out
from shared.messaging.publishing import publish
from shared.messaging.unit_of_work import UnitOfWork
from shared.runtime.clock import Clock

log = structlog.get_logger()

GOOD_FOR: Final = timedelta(minutes=15)
"""What waited longer, say for a service that was stopped, is refused: whoever asked no longer expects it."""

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

    async def _answer(self, uow: UnitOfWork, request: CutoverRequested, cause: str) -> None:
        result = await self._result(uow, request)
        now = self.clock.now()
        answered = ANSWER_OF[self.definition.name](
            version=int(now.timestamp() * 1_000_000),
            request_id=request.request_id,
            outcome=result.outcome,
            answer=result.answer,
            answered_at=now,
        )
        publish(uow, type(answered), [(answered, cause)])
        log.info("cutover.answered", request_id=request.request_id, operation=request.operation, outcome=result.outcome)

    async def _result(self, uow: UnitOfWork, request: CutoverRequested) -> Result:
        if self.clock.now() - request.asked_at > GOOD_FOR:
            waited = f"it waited for more than {GOOD_FOR.seconds // 60} minutes"
            refusal = {"kind": "asked-too-long-ago", "detail": f"{waited}, and nothing was done: ask again"}
            return Result("refused", refusal)
        asked = OperationRequest(
            operation=request.operation,
            cluster=request.cluster,
            arguments=request.arguments,
            author=request.author,
            reason=request.reason,
            identity=_identity(request),
        )
        return await carry_out(uow, self.definition, table_of(self.definition), asked)


def _identity(request: CutoverRequested) -> Identity | None:
    """Whose key it was; None from a gateway of a version that did not say so."""
    if request.key_id is None:
        return None
    return Identity(request.key_id, request.key_name or request.key_id)
