"""Decides who gets a seat: the one way by which anything happens to the seats of a session.

All acts of a transaction for one session are decided together, under the lock of its row: it is read once, the rule
is applied in the order in which acts came, and all is written by a statement for each table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.common.sections import Record
from services.events.gatherings.repository import reschedule
from services.events.mirror.repository import EventsUnitOfWork
from services.events.seats import registered, repository
from services.events.seats.acts import ALREADY_REGISTERED, GATHERING_OVER, MAKES, Act, do
from services.events.seats.announcing import announce
from services.events.seats.order import Request
from services.events.seats.repository import Answered, Entry, Session
from services.events.seats.room import Booking, NotPossibleError
from services.events.seats.saving import save


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request: the booking it is about, or why it was refused. ``before``: its key was known."""

    booking_id: str | None
    refusal: str | None = None
    detail: str | None = None
    before: bool = False


@dataclass(slots=True)
class _Known:
    """Who has seats already, by session: also those of this transaction."""

    members: Mapping[Record, str]
    records: dict[tuple[str, str], set[Record]]
    people: set[tuple[str, str]]

    def is_twice(self, request: Request) -> bool:
        """Whether the member has a booking there under another record of theirs: then staff are asked."""
        if request.order is None or request.order.record is None:
            return False
        record = request.order.record
        others = self.records.get((request.session_id, self.members[record]), set())
        return any(other != record for other in others)

    def refuse_people(self, request: Request) -> None:
        """Raises NotPossibleError where somebody of this address and name has a seat, or waits for one."""
        keys = [(request.session_id, person.key) for person in request.people]
        if any(key in self.people for key in keys) or len(set(keys)) < len(keys):
            raise NotPossibleError(ALREADY_REGISTERED, "somebody of this name and address is registered already")

    def add(self, request: Request) -> None:
        """Count a booking that was just taken."""
        if request.order is not None and request.order.record is not None:
            member = self.members[request.order.record]
            self.records.setdefault((request.session_id, member), set()).add(request.order.record)
        self.people.update((request.session_id, person.key) for person in request.people)


async def decide(uow: EventsUnitOfWork, requests: Sequence[Request], *, cause: str | None = None) -> list[Outcome]:
    """Decide these requests in their order, once under each key; keep and announce what comes of them.

    Whoever calls has made sure that the gatherings are ours. A session that does not exist refuses what it is asked.
    """
    sessions = await repository.lock(uow.connection, {request.session_id for request in requests})
    # Whoever calls looked before our turn: the gathering may have been called off since.
    now = await repository.begin_turn(uow.connection, sessions.values())
    keys = {(request.session_id, request.key) for request in requests}
    answers = await repository.answered(uow.connection, keys)
    new = [request for request in requests if (request.session_id, request.key) not in answers]
    await repository.load(uow.connection, sessions, [(request.session_id, request.act) for request in new], now)
    before = {id_: booking for session in sessions.values() for id_, booking in session.room.bookings.items()}
    known = await _known(uow, new)
    outcomes = [_outcome(request, sessions, answers, known, now) for request in requests]
    touched = [session for session in sessions.values() if session.entries]
    if touched:
        await save(uow.connection, touched, now)
        await _move(uow, touched)
        await announce(uow, touched, before, now, cause)
    return outcomes


async def _move(uow: EventsUnitOfWork, sessions: Sequence[Session]) -> None:
    """Keep the time that a change gave a session, before people are written to: letters say the new one."""
    for session in sessions:
        for request in [entry.request for entry in session.entries if entry.refusal is None]:
            if request.moved_to is not None:
                starts_at = session.room.terms.starts_at
                await reschedule(uow.connection, session.session_id, starts_at=starts_at, **request.moved_to._asdict())


async def _known(uow: EventsUnitOfWork, requests: Sequence[Request]) -> _Known:
    """Read who these requests are about, where they are already."""
    placed = [request for request in requests if request.order is not None]
    session_ids = {request.session_id for request in placed}
    records = {request.order.record for request in placed if request.order and request.order.record}
    people = {(request.session_id, person.key) for request in placed for person in request.people}
    members = await registered.members_of(uow.connection, records) if records else {}
    by_member = (
        await registered.records_of_members(uow.connection, session_ids, set(members.values())) if records else {}
    )
    return _Known(members, by_member, await registered.people(uow.connection, people) if people else set())


def _outcome(
    request: Request,
    sessions: Mapping[str, Session],
    answers: dict[tuple[str, str], Answered],
    known: _Known,
    now: datetime,
) -> Outcome:
    key = (request.session_id, request.key)
    if (session := sessions.get(request.session_id)) is None:
        return Outcome(None, "session-unknown", "there is no such session")
    if (kept := answers.get(key)) is not None:
        return Outcome(kept.booking_id, kept.refusal, kept.detail, before=True)
    refusal: NotPossibleError | None = None
    act = request.act
    try:
        _refuse_outside(request, session)
        act = _asking(request, known)
        booking = do(session.room, act, now)
    except NotPossibleError as error:
        refusal, booking = error, None
    _log(session, request, act, refusal)
    if refusal is None and act.kind in MAKES:
        session.new.append(request)
        known.add(request)
    booking_id = _about(act, booking, refusal)
    answers[key] = Answered(booking_id, refusal and refusal.kind, refusal and str(refusal))
    return Outcome(booking_id, refusal and refusal.kind, refusal and str(refusal))


def _about(act: Act, booking: Booking | None, refusal: NotPossibleError | None) -> str | None:
    if booking is not None:
        return booking.booking_id
    return None if refusal is not None and act.kind in MAKES else act.booking_id or None


def _refuse_outside(request: Request, session: Session) -> None:
    """Raises NotPossibleError for what the room does not know of: the log keeps it, and the replay passes it over."""
    if request.barred is not None:
        raise request.barred
    if not session.planned and request.act.kind != "call-off":
        raise NotPossibleError(GATHERING_OVER, "the gathering is called off, or its former system has it again")


def _asking(request: Request, known: _Known) -> Act:
    """The act, marked where staff must be asked. Raises NotPossibleError."""
    if request.act.kind != "register":
        return request.act
    known.refuse_people(request)
    return replace(request.act, asked=True) if known.is_twice(request) else request.act


def _log(session: Session, request: Request, act: Act, refusal: NotPossibleError | None) -> None:
    session.logged += 1
    # A booking that was refused has no row that the log could name.
    kept = replace(act, booking_id="") if refusal is not None and act.kind in MAKES else act
    session.entries.append(Entry(request, kept, session.logged, refusal and refusal.kind, refusal and str(refusal)))
