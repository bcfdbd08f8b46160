"""Knows a registration that was made here again, once the former system says it under an id of its own.

Both are for the same gathering, by the same record or address, for as many seats. Where several are alike, each of the
former system's is one of ours, in the order in which they came.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.events.seats.order import as_id
from services.events.seats.states import ACTIVE_SQL

_LINK: Final = f"""
    with ours as (
        select b.booking_id, coalesce(g.event_id, g.gathering_id::text) as event_id, b.seats, b.session_id,
               coalesce(case when o.cluster = g.cluster then o.record_id end, lower(o.email)) as who, b.arrival
        from gatherings g join sessions s using (gathering_id) join bookings b using (session_id)
        join orders o using (order_id)
        where g.cluster = $1 and g.state = 'planned' and b.former_id is null
          and b.state in {ACTIVE_SQL} and b.session_id = any($2::uuid[])
    ), theirs as (
        select r.registration_id, r.event_id, r.seats, coalesce(r.record_id, lower(r.registrant->>'email')) as who,
               r.registered_at
        from registrations r
        where r.cluster = $1 and r.status <> 'cancelled'
          and not exists (select from gatherings g
                          join sessions s using (gathering_id) join bookings b using (session_id)
                          where g.cluster = r.cluster and g.state <> 'given-back' and b.former_id = r.registration_id)
          and not exists (select from bookings b where b.booking_id = {as_id("r.registration_id")})
    ), numbered as (
        select *, row_number() over (partition by event_id, who, seats order by arrival) as place from ours
    ), alike as (
        select *, row_number() over (partition by event_id, who, seats order by registered_at, registration_id) as place
        from theirs
    )
    update bookings b set former_id = a.registration_id
    from numbered n join alike a using (event_id, who, seats, place)
    where b.booking_id = n.booking_id
"""


async def link(connection: AsyncConnection, cluster: str, session_ids: Collection[str]) -> None:
    """Note the former system's id of each such registration, in sessions that the transaction has locked."""
    await connection.exec_driver_sql(_LINK, (cluster, list(session_ids)))
