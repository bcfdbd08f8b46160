"""Answers a service's queries: each in a transaction in which PostgreSQL refuses every write."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.operation import Question
from services.common.definition import ServiceDefinition
from services.operations.running import OperationRequest, Result, carry_out
from shared.messaging.failures import PauseUntilDatabase, decide
from shared.messaging.rpc import Reply
from shared.messaging.unit_of_work import UnitOfWork

_READ_ONLY = "set transaction read only"


async def answered(uow: UnitOfWork, definition: ServiceDefinition[Any], asked: OperationRequest) -> Result:
    """Answer one query, in a transaction that does nothing else: from here on PostgreSQL refuses every write."""
    await uow.connection.exec_driver_sql(_READ_ONLY)
    # A command that came this way would be done, and nobody would know who asked for it.
    return await carry_out(uow, definition, definition.queries, asked)


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers one service's questions."""

    definition: ServiceDefinition[Any]
    engine: AsyncEngine
    unit_of_work: Callable[[AsyncConnection], UnitOfWork]

    async def __call__(self, body: bytes) -> Reply:
        """The answer to one question, whatever it holds."""
        try:
            question = Question.model_validate_json(body)
        except ValidationError:
            return _refused("question-unreadable", "the question is not of the form that this version reads")
        asked = OperationRequest(
            operation=question.operation,
            cluster=question.cluster,
            arguments=question.arguments,
            author=question.author,
        )
        try:
            async with self.engine.begin() as connection:
                result = await answered(self.unit_of_work(connection), self.definition, asked)
        except Exception as error:
            if isinstance(error, NoConnectionError) or isinstance(decide(error, 0), PauseUntilDatabase):
                return Reply("away")
            raise
        return Reply(result.outcome, orjson.dumps(result.answer))


def _refused(kind: str, detail: str) -> Reply:
    return Reply("refused", orjson.dumps({"kind": kind, "detail": detail}))
