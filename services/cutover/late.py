"""What came after a switch, decided by a person: applied as our own newest word, or dismissed."""

import time
from importlib import import_module
from typing import Any

import orjson

from schemas.catalogue import by_type
from schemas.envelope import STRUCTURED, Envelope, read
from shared.cutover import quarantine
from shared.cutover.fence import Fenced
from shared.cutover.quarantine import Late
from shared.cutover.stages import standings
from shared.persistence.unit_of_work import UnitOfWork


class LateError(Exception):
    """A late message that cannot be decided so; the message says why."""


async def apply(uow: UnitOfWork, service: str, number: int, *, by: str, reason: str) -> Late:
    """Apply a late message after all, as of now: it replaces what is held of its record. Raises LateError."""
    late = await _waiting(uow, service, number)
    fact = by_type(late.type)
    handlers = {one.fact: one.handler for one in import_module(f"services.{service}.consumers").SUBSCRIPTIONS}
    if fact is None or not isinstance(handler := handlers.get(fact), Fenced):
        raise LateError(f"{service}:{number} is of type {late.type}, which this program does not know")
    [event] = read(fact, _as_of_now(late.body), STRUCTURED, {})
    if not isinstance(event, Envelope):
        raise LateError(f"{service}:{number} cannot be read: {event.detail}")
    # Still under the fence's lock: whoever switches waits until this is done.
    await standings(uow.connection, [late.cluster])
    await handler.handler(uow, [event])
    await quarantine.decide(uow.connection, number, "applied", by=by, reason=reason)
    return late


async def dismiss(uow: UnitOfWork, service: str, number: int, *, by: str, reason: str) -> Late:
    """Decide that a late message is not applied; it is kept. Raises LateError."""
    late = await _waiting(uow, service, number)
    await quarantine.decide(uow.connection, number, "dismissed", by=by, reason=reason)
    return late


async def _waiting(uow: UnitOfWork, service: str, number: int) -> Late:
    late = await quarantine.one(uow.connection, number)
    if late is None:
        raise LateError(f"there is no {service}:{number} in quarantine")
    if late.state != "waiting":
        raise LateError(f"{service}:{number} was {late.state} by {late.decided_by} already")
    return late


def _as_of_now(body: bytes) -> bytes:
    """The same event with a version of now (µs since 1970), larger than the former system's own."""
    event: dict[str, Any] = orjson.loads(body)
    event["data"]["version"] = max(time.time_ns() // 1_000, event["data"]["version"] + 1)
    return orjson.dumps(event)
