"""Announces what became of bookings: for other systems, for the consolidated view, and as letters to people."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.events import Registrant, RegistrationChanged
from schemas.letters import RegistrationCancelled, RegistrationConfirmed
from services.events.checkin.tickets import add_tickets
from services.events.mirror.repository import EventsUnitOfWork
from services.events.public.links import Holder, link_letters
from services.events.seats.acts import Kind
from services.events.seats.known import Known, known_bookings, lines_of
from services.events.seats.letters import expected, letters_of, to_each, without_join
from services.events.seats.order import Person
from services.events.seats.pricing import announce_prices, announce_prices_again
from services.events.seats.repository import Session
from services.events.seats.room import Booking
from services.events.seats.states import STATUS
from shared.messaging.publishing import publish

_PRICED = """
    select b.booking_id::text from sessions s join bookings b using (session_id)
    where s.gathering_id = any($1::uuid[]) and b.price > 0
"""
_SEATED = "select booking_id::text from bookings where session_id = $1::uuid and state = 'registered'"


async def announce(
    uow: EventsUnitOfWork,
    sessions: Collection[Session],
    before: Mapping[str, Booking],
    at: datetime,
    cause: str | None = None,
) -> None:
    """Tell of every booking that these sessions changed, when the transaction commits."""
    ids = [booking_id for session in sessions for booking_id in session.room.changed]
    if not ids:
        return
    bookings = await known_bookings(uow.connection, ids, at)
    publish(uow, RegistrationChanged, [(_registration(each), cause) for each in bookings])
    announce_prices(uow, bookings, before, cause)
    # Whom a former system seated, or let wait, was told by it.
    taken_over = _about(sessions, "take-over")
    news = [each for each in bookings if not _is_as_before(each, taken_over)]
    letters = letters_of(news, before, await lines_of(uow.connection, news), _about(sessions, "same-people"))
    for fact_type, facts in await _completed(uow, bookings, letters, at):
        if facts:
            publish(uow, fact_type, [(fact, cause) for fact in facts])


async def announce_again(uow: EventsUnitOfWork, booking_ids: Collection[str], cause: str) -> None:
    """Tell other systems of these bookings as they are now; people are written to once."""
    bookings = await known_bookings(uow.connection, booking_ids, None)
    publish(uow, RegistrationChanged, [(_registration(each), cause) for each in bookings])
    announce_prices_again(uow, bookings, cause)


async def seated_in(connection: AsyncConnection, session_id: str) -> list[str]:
    """The bookings that have seats there."""
    return list((await connection.exec_driver_sql(_SEATED, (session_id,))).scalars())


async def announce_given_back(uow: EventsUnitOfWork, gathering_ids: Collection[str], at: datetime) -> None:
    """Tell billing that former systems have these gatherings again: their seats are billed there."""
    if not gathering_ids:
        return
    ids = list((await uow.connection.exec_driver_sql(_PRICED, (list(gathering_ids),))).scalars())
    version = int(at.timestamp() * 1_000_000)
    known = await known_bookings(uow.connection, ids, None)
    announce_prices_again(uow, [replace(each, version=version) for each in known], None)


async def announce_rescheduled(uow: EventsUnitOfWork, seated: Collection[str], version: int) -> None:
    """Write to everybody of these bookings that the session has another time; billing names its day in invoices."""
    bookings = [replace(each, version=version) for each in await known_bookings(uow.connection, seated, None)]
    announce_prices_again(uow, bookings, None)
    letters = [
        RegistrationConfirmed(**to, rescheduled=True) for each in bookings for to in to_each(each, expected(each))
    ]
    at = datetime.fromtimestamp(version / 1_000_000, UTC)
    [(_, facts)] = await _completed(uow, bookings, [(RegistrationConfirmed, letters)], at)
    publish(uow, RegistrationConfirmed, [(fact, None) for fact in facts])


async def announce_replaced(
    uow: EventsUnitOfWork, booking_id: str, person: Person, former: Person | None, at: datetime
) -> None:
    """Write to who comes now, and to the ``former``; None where it is one person, who was written wrong."""
    [known] = await known_bookings(uow.connection, [booking_id], None)
    if known.state != "registered":
        return
    confirmed = [RegistrationConfirmed(**to) for to in to_each(known, [_as_row(person)])]
    leaving = [_as_row(former)] if former and former.email else []
    cancelled = [RegistrationCancelled(**without_join(to)) for to in to_each(known, leaving)]
    for fact_type, facts in await _completed(uow, [known], [(RegistrationConfirmed, confirmed)], at):
        publish(uow, fact_type, [(fact, None) for fact in facts])
    publish(uow, RegistrationCancelled, [(fact, None) for fact in cancelled])


def _as_row(person: Person) -> dict[str, Any]:
    return {"id": person.attendee_id, "name": person.name, "email": person.email}


async def _completed(
    uow: EventsUnitOfWork, bookings: Iterable[Known], letters: list[tuple[Any, list[Any]]], at: datetime
) -> list[tuple[Any, list[Any]]]:
    """The letters with tickets, and with personal links where the gateway's address is known."""
    holders = {
        person["id"]: Holder(each.booking_id, person["id"], each.email) for each in bookings for person in each.people
    }
    holders |= {each.booking_id: Holder(each.booking_id, None, each.email) for each in bookings}
    letters = await add_tickets(uow.connection, uow.public_url, holders, letters, at)
    if not uow.public_url:
        return letters
    return await link_letters(uow.connection, uow.public_url, holders, letters, at)


def _registration(known: Known) -> RegistrationChanged:
    own = known.record is not None and known.record.cluster == known.cluster
    return RegistrationChanged(
        version=known.version,
        cluster=known.cluster,
        registration_id=known.registration_id,
        event_id=known.event_id,
        record_id=known.record.record_id if known.record and own else None,
        registered_at=known.placed_at,
        status=STATUS[known.state],
        seats=known.seats,
        registrant=None if own else _registrant(known),
    )


def _registrant(known: Known) -> Registrant:
    if known.record is not None:
        return Registrant(kind="record", cluster=known.record.cluster, record_id=known.record.record_id)
    return Registrant(kind="guest", name=known.name, email=known.email)


def _is_as_before(known: Known, taken_over: Collection[str]) -> bool:
    return known.booking_id in taken_over and known.state in ("registered", "waiting")


def _about(sessions: Iterable[Session], kind: Kind) -> set[str]:
    """The bookings to which this was done now."""
    entries = [entry for session in sessions for entry in session.entries if entry.refusal is None]
    return {entry.act.booking_id for entry in entries if entry.act.kind == kind}
