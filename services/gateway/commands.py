"""Commands to services: kept with who asked and why, sent when that is committed, and answered when they are done."""

from collections.abc import Sequence
from time import monotonic

import structlog

from services.gateway import requests
from services.gateway.auth.audit import Access
from services.gateway.auth.authorisation import author_of
from services.gateway.auth.caller import Caller
from services.gateway.context import GatewayContext
from services.gateway.idempotency import Key
from services.gateway.idempotency_header import claim
from services.gateway.requests import CommandRequest
from services.gateway.requests_queries import Request, request_now
from services.membership.records.ids import new_id
from shared.runtime.text import printable
from shared.runtime.waiting import wait_at_most

log = structlog.get_logger()

_FIRST_LOOK_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 0.25


async def send(
    context: GatewayContext, asked: Sequence[CommandRequest], key: Key | None, *accesses: Access, waits: bool = True
) -> list[Request]:
    """Each request as it is when it is answered, or when the time to wait is over. Raises ProblemError.

    Without ``waits`` nobody waits for an answer: each is as it stands. With a key that came before, nothing is sent:
    the requests are those that were made then.
    """
    request_ids = await _kept(context, asked, key, *accesses)
    deadline = monotonic() + (context.answer_seconds if waits else 0)
    return [await _answered(context, request_id, deadline) for request_id in request_ids]


def key_name_of(caller: Caller) -> str:
    """The key's name, as a line that every message may carry."""
    return printable(caller.name).strip()[:200] or caller.key_id


def signed_by(caller: Caller, named: str | None) -> str:
    """Who decides it, as a line that every message may carry. Raises ProblemError."""
    return author_of(caller, named) if named else key_name_of(caller)


async def _kept(
    context: GatewayContext, asked: Sequence[CommandRequest], key: Key | None, *accesses: Access
) -> list[str]:
    now = context.clock.now()
    made = [new_id(now) for _ in asked]
    async with context.writing(*accesses) as uow:
        known = await claim(uow, key, made)
        if known != made:
            return known
        for request, request_id in zip(asked, made, strict=True):
            await requests.ask(uow, request, now, request_id)
    for request, request_id in zip(asked, made, strict=True):
        log.info("cutover.asked", request_id=request_id, operation=request.operation, key_id=request.key_id)
    return made


async def _answered(context: GatewayContext, request_id: str, deadline: float) -> Request:
    """The request once it is answered, or as it is at the deadline."""
    pause = _FIRST_LOOK_SECONDS
    with context.awaited.expecting(request_id) as arrived:
        while True:
            await wait_at_most(min(pause, deadline - monotonic()), arrived)
            arrived.clear()
            request = await request_now(context.pool, request_id)
            assert request is not None, "it was kept a moment ago, and is kept for days"
            if request.outcome is not None or monotonic() >= deadline:
                return request
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
