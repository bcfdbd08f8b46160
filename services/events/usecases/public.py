"""What the public pages ask: sessions that everybody may see, and registrations by what was mailed of them."""

from asyncio import to_thread
from typing import Final

from schemas.events_public import Feed, LinkedRegistration, OfFeed, OneLink, OnePublicSession, PublicSession
from services.events.public import feed_queries, queries
from services.events.public.feeds import personal_feed, public_feed
from services.events.public.shown import linked_registration, public_session
from services.events.seats import repository
from services.operations.binding import Call, RefusedError

_PUBLIC_NAME: Final = "Rencontres"
_PERSONAL_NAME: Final = "Mes rencontres"


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
    shown = linked_registration(link.session, now, link.booking, link.attendee_id, link.people)
    return shown.model_copy(update={"has_feed": link.fed})


async def feed(call: Call[OfFeed]) -> Feed:
    """A calendar of the sessions that everybody may see; of one cluster where it is named."""
    cluster = call.arguments.cluster
    sessions = await feed_queries.public_sessions(call.uow.connection, cluster)
    name = f"{_PUBLIC_NAME} {call.uow.cluster_names.get(cluster, cluster)}" if cluster else _PUBLIC_NAME
    return Feed(calendar=await to_thread(public_feed, name, call.uow.public_url, tuple(sessions)))


async def own_feed(call: Call[OneLink]) -> Feed:
    """The calendar of the person whom this feed was sent to. Raises RefusedError."""
    seats = await feed_queries.seats_of_feed(call.uow.connection, bytes.fromhex(call.arguments.digest))
    if seats is None:
        raise RefusedError("link-unknown", "nobody was sent this feed")
    return Feed(calendar=await to_thread(personal_feed, _PERSONAL_NAME, call.uow.public_url, seats))
