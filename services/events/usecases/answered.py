"""Carries out what people answered by their personal links: take or leave a seat, come no more, change who comes.

Deadlines hold: nobody overrules them here. Each answer is done once, under the id of its fact.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from schemas.envelope import Envelope
from schemas.event_requests import RegistrationAnswered
from services.events.mirror.repository import EventsUnitOfWork
from services.events.public import links
from services.events.public.links import Target
from services.events.public.shown import SessionRow
from services.events.seats import registered, repository
from services.events.seats.acts import ALREADY_REGISTERED, GATHERING_OVER, Act
from services.events.seats.order import Person, Request
from services.events.seats.room import NotPossibleError
from services.events.usecases.replacing import replace_person
from services.events.usecases.requested import bar, count, sessions_of
from services.events.usecases.seating import Outcome, decide

AUTHOR = "personal link"
Message = Envelope[RegistrationAnswered]
Linked = tuple[Message, bytes]
"""An answer, and the digest of its link."""


class Asked(NamedTuple):
    """What a message asks of the seats. ``former`` is who comes no more where ``person`` comes instead."""

    message: Message
    request: Request
    former: Person | None = None
    person: Person | None = None


async def answer(uow: EventsUnitOfWork, messages: Sequence[Message]) -> None:
    """Do what these links allow; what they do not, or what nobody was sent, is counted and does nothing."""
    digests = [bytes.fromhex(message.data.link_digest) for message in messages]
    targets = await links.targets(uow.connection, digests)
    sessions = await sessions_of(uow, {target.session_id for target in targets.values()})
    # All at once, and in the order of their ids: others lock them so.
    await repository.lock(uow.connection, set(sessions))
    linked = [each for each in zip(messages, digests, strict=True) if each[1] in targets]
    cause = messages[0].id if len(messages) == 1 else None
    decided = [each for some in _rounds(linked, targets) for each in await _decided(uow, some, sessions, cause)]
    count(decided, unknown=len(messages) - len(decided))


def _rounds(linked: Iterable[Linked], targets: Mapping[bytes, Target]) -> Iterator[list[Linked]]:
    """In their order, a booking once in each: its next answer is about what became of it, which may be nothing."""
    some: dict[str, Linked] = {}
    for each in linked:
        booking_id = targets[each[1]].booking_id
        if booking_id in some:
            yield [*some.values()]
            some = {}
        some[booking_id] = each
    if some:
        yield [*some.values()]


async def _decided(
    uow: EventsUnitOfWork, linked: Sequence[Linked], sessions: Mapping[str, SessionRow], cause: str | None
) -> list[tuple[Request, Outcome]]:
    # Read under the lock: another answer may have ended a link, and two links may be about one person.
    targets = await links.targets(uow.connection, [digest for _, digest in linked])
    coming = await links.coming(uow.connection, [target.booking_id for target in targets.values()])
    asked = [
        each
        for message, digest in linked
        if (target := targets.get(digest)) is not None
        and (each := _asked(message, target, sessions[target.session_id], coming[target.booking_id])) is not None
    ]
    known = await registered.people(
        uow.connection, {(each.request.session_id, each.person.key) for each in asked if each.person}
    )
    requests = [_unless_registered(each, known) for each in asked]
    outcomes = await decide(uow, requests, cause=cause)
    for each, outcome in zip(asked, outcomes, strict=True):
        if each.former and each.person and outcome.refusal is None and not outcome.before:
            same = each.message.data.same_person
            await replace_person(uow, each.request.act.booking_id, each.former, each.person, same_person=same)
    return [*zip(requests, outcomes, strict=True)]


def _asked(message: Message, target: Target, session: SessionRow, people: Mapping[str, Person]) -> Asked | None:
    """What is asked of the seats; None where the link is not about that person, or they left already."""
    fact = message.data
    if fact.act in ("cancel", "replace"):
        who = fact.attendee_id or target.attendee_id
        if target.attendee_id not in (None, who) or (who is not None and who not in people):
            return None
        if fact.act == "replace":
            return _replacing(message, target, session, people, who)
        if who is not None:
            return Asked(message, _request(message, target, session, leaving=(who,)))
    elif target.attendee_id is not None:
        return None
    return Asked(message, _request(message, target, session))


def _replacing(
    message: Message, target: Target, session: SessionRow, people: Mapping[str, Person], who: str | None
) -> Asked | None:
    fact = message.data
    if who is None or fact.person is None:
        return None
    former = people[who]
    person = Person(attendee_id=who, name=fact.person.name, email=fact.person.email)
    if person.email is None and (fact.same_person or person.folded_name == former.folded_name):
        person = replace(person, email=former.email)
    return Asked(message, _request(message, target, session), former, person)


def _request(message: Message, target: Target, session: SessionRow, *, leaving: tuple[str, ...] = ()) -> Request:
    fact = message.data
    barred = bar(session, for_all=False)
    if fact.act == "replace" and fact.received_at > session.starts_at:
        barred = barred or NotPossibleError(GATHERING_OVER, "it has begun")
    return Request(
        session_id=target.session_id,
        key=f"link/{message.id}",
        act=Act(
            kind="reduce" if leaving else fact.act,
            booking_id=target.booking_id,
            seats=len(leaving),
            at=fact.received_at,
        ),
        author=AUTHOR,
        leaving=leaving,
        barred=barred,
    )


def _unless_registered(asked: Asked, known: set[tuple[str, str]]) -> Request:
    """The request; refused where whoever is to come is registered already. Within a batch the first one is."""
    # Nobody is in their own way: the case of a letter may be what was wrong.
    if asked.person is None or (asked.former and asked.former.key == asked.person.key):
        return asked.request
    place = asked.request.session_id, asked.person.key
    if place in known:
        error = NotPossibleError(ALREADY_REGISTERED, "somebody of this name and address is registered already")
        return replace(asked.request, barred=asked.request.barred or error)
    known.add(place)
    return asked.request
