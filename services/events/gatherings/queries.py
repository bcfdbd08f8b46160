"""Gatherings and registrations as they are read: a page at a time, by key."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.database import json_of, rows_of

_GATHERING = """
    g.gathering_id::text, g.cluster, g.event_id, g.title, g.place, g.link, g.organiser, g.visible_to,
    g.member_price, g.guest_price, g.state
"""
_FIRST = "(select min(s.starts_at) from sessions s where s.gathering_id = g.gathering_id)"
_OVER = "(select max(coalesce(s.ends_at, s.starts_at)) from sessions s where s.gathering_id = g.gathering_id)"
_GATHERINGS = f"""
    select {_GATHERING} from gatherings g
    where ($1::text is null or g.cluster = $1) and g.state <> 'given-back' and ($2::bool or {_OVER} >= now())
      and ($3::uuid is null or ({_FIRST}, g.gathering_id) > (
           select {_FIRST}, g.gathering_id from gatherings g where g.gathering_id = $3::uuid))
    order by {_FIRST}, g.gathering_id limit $4
"""
_BY_ID = f"select {_GATHERING} from gatherings g where g.gathering_id = $1::uuid"
_BY_KEY = f"select {_GATHERING} from gatherings g where g.cluster = $1 and g.key = $2"
_OF_SESSION = f"""
    select {_GATHERING} from gatherings g join sessions s using (gathering_id) where s.session_id = $1::uuid
"""
_SESSIONS = """
    select s.gathering_id::text, s.session_id::text, s.title, s.terms, s.local_start, s.starts_at, s.ends_at, s.held,
           n.registered, n.offered, n.waiting, n.asked, a.attended
    from sessions s
    cross join lateral (
        select coalesce(sum(seats) filter (where state = 'registered'), 0) as registered,
               coalesce(sum(seats) filter (where state = 'offered'), 0) as offered,
               coalesce(sum(seats) filter (where state = 'waiting'), 0) as waiting,
               coalesce(sum(seats) filter (where state = 'asked'), 0) as asked
        from bookings b where b.session_id = s.session_id offset 0) n
    cross join lateral (
        select count(*) as attended from attendees p
        where p.session_id = s.session_id and p.attended_at is not null offset 0) a
    where s.gathering_id = any($1::uuid[]) order by s.gathering_id, s.place, s.starts_at
"""
_REGISTRATION = """
    b.booking_id::text, b.session_id::text, b.state, b.seats, b.arrival, b.offered_until, b.price,
    o.cluster || '/' || o.record_id, o.name, o.email, o.placed_at,
    (select amount from booking_bills where booking_id = b.booking_id),
    coalesce((select "references" from booking_bills where booking_id = b.booking_id), '{}'),
    case when b.state = 'waiting' then (
        select count(*) from bookings w
        where w.session_id = b.session_id and w.state = 'waiting' and w.arrival <= b.arrival) end,
    (select coalesce(json_agg(json_build_object(
            'attendee_id', a.attendee_id, 'name', a.name, 'email', a.email, 'left', a.left_at is not null,
            'attended_at', a.attended_at) order by a.place), '[]') from attendees a where a.booking_id = b.booking_id)
"""
_REGISTRATIONS = f"""
    select {_REGISTRATION} from bookings b join orders o using (order_id)
    where b.session_id = $1::uuid and ($2::text is null or b.state = $2) and b.arrival > $3
    order by b.arrival limit $4
"""
_SOME = f"""
    select {_REGISTRATION} from bookings b join orders o using (order_id)
    where b.booking_id = any($1::uuid[]) order by b.arrival
"""
VERSIONS: Final = "select gathering_id::text, version from gatherings where gathering_id = any($1::uuid[])"
"""SQL for the number of the newest change of each of these gatherings."""
_BY_IDS = f"select {_GATHERING} from gatherings g where g.gathering_id = any($1::uuid[]) order by g.gathering_id"
_NAMES: Final = (
    "registration_id", "session_id", "state", "seats", "arrival", "offered_until", "price", "record", "name", "email",
    "placed_at", "billed", "billed_by", "place_in_line", "attendees",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which gatherings; ``after`` is the id of the one after which the page begins."""

    cluster: str | None = None
    past: bool = False
    after: str | None = None
    limit: int = 100


async def gatherings(connection: AsyncConnection, which: Which) -> list[dict[str, Any]]:
    """A page of gatherings with their sessions, those that begin first before the others."""
    return await _with_sessions(connection, _GATHERINGS, astuple(which))


async def gathering(connection: AsyncConnection, gathering_id: str) -> dict[str, Any] | None:
    """One gathering."""
    return _only(await _with_sessions(connection, _BY_ID, (gathering_id,)))


async def gatherings_of(connection: AsyncConnection, gathering_ids: Sequence[str]) -> list[dict[str, Any]]:
    """These gatherings."""
    return await _with_sessions(connection, _BY_IDS, (list(gathering_ids),))


async def of_key(connection: AsyncConnection, cluster: str, key: str) -> dict[str, Any] | None:
    """The gathering that was planned under this key."""
    return _only(await _with_sessions(connection, _BY_KEY, (cluster, key)))


async def of_session(connection: AsyncConnection, session_id: str) -> dict[str, Any] | None:
    """The gathering that a session is of."""
    return _only(await _with_sessions(connection, _OF_SESSION, (session_id,)))


async def registrations(
    connection: AsyncConnection, session_id: str, state: str | None, after: int, limit: int
) -> list[dict[str, Any]]:
    """A page of registrations of a session, by arrival."""
    rows = rows_of(await connection.exec_driver_sql(_REGISTRATIONS, (session_id, state, after, limit)))
    return [_registration(row) for row in rows]


async def registrations_of(connection: AsyncConnection, booking_ids: Sequence[str]) -> list[dict[str, Any]]:
    """These registrations, by arrival."""
    return [_registration(row) for row in rows_of(await connection.exec_driver_sql(_SOME, (list(booking_ids),)))]


def _registration(row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(_NAMES, row, strict=True)) | {"attendees": json_of(row[-1])}


def _only(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    return rows[0] if rows else None


async def _with_sessions(connection: AsyncConnection, sql: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
    found = [dict(row) for row in (await connection.exec_driver_sql(sql, values)).mappings()]
    by_id = {row["gathering_id"]: row | {"visible_to": json_of(row["visible_to"]), "sessions": []} for row in found}
    rows = rows_of(await connection.exec_driver_sql(_SESSIONS, (list(by_id),)))
    for gathering_id, session_id, title, terms, local_start, starts_at, ends_at, *counts in rows:
        by_id[gathering_id]["sessions"].append(
            _session(session_id, title, json_of(terms), local_start, starts_at, ends_at, counts)
        )
    return list(by_id.values())


def _session(
    session_id: str,
    title: str | None,
    terms: dict[str, Any],
    local_start: str,
    starts_at: datetime,
    ends_at: datetime | None,
    counts: Sequence[int],
) -> dict[str, Any]:
    kept = ("zone", "capacity", "overbooked", "opens_at", "closes_at", "cancel_until", "waiting_list")
    return {
        "session_id": session_id,
        "title": title,
        "local_start": local_start,
        "starts_at": starts_at,
        "ends_at": ends_at,
        **{name: terms.get(name) for name in kept},
        **dict(zip(("held", "registered", "offered", "waiting", "asked", "attended"), counts, strict=True)),
    }
