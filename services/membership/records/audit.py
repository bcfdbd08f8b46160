"""Who changed which source record by a command, when and why: only ever added to."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.records.editing import CommandName
from services.membership.records.record import RecordKey

_SAVE = """
    insert into record_changes (cluster, record_id, version, command, author, key_id, reason, fields)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One version that a command made; ``fields`` are the names of what it changed, never the values."""

    record: RecordKey
    version: int
    command: CommandName
    author: str
    key_id: str | None
    reason: str | None
    fields: tuple[str, ...]


async def save_change(connection: AsyncConnection, change: Change) -> None:
    """Keep it, in the transaction of the version that it tells of."""
    await connection.exec_driver_sql(
        _SAVE,
        (
            *change.record,
            change.version,
            change.command,
            change.author,
            change.key_id,
            change.reason,
            list(change.fields),
        ),
    )
