"""A booking with all that is said about it: for other systems, and in letters to people."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import RecordRef
from services.events.seats.states import State
from shared.persistence.database import rows_of

_BOOKINGS = """
    select b.booking_id::text, coalesce(b.former_id, b.booking_id::text) as registration_id, b.seats, b.state,
           b.price, b.offered_until, b.version, o.cluster as of_cluster, o.record_id, o.name, o.email, o.language,
           o.placed_at,
           g.cluster, coalesce(g.event_id, g.gathering_id::text) as event_id, coalesce(s.title, g.title) as title,
           g.place, s.starts_at, s.terms->>'zone' as zone, s.session_id::text, s.sequence, s.ends_at, g.organiser,
           g.link as "join", g.state = 'cancelled' as called_off,
           g.state = 'given-back' as given_back,
           (select json_agg(json_build_object('id', a.attendee_id, 'name', a.name, 'email', a.email,
                                              'left', a.left_at is not null, 'now', a.left_at = $2) order by a.place)
            from attendees a where a.booking_id = b.booking_id)::text as people
    from unnest($1::uuid[]) as n (booking_id)
    cross join lateral (select * from bookings where booking_id = n.booking_id offset 0) b
    cross join lateral (select * from orders where order_id = b.order_id offset 0) o
    join sessions s on s.session_id = b.session_id join gatherings g using (gathering_id)
    order by b.session_id, b.arrival
"""

# Of all who wait, for a number says little of a line where it has gaps.
_LINES = """
    with wanted as materialized (
        select session_id, min(arrival) as first from bookings where booking_id = any($1::uuid[]) group by session_id
    )
    select w.booking_id::text, w.line
    from wanted
    cross join lateral (
        select count(*) as number from bookings
        where session_id = wanted.session_id and state = 'waiting' and arrival < wanted.first
    ) earlier
    cross join lateral (
        select booking_id, earlier.number + row_number() over (order by arrival) as line from bookings
        where session_id = wanted.session_id and state = 'waiting' and arrival >= wanted.first
    ) w
    where w.booking_id = any($1::uuid[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A booking with what is said about it. ``people`` have id, name, email, left, and now: they leave by this act.

    ``price`` is of a seat.
    """

    booking_id: str
    registration_id: str
    seats: int
    state: State
    price: Decimal
    offered_until: datetime | None
    version: int
    record: RecordRef | None
    name: str | None
    email: str | None
    language: Any
    placed_at: datetime
    cluster: str
    event_id: str
    title: str
    place: str | None
    starts_at: datetime
    zone: str
    session_id: str
    sequence: int
    ends_at: datetime | None
    organiser: str | None
    join: str | None
    called_off: bool
    given_back: bool
    people: list[dict[str, Any]]


async def known_bookings(connection: AsyncConnection, ids: Collection[str], at: datetime | None) -> list[Known]:
    """These bookings, by session and arrival. Who left ``at`` that moment leaves by the act that is announced."""
    result = await connection.exec_driver_sql(_BOOKINGS, (list(ids), at))
    names = tuple(result.keys())
    return [_of_row(dict(zip(names, row, strict=True))) for row in rows_of(result)]


async def lines_of(connection: AsyncConnection, bookings: Iterable[Known]) -> dict[str, int]:
    """By booking: its place among those who wait for that session, from 1."""
    waiting = [each for each in bookings if each.state == "waiting"]
    if not waiting:
        return {}
    values = ([each.booking_id for each in waiting],)
    return dict(map(tuple, rows_of(await connection.exec_driver_sql(_LINES, values))))


def _of_row(row: dict[str, Any]) -> Known:
    cluster, record_id = row.pop("of_cluster"), row.pop("record_id")
    record = RecordRef(cluster=cluster, record_id=record_id) if cluster else None
    people = orjson.loads(row.pop("people") or b"[]")
    return Known(**row, record=record, people=people)
