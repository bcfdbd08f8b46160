"""Gatherings and bookings of our own, announced again after a restore."""

from typing import Final

from services.common.republish import CAUSE, PAGE, Page, Place, Republisher, page_of
from services.events.gatherings import queries
from services.events.gatherings.announcing import announce_gathering
from services.events.mirror.repository import EventsUnitOfWork
from services.events.seats.announcing import announce_again
from shared.persistence.database import rows_of

_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_OURS: Final = "select {id}::text from {table} where {id} > $1::uuid{which} order by {id} limit {limit}"
_GATHERINGS: Final = _OURS.format(id="gathering_id", table="gatherings", which=" and state <> 'given-back'", limit=PAGE)
_GOES_ON: Final = """
      and exists (select from sessions s join gatherings g using (gathering_id)
                  where s.session_id = bookings.session_id and g.state <> 'given-back')
"""
_BOOKINGS: Final = _OURS.format(id="booking_id", table="bookings", which=_GOES_ON, limit=PAGE)


async def _gatherings(uow: EventsUnitOfWork, after: Place | None) -> Page:
    ids = await _ids(uow, _GATHERINGS, after)
    versions = dict(rows_of(await uow.connection.exec_driver_sql(queries.VERSIONS, (ids,))))
    for gathering in await queries.gatherings_of(uow.connection, ids):
        announce_gathering(uow, gathering, versions[gathering["gathering_id"]], CAUSE)
    return page_of(len(ids), (ids[-1],) if ids else None)


async def _bookings(uow: EventsUnitOfWork, after: Place | None) -> Page:
    ids = await _ids(uow, _BOOKINGS, after)
    await announce_again(uow, ids, CAUSE)
    return page_of(len(ids), (ids[-1],) if ids else None)


async def _ids(uow: EventsUnitOfWork, sql: str, after: Place | None) -> list[str]:
    [last] = after or (_FIRST,)
    return list((await uow.connection.exec_driver_sql(sql, (last,))).scalars())


GATHERINGS_AGAIN: Final = Republisher("gatherings of our own", "select count(*) from gatherings", _gatherings)
BOOKINGS_AGAIN: Final = Republisher("bookings of our own", "select count(*) from bookings", _bookings)
