"""SQL of deciding: lock sessions, and read what the acts concern. What was decided is kept by :mod:`saving`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.events.seats.acts import MAKES, Act
from services.events.seats.order import Person, Request
from services.events.seats.room import Booking, Room
from services.events.seats.terms import terms_from
from shared.persistence.database import rows_of

# Offset 0 below: each row is looked up by its key, also where the statement is prepared while the table is empty.
# In the order of their ids, so that two transactions lock rows in the same order.
_LOCK = """
    select session_id::text, gathering_id::text, terms, held, arrivals, logged
    from sessions where session_id = any($1::uuid[]) order by session_id for update
"""
_NOW = "select clock_timestamp()"
_TURN = """
    select clock_timestamp(),
           array(select gathering_id::text from gatherings where gathering_id = any($1::uuid[]) and state <> 'planned')
"""
_KNOWN = """
    select l.session_id::text, l.key, l.booking_id::text, l.refusal, l.detail
    from unnest($1::uuid[], $2::text[]) as n (session_id, key)
    cross join lateral (select * from booking_log where session_id = n.session_id and key = n.key offset 0) l
"""
_BOOKING = "b.session_id::text, b.booking_id::text, b.seats, b.arrival, b.state, b.offered_until, b.lapses"
_NAMED = f"select {_BOOKING} from bookings b where b.booking_id = any($1::uuid[])"
_OVER = f"""
    select {_BOOKING} from bookings b
    where b.session_id = any($1::uuid[]) and b.state = 'offered' and b.offered_until <= $2
"""
_OFFERED = f"select {_BOOKING} from bookings b where b.session_id = any($1::uuid[]) and b.state = 'offered'"
_ALL = f"select {_BOOKING} from bookings b where b.session_id = any($1::uuid[])"
# Of each size no more can be seated than go into what may become free: the first of them are enough for any act.
_WAITING = f"""
    select {_BOOKING}
    from unnest($1::uuid[], $2::bigint[]) as n (session_id, room)
    cross join generate_series(1, {{largest}}) as s (seats)
    cross join lateral (
        select * from bookings w
        where w.session_id = n.session_id and w.seats = s.seats and w.state = 'waiting' and s.seats <= n.room
        order by w.arrival limit n.room / s.seats offset 0
    ) b
    union all
    select {_BOOKING}
    from unnest($1::uuid[], $2::bigint[]) as n (session_id, room)
    join bookings b on b.session_id = n.session_id and b.state = 'waiting'
                   and b.seats > {{largest}} and b.seats <= n.room
"""
_BOOKING_OF = "select booking_id::text from attendees where attendee_id = $1::uuid and left_at is null"
_REPLACE = """
    update attendees set name = $2, email = $3, person_key = $4 where attendee_id = $1::uuid
"""
_UNLINK = "delete from links where attendee_id = $1::uuid"
_END_FEEDS = "update links set feed_digest = null where attendee_id = $1::uuid"
LARGEST: Final = 20
"""Seats of one order here at most. Bookings of former systems may have more: few have, so all that fit are read."""


@dataclass(slots=True)
class Session:
    """A locked session: its room as far as the acts concern it, and how many acts were logged.

    ``planned``: its gathering is neither called off nor given back.
    """

    session_id: str
    gathering_id: str
    room: Room
    logged: int
    planned: bool = True
    new: list[Request] = field(default_factory=list[Request])
    entries: list["Entry"] = field(default_factory=list["Entry"])


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log: the request as it was carried out, or why it was refused."""

    request: Request
    act: Act
    number: int
    refusal: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a key before."""

    booking_id: str | None
    refusal: str | None
    detail: str | None


async def lock(connection: AsyncConnection, session_ids: Collection[str]) -> dict[str, Session]:
    """These sessions, locked until we commit; those that do not exist are left out."""
    rows = rows_of(await connection.exec_driver_sql(_LOCK, (sorted(session_ids),)))
    return {
        session_id: Session(session_id, gathering, Room(terms_from(terms), held, arrivals), logged)
        for session_id, gathering, terms, held, arrivals, logged in rows
    }


async def begin_turn(connection: AsyncConnection, sessions: Collection[Session]) -> datetime:
    """The database's clock, once these sessions are locked: later than all that others decided.

    Notes which of them are of gatherings that are called off, or given back, by now.
    """
    gatherings = sorted({session.gathering_id for session in sessions})
    [(at, over)] = rows_of(await connection.exec_driver_sql(_TURN, (gatherings,)))
    for session in sessions:
        session.planned = session.gathering_id not in over
    return at


async def now(connection: AsyncConnection) -> datetime:
    """The database's clock."""
    return (await connection.exec_driver_sql(_NOW)).scalar_one()


