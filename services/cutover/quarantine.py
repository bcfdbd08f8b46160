"""What a former system said after it ceased to be the authority: kept whole, applied only if a person says so.

What says just what is held raises no question: it is kept too, and settled when it comes, as applied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Envelope
from services.cutover.stages import StageState
from shared.persistence.database import rows_of

SETTLED_BY: Final = "traboule"
SETTLED_REASON: Final = "says what is held"

_KEEP = """
    insert into quarantine (cluster, epoch, message_id, type, body, state, decided_at, decided_by, reason)
    select cluster, epoch, message_id, type, body, case when settled then 'applied' else 'waiting' end,
           case when settled then now() end, case when settled then $7::text end, case when settled then $8::text end
    from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::boolean[])
        as n (cluster, epoch, message_id, type, body, settled)
"""
_WAITING = """
    select id, cluster, epoch, message_id, type, body, received_at, state, decided_at, decided_by, reason
    from quarantine where ($1::text is null or cluster = $1) and ($2::text is null or state = $2) and id > $3
    order by id limit $4
"""
_BY_NUMBER = """
    select id, cluster, epoch, message_id, type, body, received_at, state, decided_at, decided_by, reason
    from quarantine where id = $1
"""
_TO_DECIDE = f"{_BY_NUMBER} for update"
_DECIDE = """
    update quarantine set state = $2, decided_at = now(), decided_by = $3, reason = $4
    where id = $1 and state = 'waiting'
"""


@dataclass(frozen=True, slots=True)
class Late:
    """One message in quarantine. ``body`` is the whole event as structured JSON.

    ``state`` is ``waiting``, ``applied`` or ``dismissed``. What said just what was held was applied by ``traboule``.
    """

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


async def keep(
    connection: AsyncConnection, late: Sequence[tuple[Envelope[Any], bool]], at: Mapping[str, StageState]
) -> None:
    """Keep messages as they were said in these standings, each with whether it says what is held."""
    await connection.exec_driver_sql(
        _KEEP,
        (
            [message.cluster for message, _ in late],
            [at[message.cluster].epoch for message, _ in late],
            [message.id for message, _ in late],
            [message.type for message, _ in late],
            [message.encode() for message, _ in late],
            [settled for _, settled in late],
            SETTLED_BY,
            SETTLED_REASON,
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


async def lock(connection: AsyncConnection, number: int) -> Late | None:
    """One message, held until the transaction ends so that two people cannot both decide."""
    return await _read(connection, _TO_DECIDE, number)


async def read(connection: AsyncConnection, number: int) -> Late | None:
    """One message, only to be looked at."""
    return await _read(connection, _BY_NUMBER, number)


async def _read(connection: AsyncConnection, sql: str, number: int) -> Late | None:
    rows = rows_of(await connection.exec_driver_sql(sql, (number,)))
    return _late(rows[0]) if rows else None


async def decide(connection: AsyncConnection, number: int, state: str, *, by: str, reason: str) -> bool:
    """Note that a message was ``applied`` or ``dismissed``; False if that was decided before."""
    return (await connection.exec_driver_sql(_DECIDE, (number, state, by, reason))).rowcount > 0


def _late(row: Any) -> Late:
    number, cluster, epoch, message_id, type_name, body, *rest = row
    return Late(number, cluster, epoch, message_id, type_name, bytes(body), *rest)
