"""Carries out what people answered by their personal links: take or leave an offered seat, or come no more.

Deadlines hold: nobody overrules them here. Each answer is done once, under the id of its fact.
"""

from collections.abc import Mapping, Sequence

from schemas.envelope import Envelope
from schemas.event_requests import RegistrationAnswered
from services.events.mirror.repository import EventsUnitOfWork
from services.events.public import links
from services.events.public.links import Target
from services.events.public.shown import SessionRow
from services.events.seats import repository
from services.events.seats.acts import Act
from services.events.seats.order import Request
from services.events.usecases.requested import bar, count, sessions_of
from services.events.usecases.seating import decide

AUTHOR = "personal link"


async def answer(uow: EventsUnitOfWork, messages: Sequence[Envelope[RegistrationAnswered]]) -> None:
    """Do what these links allow; what they do not, or what nobody was sent, is counted and does nothing."""
    digests = [bytes.fromhex(message.data.link_digest) for message in messages]
    targets = await links.targets(uow.connection, digests)
    sessions = await sessions_of(uow, {target.session_id for target in targets.values()})
    # Who comes still is read under the lock: two links may be about one person.
    await repository.lock(uow.connection, set(sessions))
    coming = await links.coming(uow.connection, [target.booking_id for target in targets.values()])
    requests = [
        request
        for message, digest in zip(messages, digests, strict=True)
        if (target := targets.get(digest)) is not None
        and (request := _request(message, target, sessions[target.session_id], coming)) is not None
    ]
    outcomes = await decide(uow, requests, cause=messages[0].id if len(messages) == 1 else None)
    count([*zip(requests, outcomes, strict=True)], unknown=len(messages) - len(requests))


def _request(
    message: Envelope[RegistrationAnswered], target: Target, session: SessionRow, coming: Mapping[str, set[str]]
) -> Request | None:
    """What is asked of the seats; None where the link is not about that person, or they left already.

    Whoever leaves is taken out of ``coming``: a second answer of this batch finds them gone.
    """
    fact = message.data
    seats, leaving = 0, tuple[str, ...]()
    kind = fact.act
    if fact.act == "cancel":
        who = fact.attendee_id or target.attendee_id
        if target.attendee_id not in (None, who):
            return None
        if who is not None:
            if who not in coming[target.booking_id]:
                return None
            coming[target.booking_id].discard(who)
            seats, leaving = 1, (who,)
    elif target.attendee_id is not None:
        return None
    return Request(
        session_id=target.session_id,
        key=f"link/{message.id}",
        act=Act(kind="reduce" if leaving else kind, booking_id=target.booking_id, seats=seats, at=fact.received_at),
        author=AUTHOR,
        leaving=leaving,
        barred=bar(session, for_all=False),
    )
