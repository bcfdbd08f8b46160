"""What came after a switch, decided by a person: applied after all, or dismissed."""

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from schemas.catalogue import by_type
from schemas.envelope import STRUCTURED, Envelope
from schemas.reading import read
from services.cutover import quarantine, write_back
from services.cutover.definition import CutoverDefinition
from services.cutover.fence import Fenced
from services.cutover.quarantine import Late
from services.cutover.stages import lock_stages
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.mirror import APPLIED_LATE, Mirror


class LateMessageError(Exception):
    """A late message that cannot be decided so; the message says why."""


async def apply(uow: UnitOfWork, definition: CutoverDefinition, number: int, *, by: str, reason: str) -> Late:
    """Apply a late message after all: it replaces what is held of its record, newer or not. Raises LateMessageError.

    It keeps its own version. The former system may become the authority again, and what it says then must be newer,
    however it counts: so what is held for its sake never has a version that it did not give itself.
    """
    late = await _waiting(uow, definition, number)
    fact = by_type(late.type)
    handlers = {route.fact: route.handler for route in definition.routes}
    if fact is None or not isinstance(handler := handlers.get(fact), Fenced):
        raise LateMessageError(f"{definition.name}:{number} is of type {late.type}, which this program does not know")
    # Still under the fence's lock: whoever switches waits until this is done.
    await lock_stages(uow.connection, [late.cluster])
    [event] = read(fact, late.body, STRUCTURED, {})
    if not isinstance(event, Envelope):
        raise LateMessageError(f"{definition.name}:{number} cannot be read: {event.detail}")
    # Before its row is locked: whoever has the turn may want that row.
    await uow.serialise_writers()
    await _make_way(uow, definition, late.cluster, orjson.loads(late.body)["data"])
    await handler.handler(uow, [event])
    await quarantine.decide(uow.connection, number, "applied", by=by, reason=reason)
    # It says so itself, but may read after this what we had written before.
    await write_back.publish_current_of(uow, definition, late)
    return late


async def dismiss(uow: UnitOfWork, definition: CutoverDefinition, number: int, *, by: str, reason: str) -> Late:
    """Decide that a late message is not applied; it is kept, and its former system is sent our record.

    Raises LateMessageError.
    """
    late = await _waiting(uow, definition, number)
    await quarantine.decide(uow.connection, number, "dismissed", by=by, reason=reason)
    await write_back.publish_current_of(uow, definition, late)
    return late


async def _waiting(uow: UnitOfWork, definition: CutoverDefinition, number: int) -> Late:
    late = await quarantine.lock(uow.connection, number)
    if late is None:
        raise LateMessageError(f"there is no {definition.name}:{number} in quarantine")
    if late.state != "waiting":
        raise LateMessageError(f"{definition.name}:{number} was {late.state} by {late.decided_by} already")
    return late


async def _make_way(uow: UnitOfWork, definition: CutoverDefinition, cluster: str, document: Mapping[str, Any]) -> None:
    """Let what is held of the record that a late message is about give way to it, even if that is newer."""
    table = _mirror_of(definition.metadata, document)
    if table is None:
        return
    mirror = Mirror(table)
    if APPLIED_LATE in table.columns:
        await mirror.make_way(uow.connection, cluster, document[mirror.key])
        return
    # Where commands write too, what they wrote gives way to anything, and so may this.
    sql = f"update {table.name} set written_here = true where cluster = $1 and {mirror.key} = $2"
    await uow.connection.exec_driver_sql(sql, (cluster, document[mirror.key]))


async def current_row(
    uow: UnitOfWork, definition: CutoverDefinition, cluster: str, document: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The row that the late message would replace, by the id that its table is known by."""
    table = _mirror_of(definition.metadata, document)
    if table is None:
        return None
    key = Mirror(table).key
    sql = f"select to_json(t) from {table.name} t where cluster = $1 and {key} = $2"
    row = (await uow.connection.exec_driver_sql(sql, (cluster, document[key]))).scalar()
    return orjson.loads(row) if isinstance(row, str) else row


def _mirror_of(metadata: sa.MetaData, document: Mapping[str, Any]) -> sa.Table | None:
    for table in metadata.tables.values():
        columns = [column.name for column in table.primary_key]
        is_mirror = len(columns) == 2 and columns[0] == "cluster" and "digest" in table.columns
        if is_mirror and columns[1] in document and _is_about(columns[1], document):
            return table
    return None


def _is_about(name: str, document: Mapping[str, Any]) -> bool:
    # A registration also names its event and its member; what it is about is its own id, which comes first.
    return next((key for key in document if key.endswith("_id")), None) == name
