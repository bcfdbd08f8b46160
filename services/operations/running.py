"""Carrying an operation out: done, or refused without any effect. A refusal is an answer too."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import orjson
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError

from schemas.operation import Outcome
from services.operations.binding import Bound, Call, Identity, RefusedError, Table
from shared.messaging.failures import sqlstate
from shared.messaging.outbox import Outbox
from shared.messaging.unit_of_work import UnitOfWork
from shared.messaging.waiting import BrokerUnavailableError

LONGEST_ANSWER: Final = 2 * 1024 * 1024
"""Bytes of JSON; a message may have twice as many."""
_NO_SUCH_VALUE: Final = "22"
"""Class of SQLSTATE: a text with U+0000, a number or an instant out of range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRequest:
    """What is asked of a service. ``cluster`` is None where it is about no former system alone."""

    operation: str
    cluster: str | None
    arguments: Mapping[str, Any]
    author: str
    reason: str | None = None
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: the answer, or why it was refused."""

    outcome: Outcome
    answer: dict[str, Any]


async def carry_out(uow: UnitOfWork, definition: Any, operations: Table, asked: OperationRequest) -> Result:
    """Do it or, if it is refused, nothing of it: neither a row nor an announcement stays."""
    try:
        bound, call = _understood(uow, definition, operations, asked)
        return Result("done", await _wholly(bound, call))
    except RefusedError as error:
        return Result("refused", error.as_json())
    except BrokerUnavailableError as error:
        return Result("refused", {"kind": "broker-away", "detail": str(error)})
    except DBAPIError as error:
        # What was asked for holds a value that no row can have. Whoever asked is told; nobody need look after it.
        if not sqlstate(error).startswith(_NO_SUCH_VALUE):
            raise
        detail = "the database knows no such value as one of the request's: correct it, and ask again"
        return Result("refused", {"kind": "value-impossible", "detail": detail})


async def carry_out_all(
    uow: UnitOfWork, definition: Any, operations: Table, asked: Sequence[OperationRequest]
) -> list[Result]:
    """The same for several that came at once, in their order: those that can are decided together."""
    results: list[Result] = []
    for _, group in groupby(asked, key=lambda each: (each.operation, each.cluster)):
        some = list(group)
        together = await _carried_out_together(uow, definition, operations, some)
        results += together or [await carry_out(uow, definition, operations, each) for each in some]
    return results


async def _carried_out_together(
    uow: UnitOfWork, definition: Any, operations: Table, asked: Sequence[OperationRequest]
) -> list[Result] | None:
    """None, and nothing done, where they cannot be: each is carried out alone then, and refused alone."""
    bound = operations.get(asked[0].operation)
    if len(asked) < 2 or bound is None or bound.together is None:
        return None
    try:
        calls = [_understood(uow, definition, operations, each)[1] for each in asked]
        async with _undone_if_it_fails(uow):
            answers = await bound.together(calls)
            return [Result("done", orjson.loads(_as_bytes(answer))) for answer in answers]
    except (RefusedError, BrokerUnavailableError):
        return None
    except DBAPIError as error:
        if not sqlstate(error).startswith(_NO_SUCH_VALUE):
            raise
        return None


def _understood(
    uow: UnitOfWork, definition: Any, operations: Table, asked: OperationRequest
) -> tuple[Bound, Call[Any]]:
    """The handler and its call. Raises RefusedError."""
    bound = operations.get(asked.operation)
    if bound is None:
        raise RefusedError("operation-unknown", f"{definition.name} knows no such operation: is it older?")
    if bound.operation.about_system and asked.cluster is None:
        about = f"{asked.operation} is about one former system: name its cluster"
        raise RefusedError("former-system-unknown", about)
    try:
        arguments = bound.operation.arguments.model_validate(dict(asked.arguments))
    except ValidationError as error:
        # By their names alone: what they hold may be anything.
        names = sorted({".".join(map(str, fault["loc"])) for fault in error.errors()})
        raise RefusedError("arguments-invalid", f"not understood: {', '.join(names)}") from None
    return bound, Call(
        uow, definition, asked.cluster or "", arguments, asked.author, asked.reason or "", asked.identity
    )


async def _wholly(bound: Bound, call: Call[Any]) -> dict[str, Any]:
    async with _undone_if_it_fails(call.uow):
        return orjson.loads(_as_bytes(await bound.handler(call)))


def _as_bytes(answer: BaseModel | Mapping[str, Any]) -> bytes:
    """The answer as JSON. Raises RefusedError."""
    raw = orjson.dumps(answer.model_dump(mode="json") if isinstance(answer, BaseModel) else answer, default=str)
    if len(raw) > LONGEST_ANSWER:
        raise RefusedError("answer-too-long", "the answer is too long for a message: see the traboule command")
    return raw


@asynccontextmanager
async def _undone_if_it_fails(uow: UnitOfWork) -> AsyncGenerator[None]:
    """With an error neither a row nor an announcement of what happens in it stays."""
    before, uow.outbox = uow.outbox, Outbox()
    try:
        async with uow.connection.begin_nested():
            yield
            await uow.outbox.flush(uow.connection)
    finally:
        uow.outbox = before
