"""What the public pages ask: a session that everybody may see, and a registration by its personal link."""

from schemas.events_public import LinkedRegistration, OneLink, OnePublicSession, PublicSession
from services.events.public import queries
from services.events.public.shown import linked_registration, public_session
from services.events.seats import repository
from services.operations.binding import Call, RefusedError


async def session(call: Call[OnePublicSession]) -> PublicSession:
    """A session of a planned gathering that everybody may see. Raises RefusedError."""
    session_id = call.arguments.session_id
    row = (await queries.sessions(call.uow.connection, [session_id])).get(session_id)
    if row is None or not (row.bookable and row.for_all):
        raise RefusedError("session-unknown", "there is no such session that everybody may see")
    return public_session(row, await repository.now(call.uow.connection))


async def registration(call: Call[OneLink]) -> LinkedRegistration:
    """The registration that a personal link is about. Raises RefusedError."""
    link = await queries.linked(call.uow.connection, bytes.fromhex(call.arguments.digest))
    if link is None:
        raise RefusedError("link-unknown", "no registration has this link")
    now = await repository.now(call.uow.connection)
    return linked_registration(link.session, now, link.booking, link.attendee_id, link.people)
