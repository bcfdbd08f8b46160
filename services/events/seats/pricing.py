"""What registrations cost, told to billing: once they have a seat, and again when they give one up."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from schemas.charges import RegistrationPriced
from services.events.mirror.repository import EventsUnitOfWork
from services.events.seats.known import Known
from services.events.seats.room import Booking
from services.events.seats.states import State
from shared.messaging.publishing import publish

_NOTHING: Final = Decimal("0.00")


def announce_prices(
    uow: EventsUnitOfWork, bookings: Iterable[Known], before: Mapping[str, Booking], cause: str | None
) -> None:
    """Tell what each of these costs now, where that changed; ``before`` are they as they were."""
    facts = [_priced(each) for each in bookings if _owed(each) != _owed_before(each, before.get(each.booking_id))]
    publish(uow, RegistrationPriced, [(fact, cause) for fact in facts])


def announce_prices_again(uow: EventsUnitOfWork, bookings: Iterable[Known], cause: str | None) -> None:
    """Tell what each of these costs as it is now, where it ever cost anything."""
    publish(uow, RegistrationPriced, [(_priced(each), cause) for each in bookings if each.price])


def _owed(known: Known) -> Decimal:
    return _amount(known.price, known.state, known.seats)


def _owed_before(known: Known, booking: Booking | None) -> Decimal:
    return _NOTHING if booking is None else _amount(known.price, booking.state, booking.seats)


def _amount(price: Decimal, state: State, seats: int) -> Decimal:
    # Who is offered a seat, or waits, pays nothing yet.
    return price * seats if state == "registered" else _NOTHING


def _priced(known: Known) -> RegistrationPriced:
    return RegistrationPriced(
        version=known.version,
        cluster=known.cluster,
        registration_id=known.booking_id,
        title=known.title,
        day=known.starts_at.astimezone(ZoneInfo(known.zone)).date(),
        record=known.record,
        name=known.name,
        email=known.email,
        seats=known.seats,
        amount=_owed(known),
        by_traboule=not known.given_back,
    )
