"""Keep what was decided of sessions that are locked."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.events.seats.repository import Session
from services.events.seats.terms import terms_text
from shared.persistence.batches import transposed
from shared.persistence.new_rows import NewRows

_ORDERS = NewRows(
    "orders",
    order_id="uuid",
    session_id="uuid",
    cluster="text",
    record_id="text",
    name="text",
    email="text",
    language="text",
    author="text",
    placed_at="timestamptz",
)
_NEW = NewRows(
    "bookings",
    booking_id="uuid",
    order_id="uuid",
    session_id="uuid",
    seats="bigint",
    arrival="bigint",
    state="text",
    offered_until="timestamptz",
    lapses="bigint",
    price="numeric",
    former_id="text",
    version="bigint",
)
_CHANGED = """
    update bookings b set seats = n.seats, arrival = n.arrival, state = n.state, offered_until = n.offered_until,
                          lapses = n.lapses, version = greatest(b.version + 1, n.version)
    from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::bigint[], $7::bigint[])
         as n (booking_id, seats, arrival, state, offered_until, lapses, version)
    where b.booking_id = n.booking_id
"""
_ATTENDEES = NewRows(
    "attendees",
    attendee_id="uuid",
    session_id="uuid",
    booking_id="uuid",
    place="bigint",
    name="text",
    email="text",
    person_key="text",
)
_LEFT = "update attendees set left_at = $2 where attendee_id = any($1::uuid[]) and left_at is null"
_LOG = NewRows(
    "booking_log",
    session_id="uuid",
    number="bigint",
    key="text",
    act="text",
    booking_id="uuid",
    seats="bigint",
    asked_at="timestamptz",
    asked="bool",
    overruled="bool",
    terms="jsonb",
    decided_at="timestamptz",
    refusal="text",
    detail="text",
    author="text",
    reason="text",
)
_SESSIONS = """
    update sessions s set held = n.held, arrivals = n.arrivals, logged = n.logged, terms = n.terms
    from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::jsonb[])
         as n (session_id, held, arrivals, logged, terms)
    where s.session_id = n.session_id
"""


async def save(connection: AsyncConnection, sessions: Collection[Session], at: datetime) -> None:
    """Keep what was decided: orders, bookings, people, the log and the sessions, one statement each."""
    await _save_new(connection, sessions, at)
    await _save_changed(connection, sessions, at)
    await _save_log(connection, sessions, at)
    rows = [
        (each.session_id, each.room.held, each.room.arrivals, each.logged, terms_text(each.room.terms))
        for each in sessions
    ]
    await connection.exec_driver_sql(_SESSIONS, transposed(rows))


async def _save_new(connection: AsyncConnection, sessions: Collection[Session], at: datetime) -> None:
    new = [(session, request) for session in sessions for request in session.new]
    if not new:
        return
    orders = {request.order.order_id: request.order for _, request in new if request.order}
    rows: list[tuple[Any, ...]] = [
        (o.order_id, o.session_id, *(o.record or (None, None)), o.name, o.email, o.language, o.author, o.placed_at)
        for o in orders.values()
    ]
    await _ORDERS.insert(connection, rows)
    rows = [
        (
            *(b.booking_id, request.order.order_id if request.order else None, session.session_id, b.seats, b.arrival),
            *(b.state, b.offered_until, b.lapses, request.price, request.former_id, _version(at)),
        )
        for session, request in new
        for b in [session.room.bookings[request.act.booking_id]]
    ]
    await _NEW.insert(connection, rows)
    rows = [
        (p.attendee_id, session.session_id, request.act.booking_id, place, p.name, p.email, p.key)
        for session, request in new
        for place, p in enumerate(request.people)
    ]
    await _ATTENDEES.insert(connection, rows)


async def _save_changed(connection: AsyncConnection, sessions: Collection[Session], at: datetime) -> None:
    rows = [
        (b.booking_id, b.seats, b.arrival, b.state, b.offered_until, b.lapses, _version(at))
        for session in sessions
        for new in [{request.act.booking_id for request in session.new}]
        for b in session.room.changed.values()
        if b.booking_id not in new
    ]
    if rows:
        await connection.exec_driver_sql(_CHANGED, transposed(rows))
    done = [entry.request for session in sessions for entry in session.entries if entry.refusal is None]
    leaving = [person for request in done for person in request.leaving]
    if leaving:
        await connection.exec_driver_sql(_LEFT, (leaving, at))


async def _save_log(connection: AsyncConnection, sessions: Collection[Session], at: datetime) -> None:
    rows = [
        (
            *(session.session_id, entry.number, entry.request.key, act.kind, act.booking_id or None, act.seats, act.at),
            *(act.asked, act.overruled, None if act.terms is None else terms_text(act.terms)),
            *(at, entry.refusal, entry.detail, entry.request.author, entry.request.reason),
        )
        for session in sessions
        for entry in session.entries
        for act in [entry.act]
    ]
    await _LOG.insert(connection, rows)


def _version(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
