"""The list at the door: who comes in, once each, whichever device let them in, and whether they registered or not."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from schemas.events_checkin import (
    Attendance,
    CheckedIn,
    CheckedInAll,
    Entered,
    Entering,
    Expected,
    ExpectedPerson,
    Heads,
    HeadsOf,
    OneSession,
    Undone,
)
from services.events.attendance.headcounts import NOTE, Attendee, Headcount, headcounts_of
from services.events.checkin import repository
from services.events.checkin.listed import EXPECTED, Listed, outcome_of
from services.events.checkin.repository import ListedMember
from services.events.checkin.ticket import TicketError, digest_of, token_in
from services.events.seats.order import Person, new_id
from services.events.seats.repository import now as now_of
from services.operations.binding import Call, RefusedError


async def check_in(call: Call[Entered]) -> CheckedInAll:
    """Let these people in. Raises RefusedError where there is no such session."""
    asked, connection = call.arguments, call.uow.connection
    await _take_turn(call, asked.session_id)
    before = await repository.known(connection, asked.session_id, [entry.key for entry in asked.entries])
    now = await now_of(connection)
    added = _walk_ins(asked, before)
    await repository.add_walk_ins(
        connection,
        [(each.attendee_id, asked.session_id, each.name, each.email, each.key) for each in added.values()],
    )
    digests = {entry.key: digest for entry in asked.entries if (digest := _digest(entry)) is not None}
    tickets = await repository.by_ticket(connection, asked.session_id, set(digests.values()))
    named = [entry.attendee_id for entry in asked.entries if entry.attendee_id is not None]
    ids = [*named, *before.values(), *(person.attendee_id for person in added.values())]
    people = await repository.by_id(connection, asked.session_id, ids)
    people_named = [_person(entry, before, added, digests, tickets, people) for entry in asked.entries]
    entering = [
        (asked.session_id, entry.key, person.attendee_id, entry.at or now, entry.device, call.author)
        for entry, person in zip(asked.entries, people_named, strict=True)
        if person is not None and person.state in EXPECTED and entry.key not in before
    ]
    await repository.check_in(connection, entering)
    after = await repository.by_id(connection, asked.session_id, [row[2] for row in entering] + ids)
    return CheckedInAll(items=_answers(asked.entries, people_named, after, before, added))


async def undo(call: Call[Undone]) -> CheckedIn:
    """Take back that somebody came in. Raises RefusedError."""
    name = await repository.undo(call.uow.connection, call.arguments.attendee_id)
    if name is None:
        raise RefusedError("attendee-unknown", "there is no such person: see `traboule events expected`")
    return CheckedIn(outcome="not-expected", attendee_id=call.arguments.attendee_id, name=name)


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
    """How many people registered and came."""
    rows = await repository.expected(call.uow.connection, call.arguments.session_id)
    counts = headcounts_of(_attendee(row) for row in rows)
    clusters = [HeadsOf(name=name, **_heads(count)) for name, count in counts.by_cluster.items()]
    return Attendance(total=Heads(**_heads(counts.total)), clusters=clusters, note=NOTE["fr"])


async def _take_turn(call: Call[Any], session_id: str) -> None:
    if not await repository.take_turn(call.uow.connection, session_id):
        raise RefusedError("session-unknown", "there is no such session: see `traboule events list`")


def _walk_ins(asked: Entered, before: Mapping[str, str]) -> dict[str, Person]:
    """By key: those who are on no list, and were not added before."""
    return {
        entry.key: Person(attendee_id=new_id(), name=entry.name, email=entry.email)
        for entry in asked.entries
        if entry.name is not None and entry.key not in before
    }


def _digest(entry: Entering) -> bytes | None:
    """None where it is no ticket at all."""
    if entry.ticket is None:
        return None
    try:
        return digest_of(token_in(entry.ticket))
    except TicketError:
        return None


def _person(
    entry: Entering,
    before: Mapping[str, str],
    added: Mapping[str, Person],
    digests: Mapping[str, bytes],
    tickets: Mapping[bytes, Listed],
    people: Mapping[str, Listed],
) -> Listed | None:
    if entry.key in before:
        return people.get(before[entry.key])
    if entry.key in added:
        return people.get(added[entry.key].attendee_id)
    if entry.attendee_id is not None:
        return people.get(entry.attendee_id)
    return tickets.get(digests.get(entry.key, b""))


def _answers(
    entries: Sequence[Entering],
    people_named: Sequence[Listed | None],
    after: Mapping[str, Listed],
    before: Mapping[str, str],
    added: Mapping[str, Person],
) -> list[CheckedIn]:
    came: set[str] = set()
    answers: list[CheckedIn] = []
    for entry, person in zip(entries, people_named, strict=True):
        if person is None:
            answers.append(CheckedIn(outcome="unknown"))
            continue
        is_expected = person.state in EXPECTED
        # By the ticket of somebody who was replaced it is them, and not who comes instead.
        now = after.get(person.attendee_id, person) if is_expected else person
        new = person.attended_at is None and person.attendee_id not in came and entry.key not in before
        outcome = outcome_of(person, new=new, added=entry.key in added)
        if is_expected:
            came.add(person.attendee_id)
        answers.append(
            CheckedIn(
                outcome=outcome,
                attendee_id=now.attendee_id,
                name=now.name,
                at=now.attended_at,
                device=now.attended_with,
                by=now.attended_by,
            )
        )
    return answers


def _expected(row: ListedMember) -> ExpectedPerson:
    person = row.person
    return ExpectedPerson(
        attendee_id=person.attendee_id,
        name=person.name,
        organisation=row.record,
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
        state=row.person.shown_state,
        walk_in=row.person.walk_in,
    )


def _heads(count: Headcount) -> dict[str, int]:
    return asdict(count)
