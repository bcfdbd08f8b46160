"""Somebody comes instead of somebody else, or is written otherwise: staff ask for it, or a personal link does."""

from services.events.checkin import repository as checkin
from services.events.checkin.tickets import end_tickets
from services.events.mirror.repository import EventsUnitOfWork
from services.events.seats import repository
from services.events.seats.announcing import announce_replaced
from services.events.seats.order import Person


async def replace_person(
    uow: EventsUnitOfWork, booking_id: str, former: Person, person: Person, *, same_person: bool
) -> None:
    """Keep who comes in a place now, and write to both. The session's row is locked, and the act is in its log.

    With ``same_person`` a name was written wrong: ticket and link stay. Another name is somebody else all the same
    where nobody says so. Whoever has another address gets another feed, at that address.
    """
    is_other = not same_person and former.folded_name != person.folded_name
    if is_other:
        await checkin.undo(uow.connection, person.attendee_id)
        await end_tickets(uow.connection, person.attendee_id, former.name)
        await repository.unlink(uow.connection, person.attendee_id)
    elif (former.email or "").casefold() != (person.email or "").casefold():
        await repository.end_feeds(uow.connection, person.attendee_id)
    await repository.rename_person(uow.connection, person)
    now = await repository.now(uow.connection)
    await announce_replaced(uow, booking_id, person, former if is_other else None, now)
