"""Ten thousand registrations for five hundred seats, with kills: exactly full, in order, and as the log says."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from deploy.local.nodes import Nodes
from services.events.seats import repository
from services.events.seats.acts import Act, Kind
from services.events.seats.order import Order, Person, Request, new_id
from services.events.seats.room import Room
from services.events.usecases.seating import decide
from shared.persistence.database import create_engine
from tests.support.events import Events, replayed
from tests.support.merging import Database, a_database

REGISTRATIONS = int(os.environ.get("SEATS_REGISTRATIONS", "10000"))
SEATS, AT_ONCE, LARGEST_BATCH = 500, 20, 60
FASTER = 20_000
"""So many seconds pass in one: offers of two days lapse while others register."""


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "events") as made:
        yield made


@pytest.fixture
async def events(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Events]:
    clock = f"timestamptz '{datetime.now(UTC).isoformat()}'"
    faster = f"{clock} + (clock_timestamp() - {clock}) * {FASTER}"
    turn = repository._TURN.replace("clock_timestamp()", faster)  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(repository, "_TURN", turn)
    engine = create_engine(database.url, application="seats", pool_size=AT_ONCE)
    events = Events(engine)
    await events.empty()
    yield events
    await engine.dispose()


def requests(session_id: str, chance: random.Random, count: int) -> Iterator[list[Request]]:
    """Registrations of one to five people, and acts about some that came before: in batches, each with its key."""
    placed: list[str] = []
    batch: list[Request] = []
    for number in range(count):
        booking_id = new_id()
        people = [Person(attendee_id=new_id(), name=f"P{number}-{each}") for each in range(chance.randint(1, 5))]
        order = Order(order_id=new_id(), session_id=session_id, author="x", placed_at=datetime.now(UTC))
        act = Act(kind="register", booking_id=booking_id, seats=len(people), overruled=True)
        batch.append(Request(session_id=session_id, key=str(number), act=act, author="x", order=order, people=people))
        placed.append(booking_id)
        if chance.random() < 0.25:
            kinds: list[Kind] = ["cancel", "cancel", "accept", "decline", "reduce"]
            about = Act(kind=chance.choice(kinds), booking_id=chance.choice(placed), seats=1, overruled=True)
            batch.append(Request(session_id=session_id, key=f"{number}/about", act=about, author="x"))
        if len(batch) >= chance.randint(1, LARGEST_BATCH):
            yield batch
            batch = []
    yield batch


async def storm(events: Events, session_id: str, seed: int, count: int) -> int:
    """Everything at once, each batch again until it is committed; returns how many transactions were killed."""
    chance = random.Random(seed)
    batches, killed = requests(session_id, chance, count), 0

    async def client(number: int) -> None:
        nonlocal killed
        fate = random.Random(seed * 1000 + number)
        for batch in batches:
            while not await committed(events, batch, fate):
                killed += 1

    await asyncio.gather(*(client(number) for number in range(AT_ONCE)))
    return killed


async def committed(events: Events, batch: list[Request], fate: random.Random) -> bool:
    """Decide a batch; its client, or its backend in the database, may die at any moment, also in the commit."""
    try:
        return await _decided(events, batch, fate)
    except IntegrityError:
        raise
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        # The whole server is away: whoever asked tries again.
        await asyncio.sleep(0.1)
        return False


async def _decided(events: Events, batch: list[Request], fate: random.Random) -> bool:
    end = fate.choice(["lives"] * 6 + ["client", "backend"])
    async with events.engine.connect() as connection:
        transaction = await connection.begin()
        raw: Any = (await connection.get_raw_connection()).driver_connection
        if raw.is_closed():
            raise ConnectionError("the database was killed")
        pid = raw.get_server_pid()

        async def work() -> None:
            uow = events.begin(connection)
            await decide(uow, batch)
            await uow.outbox.flush(connection)
            await transaction.commit()

        working = asyncio.ensure_future(work())
        if end != "lives":
            await asyncio.sleep(fate.random() * 0.1)
            if end == "client":
                raw.terminate()
            else:
                await events.rows("select pg_terminate_backend($1)", pid)
        try:
            await working
        except IntegrityError:
            raise
        except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await connection.invalidate()
            return False
    return True


async def check(events: Events, session_id: str) -> None:
    """Exactly full, each act once, arrivals in the order of the log, and the tables as the log says."""
    [(held, logged, arrivals)] = await events.rows(
        "select held, logged, arrivals from sessions where session_id = $1::uuid", session_id
    )
    numbers = await events.rows("select number from booking_log where session_id = $1::uuid order by 1", session_id)
    assert [row[0] for row in numbers] == [*range(logged + 1)]
    async with events.engine.connect() as connection:
        room, bookings, kept = await replayed(connection, session_id)
    assert (room.bookings, room.held, room.arrivals) == (bookings, kept, arrivals)
    waiting = [booking.seats for booking in bookings.values() if booking.state == "waiting"]
    assert held <= SEATS
    assert not waiting or min(waiting) > SEATS - held
    seats = await events.rows(
        "select count(*) from bookings b where b.session_id = $1::uuid and b.seats <> "
        "(select count(*) from attendees a where a.booking_id = b.booking_id and a.left_at is null) "
        "and not exists (select from booking_log l where l.booking_id = b.booking_id and l.act = 'reduce')",
        session_id,
    )
    assert seats == [(0,)]


async def kill_the_database(nodes: Nodes, times: int) -> None:
    """`kill -9` of all of it, every few seconds, and a new start."""
    for _ in range(times):
        await asyncio.sleep(3)
        await asyncio.to_thread(nodes.database.kill)
        await asyncio.to_thread(nodes.database.start)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_ten_thousand_registrations_for_five_hundred_seats(events: Events, nodes: Nodes, seed: int) -> None:
    session_id = await events.session(capacity=SEATS)
    storming = asyncio.ensure_future(storm(events, session_id, seed, REGISTRATIONS))
    await kill_the_database(nodes, 3)
    assert not storming.done(), "the database was killed after the storm"
    killed = await storming
    await check(events, session_id)
    assert killed > 10
    [(bookings,)] = await events.rows("select count(*) from bookings")
    assert bookings == REGISTRATIONS
    lapsed = "select count(*) from bookings where lapses > 0"
    assert (await events.rows(lapsed))[0][0] > 0


def _read_before_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "_LOCK", repository._LOCK.replace("for update", ""))  # pyright: ignore[reportPrivateUsage]


def _arrival_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a sequence is asked before the lock: the number that a booking gets is not that of its turn."""
    numbers = iter(range(1, 1_000_000))
    given: dict[str, int] = {}
    rightly: Callable[..., Any] = Room.register

    def register(room: Room, booking_id: str, seats: int, **more: Any) -> Any:
        room.arrivals = given.setdefault(booking_id, next(numbers) ^ 1) - 1
        return rightly(room, booking_id, seats, **more)

    monkeypatch.setattr(Room, "register", register)


def _lapse_only_by_the_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Room, "settle", lambda room, now: None)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutation", [_read_before_the_lock, _arrival_from_elsewhere, _lapse_only_by_the_timer])
async def test_each_mutation_is_noticed(
    events: Events, mutation: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = await events.session(capacity=SEATS // 10)
    with pytest.MonkeyPatch.context() as broken:
        mutation(broken)
        failed = False
        try:
            await asyncio.wait_for(storm(events, session_id, 1, 600), 60)
        except (AssertionError, DBAPIError, TimeoutError):
            failed = True
    if not failed:
        with pytest.raises((AssertionError, ValueError)):
            await check(events, session_id)
