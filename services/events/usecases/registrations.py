"""Registrations as staff make, cancel and decide them. Each is a request that :mod:`seating` decides."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.events_registrations import (
    AnsweredOffer,
    CancelledRegistration,
    DecidedRegistration,
    OfSession,
    OneRegistration,
    Ordered,
    Placed,
    PreferredRegistration,
    Registrations,
    RegistrationShown,
    ReplacedAttendee,
)
from services.common.sections import Record
from services.events.gatherings import queries
from services.events.public.queries import sessions as sessions_by_id
from services.events.public.shown import SessionRow
from services.events.seats import registered, repository
from services.events.seats.acts import Act, Kind
from services.events.seats.order import Order, Person, Request, new_id
from services.events.usecases.ours import gathering_of_session, require_ours
from services.events.usecases.replacing import replace_person
from services.events.usecases.seating import Outcome, decide
from services.operations.binding import Call, RefusedError

_ANSWERS: Final[Mapping[bool, Kind]] = {True: "accept", False: "decline"}
_DECISIONS: Final[Mapping[bool, Kind]] = {True: "same-people", False: "other-people"}


async def registrations(call: Call[OfSession]) -> Registrations:
    """A page of registrations, in the order of arrival."""
    asked = call.arguments
    rows = await queries.registrations(call.uow.connection, asked.session_id, asked.state, asked.after, asked.limit)
    following = rows[-1]["arrival"] if len(rows) == asked.limit else None
    return Registrations(items=[RegistrationShown(**row) for row in rows], next=following)


async def registration(call: Call[OneRegistration]) -> RegistrationShown:
    """One registration."""
    return await _shown(call, call.arguments.registration_id)


async def register(call: Call[Ordered]) -> Placed:
    """Seat people, or let them wait; under a key that is known nothing is done. Raises RefusedError."""
    [placed] = await register_all([call])
    return placed


async def register_all(calls: Sequence[Call[Ordered]]) -> list[Placed]:
    """The same for orders that came at once, by one decision. Raises RefusedError if one of them is refused."""
    uow = calls[0].uow
    sessions = await _open_sessions(uow.connection, {call.arguments.session_id for call in calls})
    at = await repository.now(uow.connection)
    orders = [_requests(call, sessions[call.arguments.session_id], at) for call in calls]
    outcomes = iter(await decide(uow, [request for order in orders for request in order]))
    booked = [[_taken(next(outcomes)) for _ in order] for order in orders]
    shown = {each.registration_id: each for each in await _all_shown(calls[0], list(chain.from_iterable(booked)))}
    return [
        Placed(items=sorted((shown[each] for each in booking_ids), key=lambda item: item.arrival))
        for booking_ids in booked
    ]


async def _open_sessions(connection: AsyncConnection, session_ids: set[str]) -> Mapping[str, SessionRow]:
    """These sessions, whose gatherings are ours and planned. Raises RefusedError."""
    rows = await sessions_by_id(connection, session_ids)
    if session_ids - rows.keys():
        raise RefusedError("session-unknown", "there is no such session: see `traboule events list`")
    for cluster in sorted({row.cluster for row in rows.values()}):
        await require_ours(connection, cluster)
    if any(not row.planned for row in rows.values()):
        raise RefusedError("gathering-over", "the gathering is called off or was given back: plan another one, like it")
    return rows


def _requests(call: Call[Ordered], session: SessionRow, at: datetime) -> list[Request]:
    """One request for all people of an order, or one for each where fewer is fine."""
    asked = call.arguments
    order = Order(
        order_id=new_id(),
        session_id=asked.session_id,
        author=call.author,
        placed_at=at,
        record=_record(asked.record),
        name=asked.people[0].name,
        email=asked.email or next((person.email for person in asked.people if person.email), None),
        language=asked.language,
    )
    people = [Person(attendee_id=new_id(), name=each.name, email=each.email) for each in asked.people]
    groups = [[person] for person in people] if asked.fewer else [people]
    return [
        Request(
            session_id=asked.session_id,
            key=f"register/{asked.key}" if len(groups) == 1 else f"register {number}/{asked.key}",
            act=Act(kind="register", booking_id=new_id(), seats=len(group), at=at, overruled=asked.overrule),
            author=call.author,
            reason=call.reason,
            order=order,
            people=group,
            price=session.member_price if asked.record else session.guest_price,
        )
        for number, group in enumerate(groups, start=1)
    ]


async def cancel(call: Call[CancelledRegistration]) -> RegistrationShown:
    """End a registration, or free the seats of some of its people. Raises RefusedError."""
    asked = call.arguments
    at = await repository.now(call.uow.connection)
    kept = await _in_turn(call, asked.registration_id)
    coming = [person.attendee_id for person in kept.attendees if not person.left]
    if unknown := set(asked.attendees) - {person.attendee_id for person in kept.attendees}:
        raise RefusedError("attendee-unknown", f"{len(unknown)} of these people are not of this registration")
    leaving = [attendee_id for attendee_id in coming if attendee_id in asked.attendees]
    if asked.attendees and not leaving:
        return kept
    if not leaving or len(leaving) == kept.seats:
        return await _act(call, kept, "cancel", at=at, overruled=asked.overrule)
    return await _act(call, kept, "reduce", at=at, seats=len(leaving), leaving=leaving, overruled=asked.overrule)


async def answer(call: Call[AnsweredOffer]) -> RegistrationShown:
    """Take an offered seat, or leave it to the next. Raises RefusedError."""
    kept = await _shown(call, call.arguments.registration_id)
    return await _act(call, kept, _ANSWERS[call.arguments.accept])


async def prefer(call: Call[PreferredRegistration]) -> RegistrationShown:
    """Give a seat out of turn, or above the capacity. Raises RefusedError."""
    kept = await _shown(call, call.arguments.registration_id)
    return await _act(call, kept, "prefer", overruled=call.arguments.overrule)


async def decide_twice(call: Call[DecidedRegistration]) -> RegistrationShown:
    """Say whether a second registration of a member is for the same people. Raises RefusedError."""
    kept = await _shown(call, call.arguments.registration_id)
    return await _act(call, kept, _DECISIONS[call.arguments.same_people])


async def replace_attendee(call: Call[ReplacedAttendee]) -> RegistrationShown:
    """Let somebody else come instead, or correct a name or an address. Raises RefusedError."""
    asked, connection = call.arguments, call.uow.connection
    person = Person(attendee_id=asked.attendee_id, name=asked.name, email=asked.email)
    if (booking_id := await repository.booking_of(connection, asked.attendee_id)) is None:
        raise RefusedError("attendee-unknown", "there is no such person, or they do not come any more")
    kept = await _in_turn(call, booking_id)
    if asked.attendee_id not in {each.attendee_id for each in kept.attendees if not each.left}:
        raise RefusedError("attendee-unknown", "they do not come any more")
    [former] = [each for each in kept.attendees if each.attendee_id == asked.attendee_id]
    before = Person(**former.model_dump(include=_PERSON))
    place = kept.session_id, person.key
    # Nobody is in their own way: the case of a letter may be what was wrong.
    if person.key != before.key and place in await registered.people(connection, [place]):
        raise RefusedError("already-registered", "somebody of this name and address is registered already")
    await _act(call, kept, "replace")
    await replace_person(call.uow, booking_id, before, person, same_person=asked.same_person)
    return await _shown(call, booking_id)


_PERSON = {"attendee_id", "name", "email"}


async def _act(
    call: Call[Any],
    kept: RegistrationShown,
    kind: Kind,
    *,
    at: datetime | None = None,
    seats: int = 0,
    leaving: Sequence[str] = (),
    overruled: bool = False,
) -> RegistrationShown:
    """Decide about a registration. It was looked at without its lock: the rule looks again. Raises RefusedError.

    ``at`` is when it was asked for, if not now.
    """
    await gathering_of_session(call.uow.connection, kept.session_id)
    at = at or await repository.now(call.uow.connection)
    # The request itself is carried out once. What was refused may be possible the next time: so no key repeats.
    request = Request(
        session_id=kept.session_id,
        key=new_id(),
        act=Act(kind=kind, booking_id=kept.registration_id, seats=seats, at=at, overruled=overruled),
        author=call.author,
        reason=call.reason,
        leaving=leaving,
    )
    [outcome] = await decide(call.uow, [request])
    _taken(outcome)
    return await _shown(call, kept.registration_id)


async def _in_turn(call: Call[Any], booking_id: str) -> RegistrationShown:
    """The registration as it is under its session's lock: who comes changes with it. Raises RefusedError."""
    kept = await _shown(call, booking_id)
    await gathering_of_session(call.uow.connection, kept.session_id)
    await repository.lock(call.uow.connection, [kept.session_id])
    return await _shown(call, booking_id)


def _taken(outcome: Outcome) -> str:
    """The booking that came of it. Raises RefusedError."""
    if outcome.refusal is not None:
        raise RefusedError(outcome.refusal, outcome.detail or "")
    assert outcome.booking_id is not None
    return outcome.booking_id


def _record(text: str | None) -> Record | None:
    if text is None:
        return None
    cluster, _, record_id = text.partition("/")
    return Record(cluster, record_id)


async def _shown(call: Call[Any], booking_id: str) -> RegistrationShown:
    rows = await _all_shown(call, [booking_id])
    if not rows:
        raise RefusedError("registration-unknown", "there is no such registration: see `traboule events registrations`")
    return rows[0]


async def _all_shown(call: Call[Any], booking_ids: Sequence[str]) -> list[RegistrationShown]:
    return [RegistrationShown(**row) for row in await queries.registrations_of(call.uow.connection, booking_ids)]
