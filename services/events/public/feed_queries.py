"""What feeds show, as rows: the sessions that everybody may see, and those of one address."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.cutover.stages import OURS
from shared.persistence.database import rows_of

KEPT_DAYS: Final = 180
"""A session stays in feeds for so long after its beginning, also where it was called off."""
MOST: Final = 1_000
"""Sessions of a feed; the latest, where there are more."""

_SESSION: Final = """
    s.session_id::text, g.title, s.title, g.place, g.link, s.starts_at, s.ends_at, s.terms->>'zone', s.sequence,
    g.version, g.state = 'cancelled', g.visible_to = '[]'::jsonb
"""
_SHOWN: Final = f"""
    g.state in ('planned', 'cancelled') and s.starts_at > clock_timestamp() - interval '{KEPT_DAYS} days'
    and exists (select from stages t where t.cluster = g.cluster and t.stage = any($1::text[]))
"""
_PUBLIC: Final = f"""
    select {_SESSION} from sessions s join gatherings g using (gathering_id)
    where g.visible_to = '[]'::jsonb and ($2::text is null or g.cluster = $2) and {_SHOWN}
    order by s.starts_at desc, s.session_id limit {MOST}
"""
# What was given up is shown to whom it was a seat: they had a ticket, or the former system seated them.
_SEATED: Final = """
    (b.state = 'registered' or b.state = 'cancelled' and (b.former_id is not null or exists (
        select from attendees t join tickets using (attendee_id) where t.booking_id = b.booking_id)))
"""
_HOLDER: Final = """
    select b.booking_id::text, l.attendee_id::text, lower(coalesce(a.email, o.email))
    from links l join bookings b using (booking_id) join orders o using (order_id)
    left join attendees a on a.attendee_id = l.attendee_id
    where l.feed_digest = $1
"""
# Whoever is written to at that address: people with it, people without one in an order of it, and who ordered for
# others alone. A record whose address membership alone knows has no other registrations here.
_PERSONAL: Final = f"""
    with seats (booking_id, gone) as (
        select a.booking_id, a.left_at is not null from attendees a where lower(a.email) = $2::text
        union
        select b.booking_id, coalesce(a.left_at is not null, false)
        from orders o join bookings b using (order_id) left join attendees a using (booking_id)
        where lower(o.email) = $2
          and (a.email is null
               or not exists (select from attendees x where x.booking_id = b.booking_id
                                 and (x.email is null or lower(x.email) = $2)))
        union
        select b.booking_id, coalesce(a.left_at is not null, false)
        from bookings b left join attendees a on a.attendee_id = $4::uuid
        where $2 is null and b.booking_id = $3::uuid
    )
    select {_SESSION}, b.state, n.gone, b.version
    from seats n join bookings b using (booking_id) join sessions s using (session_id)
    join gatherings g using (gathering_id)
    where {_SEATED} and {_SHOWN}
    order by s.starts_at desc, s.session_id, b.booking_id limit {MOST}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FedSession:
    """A session of a feed. ``version`` is when it last changed, in µs since 1970."""

    session_id: str
    gathering: str
    title: str | None
    place: str | None
    join: str | None
    starts_at: datetime
    ends_at: datetime | None
    zone: str
    sequence: int
    version: int
    called_off: bool
    for_all: bool


@dataclass(frozen=True, slots=True)
class FedSeat:
    """A seat of somebody at a session, or one that they gave up. ``version`` is when the booking last changed."""

    session: FedSession
    taken: bool
    version: int


_NAMES: Final = tuple(FedSession.__dataclass_fields__)


async def public_sessions(connection: AsyncConnection, cluster: str | None) -> list[FedSession]:
    """The sessions that everybody may see; of one cluster where it is named."""
    rows = rows_of(await connection.exec_driver_sql(_PUBLIC, (list(OURS), cluster)))
    return [_session(row) for row in rows]


async def seats_of_feed(connection: AsyncConnection, digest: bytes) -> list[FedSeat] | None:
    """All seats of the person whom this feed was sent to; None where nobody was sent it."""
    for holder in rows_of(await connection.exec_driver_sql(_HOLDER, (digest,))):
        booking_id, attendee_id, address = holder
        values = (list(OURS), address, booking_id, attendee_id)
        rows = rows_of(await connection.exec_driver_sql(_PERSONAL, values))
        return [_seat(row) for row in rows]
    return None


def _seat(row: tuple[Any, ...]) -> FedSeat:
    state, gone, version = row[len(_NAMES) :]
    return FedSeat(_session(row), state == "registered" and not gone, version)


def _session(row: tuple[Any, ...]) -> FedSession:
    return FedSession(**dict(zip(_NAMES, row, strict=False)))
