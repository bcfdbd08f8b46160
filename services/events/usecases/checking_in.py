"""The list at the door: who comes in, once each, whichever device let them in, and whether they registered or not."""

from dataclasses import asdict

from schemas.events_checkin import (
    Attendance,
    CheckedIn,
    CheckedInAll,
    Entered,
    Expected,
    ExpectedPerson,
    Heads,
    HeadsOf,
    OneSession,
    Undone,
)
from services.events.attendance.headcounts import NOTE, Attendee, Headcount, headcounts_of
from services.events.checkin import repository
from services.events.checkin.repository import ListedMember
from services.events.public import queries
from services.events.public.shown import public_session
from services.events.seats.repository import now as now_of
from services.events.usecases.entering import arrival, enter
from services.operations.binding import Call, RefusedError


async def check_in(call: Call[Entered]) -> CheckedInAll:
    """Let these people in. Raises RefusedError where there is no such session."""
    asked, connection = call.arguments, call.uow.connection
    if not await repository.take_turns(connection, [asked.session_id]):
        raise RefusedError("session-unknown", "there is no such session: see `traboule events list`")
    arrivals = [arrival(asked.session_id, entry, call.author) for entry in asked.entries]
    return CheckedInAll(items=await enter(connection, arrivals))


async def undo(call: Call[Undone]) -> CheckedIn:
    """Take back that somebody came in. Raises RefusedError."""
    connection, attendee_id = call.uow.connection, call.arguments.attendee_id
    person = (await repository.by_id(connection, [attendee_id])).get(attendee_id)
    if person is None:
        raise RefusedError("attendee-unknown", "there is no such person: see `traboule events expected`")
    # In turn: an entry that another phone sends now is seen, or comes after.
    await repository.take_turns(connection, [person.session_id])
    name = await repository.undo(connection, attendee_id)
    return CheckedIn(outcome="not-expected", attendee_id=attendee_id, name=name)


async def expected(call: Call[OneSession]) -> Expected:
    """Who is expected, and who came, by name."""
    session_id = call.arguments.session_id
    rows = await repository.expected(call.uow.connection, session_id)
    return Expected(
        session_id=session_id,
        items=[_expected(row) for row in rows],
        twice=await repository.let_in_twice(call.uow.connection, session_id),
    )


async def attendance(call: Call[OneSession]) -> Attendance:
    """How many people registered and came. Raises RefusedError where there is no such session."""
    session_id, connection = call.arguments.session_id, call.uow.connection
    session = (await queries.sessions(connection, [session_id])).get(session_id)
    if session is None:
        raise RefusedError("session-unknown", "there is no such session: see `traboule events list`")
    rows = await repository.expected(connection, session_id)
    counts = headcounts_of(_attendee(row) for row in rows)
    return Attendance(
        total=Heads(**_heads(counts.total)),
        clusters=[HeadsOf(name=name, **_heads(count)) for name, count in counts.by_cluster.items()],
        departements=[HeadsOf(name=name, **_heads(count)) for name, count in counts.by_departement.items()],
        session=public_session(session, await now_of(connection)),
        note=NOTE["fr"],
    )


def _expected(row: ListedMember) -> ExpectedPerson:
    person = row.person
    return ExpectedPerson(
        attendee_id=person.attendee_id,
        name=person.name,
        organisation=row.organisation,
        departement=row.departement,
        clusters=sorted(row.clusters),
        state=person.shown_state,
        ticket=row.tickets[0] if row.tickets else None,
        tickets=row.tickets,
        attended_at=person.attended_at,
        walk_in=person.walk_in,
    )


def _attendee(row: ListedMember) -> Attendee:
    return Attendee(
        person=f"{row.member or row.record or ''}|{row.person_key}" if row.person_key else None,
        member=row.member or row.record,
        clusters=frozenset(row.clusters),
        departement=row.departement,
        state=row.person.shown_state,
        walk_in=row.person.walk_in,
    )


def _heads(count: Headcount) -> dict[str, int]:
    return asdict(count)
