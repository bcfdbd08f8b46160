"""What staff ask a service to do: kept with who asked and why, sent to that service, and its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.cutover_requests import CutoverAnswered, CutoverRequested
from schemas.envelope import Envelope
from services.gateway.awaited import WAKE
from services.membership.records.ids import new_id
from shared.messaging.publishing import publish
from shared.messaging.unit_of_work import UnitOfWork

FORGET_DAYS = 7
"""For so long an answer is kept: it may hold members' data."""
_ASK = """
    insert into cutover_requests (id, cluster, service, operation, arguments, author, key_id, reason, at)
    values ($1, $2, $3, $4, $5::json, $6, $7, $8, $9)
"""
# Several services answer; each request was for one of them, and its first answer is the only one.
_KEEP = """
    update cutover_requests r set outcome = n.outcome, answer = n.answer, answered_at = n.answered_at
    from unnest($1::text[], $2::text[], $3::json[], $4::timestamptz[]) as n (id, outcome, answer, answered_at)
    where r.id = n.id and r.service = $5 and r.outcome is null
"""
_ADD = "update cutover_requests set answer = $2::json where id = $1 and answer is not null"
_FORGET = """
    update cutover_requests set answer = null
    where answer is not null and at < now() - make_interval(days => $1)
"""


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """One request. ``cluster`` is None where it is about no former system alone."""

    service: str
    cluster: str | None
    operation: str
    arguments: Mapping[str, Any]
    author: str
    key_id: str
    key_name: str
    reason: str | None = None


async def ask(uow: UnitOfWork, asked: CommandRequest, now: datetime, request_id: str | None = None) -> str:
    """Keep a request, and send it when the transaction commits; returns its id."""
    request = CutoverRequested.model_validate(
        {
            "version": int(now.timestamp() * 1_000_000),
            "request_id": request_id or new_id(now),
            "responsible": asked.service,
            "cluster": asked.cluster,
            "operation": asked.operation,
            "arguments": dict(asked.arguments),
            "author": asked.author,
            "key_id": asked.key_id,
            "key_name": asked.key_name,
            "reason": asked.reason,
            "asked_at": now,
        }
    )
    row = (
        request.request_id,
        request.cluster,
        request.responsible,
        request.operation,
        _text(request.arguments),
    )
    await uow.connection.exec_driver_sql(_ASK, (*row, request.author, asked.key_id, request.reason, now))
    publish(uow, CutoverRequested, [(request, request.request_id)], to=request.responsible)
    return request.request_id


async def keep_answers(uow: UnitOfWork, messages: Sequence[Envelope[CutoverAnswered]]) -> None:
    """Keep what one service answered, for whoever asked."""
    # In the order of their keys, so that two replicas lock rows in the same order.
    answers = sorted((message.data for message in messages), key=lambda data: data.request_id)
    columns = (
        [answer.request_id for answer in answers],
        [answer.outcome for answer in answers],
        [_text(answer.answer) for answer in answers],
        [answer.answered_at for answer in answers],
    )
    await uow.connection.exec_driver_sql(_KEEP, (*columns, answers[0].service))
    await uow.connection.exec_driver_sql(WAKE, (columns[0],))


async def complete(uow: UnitOfWork, request_id: str, answer: Mapping[str, Any]) -> None:
    """Keep an answer with what the gateway found out besides."""
    await uow.connection.exec_driver_sql(_ADD, (request_id, _text(answer)))


async def forget(connection: AsyncConnection) -> int:
    """Forget old answers, and return how many; who asked for what, when and why stays."""
    return (await connection.exec_driver_sql(_FORGET, (FORGET_DAYS,))).rowcount


def _text(tree: Mapping[str, Any]) -> str:
    return orjson.dumps(tree).decode()
