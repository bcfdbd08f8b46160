"""Let people in, whoever says so: each comes in once, and the first moment counts.

Staff say so by the operation, holders of a pass by the check-in page. Lists of several sessions are one transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.events_checkin import CheckedIn, Entering
from services.events.checkin import repository
from services.events.checkin.listed import EXPECTED, Listed, outcome_of
from services.events.checkin.ticket import TicketError, digest_of, token_in
from services.events.seats.order import Person, new_id
from services.events.seats.repository import now as now_of

Place = tuple[str, str]
"""A session, and the key of an entry there."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who comes in at a session, and who says so. ``ticket`` is the digest, where their ticket was read."""

    session_id: str
    entry: Entering
    author: str
    ticket: bytes | None = None

    @property
    def place(self) -> Place:
        """What tells it apart."""
        return self.session_id, self.entry.key


def arrival(session_id: str, entry: Entering, author: str) -> Arrival:
    """The arrival that staff's entry says; without a digest where it is no ticket at all."""
    if entry.ticket is None:
        return Arrival(session_id, entry, author)
    try:
        return Arrival(session_id, entry, author, digest_of(token_in(entry.ticket)))
    except TicketError:
        return Arrival(session_id, entry, author)


async def enter(connection: AsyncConnection, arrivals: Sequence[Arrival]) -> list[CheckedIn]:
    """What came of each, in their order. The transaction has the turn of their sessions."""
    before = await repository.known(connection, [each.place for each in arrivals])
    now = await now_of(connection)
    added = _walk_ins(arrivals, before)
    await repository.add_walk_ins(
        connection,
        [(each.attendee_id, place[0], each.name, each.email, each.key) for place, each in added.items()],
    )
    tickets = await repository.by_ticket(connection, {each.ticket for each in arrivals if each.ticket is not None})
    named = [each.entry.attendee_id for each in arrivals if each.entry.attendee_id is not None]
    ids = [*named, *filter(None, before.values()), *(person.attendee_id for person in added.values())]
    people = await repository.by_id(connection, ids)
    listed = [_person(each, before, added, tickets, people) for each in arrivals]
    entering = [
        (each.session_id, each.entry.key, person.attendee_id, each.entry.at or now, each.entry.device, each.author)
        for each, person in zip(arrivals, listed, strict=True)
        if person is not None and person.state in EXPECTED and each.place not in before
    ]
    await repository.check_in(connection, entering)
    after = await repository.by_id(connection, [row[2] for row in entering] + ids)
    return _answers(arrivals, listed, after, before, added)


def _walk_ins(arrivals: Sequence[Arrival], before: Collection[Place]) -> dict[Place, Person]:
    """Those who are on no list, and were not added before."""
    return {
        each.place: Person(attendee_id=new_id(), name=each.entry.name, email=each.entry.email)
        for each in arrivals
        if each.entry.name is not None and each.place not in before
    }


def _person(
    each: Arrival,
    before: Mapping[Place, str | None],
    added: Mapping[Place, Person],
    tickets: Mapping[bytes, Listed],
    people: Mapping[str, Listed],
) -> Listed | None:
    if each.place in before:
        person = people.get(before[each.place] or "")
    elif each.place in added:
        person = people.get(added[each.place].attendee_id)
    elif each.entry.attendee_id is not None:
        person = people.get(each.entry.attendee_id)
    else:
        person = tickets.get(each.ticket or b"")
    return person if person is not None and person.session_id == each.session_id else None


def _answers(
    arrivals: Sequence[Arrival],
    listed: Sequence[Listed | None],
    after: Mapping[str, Listed],
    before: Mapping[Place, str | None],
    added: Collection[Place],
) -> list[CheckedIn]:
    came: set[str] = set()
    answers: list[CheckedIn] = []
    for each, person in zip(arrivals, listed, strict=True):
        if person is None:
            # A key whose entry was taken back lets nobody in again, and says of nobody that they are in.
            answers.append(CheckedIn(outcome="not-expected" if each.place in before else "unknown"))
            continue
        is_expected = person.state in EXPECTED
        # By the ticket of somebody who was replaced it is them, and not who comes instead.
        now = after.get(person.attendee_id, person) if is_expected else person
        new = person.attended_at is None and person.attendee_id not in came and each.place not in before
        outcome = outcome_of(person, new=new, added=each.place in added)
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
