"""Carries out what people asked by the public page of a session: a list of forms at once, as one decision.

A form that comes too late, or for a gathering that is over, is refused in the session's log, and counted. It parks
nothing: nobody of the operators could mend it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import structlog

from schemas.envelope import Envelope
from schemas.event_requests import RegistrationRequested
from services.events.mirror.repository import EventsUnitOfWork
from services.events.public import queries
from services.events.public.metrics import ASKED
from services.events.public.shown import SessionRow
from services.events.seats.acts import Act
from services.events.seats.order import Order, Person, Request, new_id
from services.events.seats.room import NotPossibleError
from services.events.usecases.ours import theirs
from services.events.usecases.seating import Outcome, decide

log = structlog.get_logger()

AUTHOR = "public page"
UNKNOWN = "session-unknown"


async def register(uow: EventsUnitOfWork, messages: Sequence[Envelope[RegistrationRequested]]) -> None:
    """Seat people, let them wait, or refuse them in the log; once for each form."""
    asked = [message.data for message in messages]
    sessions = await sessions_of(uow, {each.session_id for each in asked})
    known = [each for each in asked if each.session_id in sessions]
    requests = [request for each in known for request in _requests(each, sessions[each.session_id])]
    outcomes = await decide(uow, requests, cause=messages[0].id if len(messages) == 1 else None)
    count([*zip(requests, outcomes, strict=True)], unknown=len(asked) - len(known))


async def sessions_of(uow: EventsUnitOfWork, session_ids: set[str]) -> Mapping[str, SessionRow]:
    """These sessions, and whether they are ours until we commit. What else is read of them here never changes."""
    sessions = await queries.sessions(uow.connection, session_ids)
    former = await theirs(uow.connection, {row.cluster for row in sessions.values()})
    return {each: replace(row, ours=row.cluster not in former) for each, row in sessions.items()}


def bar(session: SessionRow, *, for_all: bool) -> NotPossibleError | None:
    """Why nothing can be done at this session by a public page, whatever the state of its gathering."""
    if not session.ours:
        return NotPossibleError("not-the-authority", f"{session.cluster}/events has its gatherings")
    if for_all and not session.for_all:
        return NotPossibleError("not-public", "the gathering is not open to everybody")
    return None


def count(decided: Iterable[tuple[Request, Outcome]], *, unknown: int = 0) -> None:
    """Count what came of requests, and write what was refused into the process's log too, without anybody's data."""
    outcomes = [(request.session_id, outcome.refusal or "done") for request, outcome in decided if not outcome.before]
    for outcome, times in Counter(outcome for _, outcome in outcomes).items():
        ASKED.labels(outcome).inc(times)
    for (session_id, outcome), times in Counter(outcomes).items():
        if outcome != "done":
            log.info("events.public_refused", session_id=session_id, refusal=outcome, requests=times)
    if unknown:
        ASKED.labels("unknown").inc(unknown)
        log.warning("events.public_unknown", requests=unknown)


def _requests(asked: RegistrationRequested, session: SessionRow) -> list[Request]:
    order = Order(
        order_id=new_id(),
        session_id=asked.session_id,
        author=AUTHOR,
        placed_at=asked.received_at,
        name=asked.people[0].name,
        email=asked.email,
        language=asked.language,
    )
    # Two people of one name are told apart by their addresses, so each has one: their own, or that of the form.
    people = [Person(attendee_id=new_id(), name=each.name, email=each.email or asked.email) for each in asked.people]
    groups = [[person] for person in people] if asked.fewer else [people]
    return [
        Request(
            session_id=asked.session_id,
            key=f"form/{asked.form}/{number}",
            act=Act(kind="register", booking_id=new_id(), seats=len(group), at=asked.received_at),
            author=AUTHOR,
            order=order,
            people=group,
            price=session.guest_price,
            barred=bar(session, for_all=True),
        )
        for number, group in enumerate(groups, start=1)
    ]
