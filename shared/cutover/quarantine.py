"""What a former system said after it ceased to be the authority: kept whole, applied only if a person says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.cutover.stages import Standing
from shared.messaging.delivery import Message
from shared.persistence.database import rows_of

_KEEP = """
    insert into quarantine (cluster, epoch, message_id, type, body)
    select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bytea[])
"""
_WAITING = """
    select id, cluster, epoch, message_id, type, body, received_at, state, decided_at, decided_by, reason
    from quarantine where ($1::text is null or cluster = $1) and ($2::text is null or state = $2) and id > $3
    order by id limit $4
"""
_ONE = """
    select id, cluster, epoch, message_id, type, body, received_at, state, decided_at, decided_by, reason
    from quarantine where id = $1 for update
"""
_DECIDE = """
    update quarantine set state = $2, decided_at = now(), decided_by = $3, reason = $4
    where id = $1 and state = 'waiting'
"""


@dataclass(frozen=True, slots=True)
class Late:
    """One message in quarantine. ``body`` is the whole event as structured JSON."""

    number: int
    cluster: str
    epoch: int
    message_id: str
    type: str
    body: bytes
    received_at: datetime
    state: str
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None


async def keep(connection: AsyncConnection, late: Sequence[tuple[Message, str]], at: Mapping[str, Standing]) -> None:
    """Keep messages, each with its cluster, as they were said in these standings."""
    await connection.exec_driver_sql(
        _KEEP,
        (
            [cluster for _, cluster in late],
            [at[cluster].epoch for _, cluster in late],
            [message.id for message, _ in late],
            [message.type for message, _ in late],
            [message.encode() for message, _ in late],
        ),
    )


async def listed(
    connection: AsyncConnection,
    cluster: str | None = None,
    state: str | None = "waiting",
    *,
    after: int = 0,
    limit: int | None = None,
) -> list[Late]:
    """What is or was in quarantine, oldest first: those with a number above ``after``, at most ``limit``."""
    return [_late(row) for row in rows_of(await connection.exec_driver_sql(_WAITING, (cluster, state, after, limit)))]


async def one(connection: AsyncConnection, number: int) -> Late | None:
    """One message, held until the transaction ends so that two people cannot both decide."""
    rows = rows_of(await connection.exec_driver_sql(_ONE, (number,)))
    return _late(rows[0]) if rows else None


async def decide(connection: AsyncConnection, number: int, state: str, *, by: str, reason: str) -> bool:
    """Note that a message was ``applied`` or ``dismissed``; False if that was decided before."""
    return (await connection.exec_driver_sql(_DECIDE, (number, state, by, reason))).rowcount > 0


def _late(row: Any) -> Late:
    number, cluster, epoch, message_id, type_name, body, *rest = row
    return Late(number, cluster, epoch, message_id, type_name, bytes(body), *rest)
