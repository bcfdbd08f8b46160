"""Gatherings and bookings of our own, announced again after a restore."""

from collections.abc import Sequence
from typing import Final

from services.common.republish import CAUSE, PAGE, by_id
from services.events.gatherings import queries
from services.events.gatherings.announcing import announce_gathering
from services.events.mirror.repository import EventsUnitOfWork
from services.events.seats.announcing import announce_again
from shared.persistence.database import rows_of

_OURS: Final = "select {id}::text from {table} where {id} > $1::uuid{which} order by {id} limit {limit}"
_GATHERINGS: Final = _OURS.format(id="gathering_id", table="gatherings", which=" and state <> 'given-back'", limit=PAGE)
_GOES_ON: Final = """
      and exists (select from sessions s join gatherings g using (gathering_id)
                  where s.session_id = bookings.session_id and g.state <> 'given-back')
"""
_BOOKINGS: Final = _OURS.format(id="booking_id", table="bookings", which=_GOES_ON, limit=PAGE)


async def _gatherings(uow: EventsUnitOfWork, ids: Sequence[str]) -> None:
    versions = dict(rows_of(await uow.connection.exec_driver_sql(queries.VERSIONS, (list(ids),))))
    for gathering in await queries.gatherings_of(uow.connection, ids):
        announce_gathering(uow, gathering, versions[gathering["gathering_id"]], CAUSE)


async def _bookings(uow: EventsUnitOfWork, ids: Sequence[str]) -> None:
    await announce_again(uow, ids, CAUSE)


GATHERINGS_AGAIN: Final = by_id("gatherings of our own", "select count(*) from gatherings", _GATHERINGS, _gatherings)
BOOKINGS_AGAIN: Final = by_id("bookings of our own", "select count(*) from bookings", _BOOKINGS, _bookings)
