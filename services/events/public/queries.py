"""Sessions and registrations as the public pages read them, by key."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.cutover.stages import OURS
from services.events.public.shown import SessionRow
from services.events.seats.terms import terms_from
from shared.persistence.database import json_of, rows_of

# Read without a lock: whoever changes something looks at the stage again, under its lock.
_SESSION: Final = """
    s.session_id::text, g.cluster, g.title, s.title, g.place, g.organiser, s.starts_at, s.ends_at, s.terms, s.held,
    g.member_price, g.guest_price,
    g.state = 'planned', exists (select from stages t where t.cluster = g.cluster and t.stage = any($2::text[])),
    g.visible_to = '[]'::jsonb
"""
_SESSIONS: Final = f"""
    select {_SESSION} from sessions s join gatherings g using (gathering_id) where s.session_id = any($1::uuid[])
"""
_LINKED: Final = f"""
    select {_SESSION}, b.booking_id::text, b.state, b.seats, b.offered_until, l.attendee_id::text,
           l.feed_digest is not null,
           (select coalesce(json_agg(json_build_object(
                   'attendee_id', a.attendee_id, 'name', a.name, 'left', a.left_at is not null) order by a.place), '[]')
            from attendees a where a.booking_id = b.booking_id)
    from links l join bookings b using (booking_id) join sessions s using (session_id)
    join gatherings g using (gathering_id)
    where l.digest = $1
"""
_NAMES: Final = tuple(SessionRow.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Linked:
    """What a personal link leads to. ``attendee_id``: whose it is; None: of whoever ordered. ``fed``: it has a feed."""

    session: SessionRow
    booking: dict[str, Any]
    attendee_id: str | None
    fed: bool
    people: list[dict[str, Any]]


async def sessions(connection: AsyncConnection, session_ids: Collection[str]) -> dict[str, SessionRow]:
    """These sessions, by id; those that do not exist are left out."""
    rows = rows_of(await connection.exec_driver_sql(_SESSIONS, (sorted(session_ids), list(OURS))))
    return {row[0]: _session(row) for row in rows}


async def linked(connection: AsyncConnection, digest: bytes) -> Linked | None:
    """What the link of this token leads to."""
    rows = rows_of(await connection.exec_driver_sql(_LINKED, (digest, list(OURS))))
    for row in rows:
        booking_id, state, seats, offered_until, attendee_id, fed, people = row[len(_NAMES) :]
        booking = {"booking_id": booking_id, "state": state, "seats": seats, "offered_until": offered_until}
        return Linked(_session(row[: len(_NAMES)]), booking, attendee_id, fed, json_of(people))
    return None


def _session(row: tuple[Any, ...]) -> SessionRow:
    values: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    values["terms"] = terms_from(values["terms"])
    return SessionRow(**values)
