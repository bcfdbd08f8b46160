"""A registration that the former system says just as it is here confirms that it was entered there.

It is applied in whatever stage: so a rollback sees that the former system knows it. Where it has an id of the former
system's own, it is known by who registered (:mod:`services.events.usecases.linking`).
"""

from collections.abc import Sequence

from schemas.envelope import Envelope
from schemas.events import RegistrationRecorded
from services.events.cutover.write_back import PLACES
from services.events.mirror.repository import EventsUnitOfWork
from services.events.seats.order import as_id
from services.events.seats.states import ACTIVE_SQL, STATUS_SQL
from shared.persistence.batches import transposed
from shared.persistence.database import rows_of

_SAME = f"""
    select n.place
    from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[])
        as n (place, cluster, event_id, registration_id, status, seats, record_id, email)
    where exists (
        select from bookings b
        join orders o using (order_id)
        join sessions s on s.session_id = b.session_id
        join gatherings g using (gathering_id)
        where g.cluster = n.cluster and g.state <> 'given-back'
          and (g.event_id = n.event_id or g.event_id is null and g.gathering_id = {as_id("n.event_id")})
          and {PLACES.format(status="n.status")} = {STATUS_SQL} and n.seats = b.seats
          and (n.registration_id in (b.former_id, b.booking_id::text)
               or b.former_id is null and b.state in {ACTIVE_SQL}
                  and (o.cluster = n.cluster and o.record_id = n.record_id or lower(o.email) = lower(n.email))))
"""


async def confirms(uow: EventsUnitOfWork, messages: Sequence[Envelope[RegistrationRecorded]]) -> list[bool]:
    """Of each message, whether it says a registration as it is here."""
    rows = [
        (
            *(place, message.cluster, message.data.event_id, message.data.registration_id, message.data.status),
            *(message.data.seats, message.data.record_id, message.data.registrant and message.data.registrant.email),
        )
        for place, message in enumerate(messages)
    ]
    columns = transposed(rows)
    same = {row[0] for row in rows_of(await uow.connection.exec_driver_sql(_SAME, columns))}
    return [place in same for place in range(len(messages))]