async def answered(connection: AsyncConnection, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Answered]:
    """What came of these keys of sessions, where they were asked before."""
    columns = [[key[0] for key in keys], [key[1] for key in keys]]
    rows = rows_of(await connection.exec_driver_sql(_KNOWN, tuple(columns)))
    return {(session_id, key): Answered(*rest) for session_id, key, *rest in rows}


async def load(
    connection: AsyncConnection, sessions: Mapping[str, Session], acts: Sequence[tuple[str, Act]], at: datetime
) -> None:
    """Read the bookings that these acts, by session, can concern: named, over, or next in the line."""
    whole = [session_id for session_id, act in acts if act.kind == "call-off"]
    named = [act.booking_id for _, act in acts if act.booking_id and act.kind not in MAKES]
    if whole:
        _take(sessions, rows_of(await connection.exec_driver_sql(_ALL, (whole,))))
    # A change may let offers end earlier.
    if changed := [session_id for session_id, act in acts if act.kind == "change"]:
        _take(sessions, rows_of(await connection.exec_driver_sql(_OFFERED, (changed,))))
    if named:
        _take(sessions, rows_of(await connection.exec_driver_sql(_NAMED, (named,))))
    _take(sessions, rows_of(await connection.exec_driver_sql(_OVER, (list(sessions), at))))
    rooms = {session_id: room for session_id, each in sessions.items() if (room := _may_become_free(each, acts)) > 0}
    if rooms:
        waiting = _WAITING.format(largest=LARGEST)
        _take(sessions, rows_of(await connection.exec_driver_sql(waiting, (list(rooms), list(rooms.values())))))


def _may_become_free(session: Session, acts: Sequence[tuple[str, Act]]) -> int:
    """Seats that these acts can give, at most; nobody waits where there is no limit."""
    room = session.room
    own = [act for session_id, act in acts if session_id == session.session_id]
    limits = [room.terms.limit, *(act.terms.limit for act in own if act.terms is not None)]
    if max(limits) == float("inf"):
        return room.held + 1_000_000 if room.terms.capacity is not None else 0
    return int(max(limits)) - room.held + sum(booking.seats for booking in room.bookings.values())


def _take(sessions: Mapping[str, Session], rows: Iterable[tuple[Any, ...]]) -> None:
    for session_id, booking_id, seats, arrival, state, offered_until, lapses in rows:
        if session_id in sessions:
            sessions[session_id].room.bookings[booking_id] = Booking(
                booking_id=booking_id,
                seats=seats,
                arrival=arrival,
                state=state,
                offered_until=offered_until,
                lapses=lapses,
            )


async def booking_of(connection: AsyncConnection, attendee_id: str) -> str | None:
    """The booking under which somebody comes."""
    return (await connection.exec_driver_sql(_BOOKING_OF, (attendee_id,))).scalar_one_or_none()


async def unlink(connection: AsyncConnection, attendee_id: str) -> None:
    """End the personal links of somebody who comes no more."""
    await connection.exec_driver_sql(_UNLINK, (attendee_id,))


async def end_feeds(connection: AsyncConnection, attendee_id: str) -> None:
    """End the feeds that came with somebody's links: a feed shows all of one address, and theirs is another now."""
    await connection.exec_driver_sql(_END_FEEDS, (attendee_id,))


async def rename_person(connection: AsyncConnection, person: Person) -> None:
    """Keep who comes in this place now."""
    await connection.exec_driver_sql(_REPLACE, (person.attendee_id, person.name, person.email, person.key))
