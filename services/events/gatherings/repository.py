"""All write SQL of gatherings and their sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.events.seats.room import Terms
from services.events.seats.terms import terms_text
from shared.persistence.batches import transposed

_PLAN = """
    insert into gatherings (gathering_id, cluster, event_id, title, place, link, organiser, visible_to,
                            member_price, guest_price, key, author, reason, version)
    values ($1::uuid, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12, $13, $14)
    on conflict (cluster, key) do nothing
"""
_SESSIONS = """
    insert into sessions (session_id, gathering_id, place, title, local_start, starts_at, ends_at, terms)
    select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[],
                         $7::timestamptz[], $8::jsonb[])
"""
# The terms with which the log begins: from there all its acts lead to what the tables have.
_OPENED = """
    insert into booking_log (session_id, number, key, act, terms, decided_at, author, reason)
    select n.session_id, 0, 'opened', 'change', n.terms, clock_timestamp(), $3, $4
    from unnest($1::uuid[], $2::jsonb[]) as n (session_id, terms)
"""
_RESCHEDULE = """
    update sessions set local_start = $2, starts_at = $3, ends_at = $4, sequence = sequence + 1
    where session_id = $1::uuid
"""
_CALL_OFF = """
    with called_off as (
        update gatherings set state = 'cancelled', version = greatest(version + 1, $2)
        where gathering_id = $1::uuid and state = 'planned' returning gathering_id
    )
    update sessions s set sequence = s.sequence + 1 from called_off c where s.gathering_id = c.gathering_id
"""
# Its former system is the authority again, and goes on with it.
# Also where the cluster was moved back and over again while nobody looked: its former system had it in between.
_GIVE_BACK = """
    update gatherings g set state = 'given-back'
    where g.state = 'planned'
      and (not exists (select from stages t where t.cluster = g.cluster and t.stage in ('live', 'retired'))
           or exists (select from stage_history h where h.cluster = g.cluster and h.stage = 'mirror' and h.at > g.at))
    returning g.gathering_id::text
"""
_TOUCH = "update gatherings set version = greatest(version + 1, $2) where gathering_id = $1::uuid"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session. ``local_start`` is what clocks there show, kept beside the moment: rules of time zones change."""

    session_id: str
    title: str | None
    local_start: str
    ends_at: datetime | None
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGathering:
    """A gathering. ``event_id`` is the former system's, where it is taken over from there."""

    gathering_id: str
    cluster: str
    key: str
    title: str
    author: str
    reason: str
    version: int
    event_id: str | None = None
    place: str | None = None
    link: str | None = None
    organiser: str | None = None
    visible_to: Sequence[str] = ()
    member_price: Decimal = Decimal("0.00")
    guest_price: Decimal = Decimal("0.00")
    sessions: Sequence[NewSession] = ()


async def plan(connection: AsyncConnection, new: NewGathering) -> bool:
    """Keep a gathering with its sessions; False where its key is known, and nothing is kept."""
    result = await connection.exec_driver_sql(
        _PLAN,
        (
            *(new.gathering_id, new.cluster, new.event_id, new.title, new.place, new.link, new.organiser),
            *(orjson.dumps(list(new.visible_to)).decode(), new.member_price, new.guest_price, new.key),
            *(new.author, new.reason, new.version),
        ),
    )
    if result.rowcount == 0:
        return False
    rows = [
        (
            s.session_id,
            new.gathering_id,
            place,
            s.title,
            s.local_start,
            s.terms.starts_at,
            s.ends_at,
            terms_text(s.terms),
        )
        for place, s in enumerate(new.sessions)
    ]
    columns = transposed(rows)
    await connection.exec_driver_sql(_SESSIONS, columns)
    await connection.exec_driver_sql(_OPENED, (columns[0], columns[-1], new.author, new.reason))
    return True


async def reschedule(
    connection: AsyncConnection, session_id: str, local_start: str, starts_at: datetime, ends_at: datetime | None
) -> None:
    """Keep another time of a session; whoever has it in a calendar gets a newer entry."""
    await connection.exec_driver_sql(_RESCHEDULE, (session_id, local_start, starts_at, ends_at))


async def call_off(connection: AsyncConnection, gathering_id: str, version: int) -> None:
    """Keep that a gathering does not take place."""
    await connection.exec_driver_sql(_CALL_OFF, (gathering_id, version))


async def touch(connection: AsyncConnection, gathering_id: str, version: int) -> None:
    """Number a change of a gathering, so that what is announced of it is newer."""
    await connection.exec_driver_sql(_TOUCH, (gathering_id, version))


async def give_back(connection: AsyncConnection) -> list[str]:
    """End the gatherings of clusters that were rolled back, and return their ids. Their rows stay."""
    return list((await connection.exec_driver_sql(_GIVE_BACK)).scalars())
