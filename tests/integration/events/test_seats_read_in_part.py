"""Only bookings that an act can concern are read: whatever is decided is what the whole room would decide."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.events.seats import repository
from services.events.seats.acts import Act, do
from services.events.seats.order import new_id
from services.events.seats.room import Booking, NotPossibleError, Room, Terms
from services.events.seats.states import HOLDS, State
from services.events.seats.terms import terms_text
from shared.persistence.database import rows_of
from tests.support.events import Events

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
KINDS = ("cancel", "reduce", "accept", "decline", "prefer", "same-people", "other-people", "change", "register")
STATES: tuple[State, ...] = ("registered", "offered", "waiting", "waiting", "waiting", "asked", "cancelled")
SIZES = (1, 1, 1, 2, 2, 3, 5, 21, 30)


@dataclass
class Case:
    """A room as it may be after any history, and acts that come together."""

    random: Random
    room: Room = field(init=False)

    def __post_init__(self) -> None:
        capacity = self.random.choice([3, 8, 20, 60])
        terms = Terms(capacity=capacity, overbooked=self.random.choice([0, 0, 2]), starts_at=NOW + timedelta(days=20))
        self.room = Room(terms)
        for _ in range(self.random.randint(0, 25)):
            self._booking()

    def _booking(self) -> None:
        random, room = self.random, self.room
        room.arrivals += 1
        seats = random.choice(SIZES)
        state: State = random.choice(STATES)
        if state in HOLDS and seats > room.free:
            state = "waiting"
        room.held += seats if state in HOLDS else 0
        ends = NOW + timedelta(hours=random.choice([-30, -1, 0, 1, 40])) if state == "offered" else None
        made = Booking(
            booking_id=new_id(),
            seats=seats,
            arrival=room.arrivals,
            state=state,
            offered_until=ends,
            lapses=random.choice([0, 0, 1]),
        )
        room.bookings[made.booking_id] = made

    def act(self) -> Act:
        """Any act about any booking."""
        kind = self.random.choice(KINDS)
        if kind == "register":
            return Act(
                kind=kind, booking_id=new_id(), seats=self.random.choice(SIZES), asked=self.random.random() < 0.1
            )
        if kind == "change":
            capacity = max(1, self.room.held + self.random.randint(-4, 9))
            starts_at = NOW + timedelta(hours=self.random.choice([480, 480, 30, 7]))
            return Act(kind=kind, terms=replace(self.room.terms, capacity=capacity, starts_at=starts_at))
        known = list(self.room.bookings) or [new_id()]
        return Act(kind=kind, booking_id=self.random.choice(known), seats=self.random.randint(1, 3))


async def keep(connection: AsyncConnection, session: str, order: str, room: Room) -> None:
    for table in ("tickets", "attendees", "bookings"):
        await connection.exec_driver_sql(f"delete from {table}")
    await connection.exec_driver_sql(
        "update sessions set terms = $2::jsonb, held = $3, arrivals = $4 where session_id = $1::uuid",
        (session, terms_text(room.terms), room.held, room.arrivals),
    )
    rows = [
        (b.booking_id, order, session, b.seats, b.arrival, b.state, b.offered_until, b.lapses)
        for b in room.bookings.values()
    ]
    if rows:
        columns = tuple(list(column) for column in zip(*rows, strict=True))
        await connection.exec_driver_sql(
            "insert into bookings (booking_id, order_id, session_id, seats, arrival, state, offered_until, lapses) "
            "select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[], "
            "$7::timestamptz[], $8::bigint[])",
            columns,
        )


def decided(room: Room, acts: list[Act]) -> tuple[list[str], dict[str, Booking], int, int]:
    """What each act came to, what changed, and what is held then."""
    outcomes: list[str] = []
    for act in acts:
        try:
            do(room, act, NOW)
        except NotPossibleError as error:
            outcomes.append(error.kind)
        else:
            outcomes.append("done")
    return outcomes, room.changed, room.held, room.arrivals


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_read_in_part_decides_as_the_whole(events: Events, seed: int) -> None:
    session = await events.session()
    await events.register(session, "Ada")
    random = Random(seed)
    async with events.engine.connect() as connection:
        [(order,)] = rows_of(await connection.exec_driver_sql("select order_id::text from orders"))
        for number in range(60):
            case = Case(random)
            acts = [case.act() for _ in range(random.randint(1, 4))]
            await keep(connection, session, order, case.room)
            locked = await repository.lock(connection, [session])
            await repository.load(connection, locked, [(session, act) for act in acts], NOW)
            part = locked[session].room
            assert len(part.bookings) <= len(case.room.bookings)
            assert decided(part, acts) == decided(case.room, acts), (seed, number, acts)
        await connection.rollback()
