"""What came after a switch, decided by a person: applied after all, or dismissed."""

from collections.abc import Mapping
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
    """Apply a late message after all: it replaces what is held of its record. Raises LateError."""
    late = await _waiting(uow, service, number)
    fact = by_type(late.type)
    handlers = {one.fact: one.handler for one in import_module(f"services.{service}.consumers").SUBSCRIPTIONS}
    if fact is None or not isinstance(handler := handlers.get(fact), Fenced):
        raise LateError(f"{service}:{number} is of type {late.type}, which this program does not know")
    # Still under the fence's lock: whoever switches waits until this is done.
    await standings(uow.connection, [late.cluster])
    row = await held(uow, service, late.cluster, orjson.loads(late.body)["data"])
    # What a command of ours wrote gives way by itself, whatever its version.
    held_version = -1 if row is None or row.get("written_here") else row["version"]
    [event] = read(fact, _after(late.body, held_version), STRUCTURED, {})
    if not isinstance(event, Envelope):
        raise LateError(f"{service}:{number} cannot be read: {event.detail}")
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


def _after(body: bytes, held_version: int) -> bytes:
    """The same event, newer than what is held, and no newer than it must be.

    The former system may become the authority again, and what it says next must be newer still, however it counts.
    """
    event: dict[str, Any] = orjson.loads(body)
    event["data"]["version"] = max(event["data"]["version"], held_version + 1)
    return orjson.dumps(event)


async def held(uow: UnitOfWork, service: str, cluster: str, said: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row that the late message would replace, by the id that its table is known by."""
    tables = import_module(f"services.{service}.tables").metadata.tables
    mirrors = [table for table in tables.values() if [c.name for c in table.primary_key][:1] == ["cluster"]]
    for table in mirrors:
        columns = [column.name for column in table.primary_key]
        if len(columns) == 2 and "digest" in table.columns and columns[1] in said and _is_about(columns[1], said):
            sql = f"select to_json(t) from {table.name} t where cluster = $1 and {columns[1]} = $2"
            row = (await uow.connection.exec_driver_sql(sql, (cluster, said[columns[1]]))).scalar()
            return orjson.loads(row) if isinstance(row, str) else row
    return None


def _is_about(name: str, said: Mapping[str, Any]) -> bool:
    # A registration also names its event and its member; what it is about is its own id, which comes first.
    return next((key for key in said if key.endswith("_id")), None) == name
