"""Registrations for one hot session and for fifty, against the bare pattern of a row lock, in turns in the same run.

Ours also looks for duplicates, and keeps orders, the log, what is announced and the outbox. The bare pattern locks a
session's row, counts in Python, and writes a row for each registration and for each person, a statement for each table.
Batches of a hundred on both sides; nothing but the database runs.
"""

import gc
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final

import asyncpg
import uvloop

from services.cli.serve import SERVED
from services.events.seats.acts import Act
from services.events.seats.order import Order, Person, Request, new_id
from services.events.usecases.seating import decide
from shared.persistence.database import asyncpg_url, create_engine
from tests.benchmarks.stage import Stage
from tests.support.events import Events

BATCH, SEATS, SESSIONS, ROUNDS = 100, 500, 50, 5
_BARE: Final = """
    create schema bare;
    create table bare.sessions (id int primary key, capacity int not null, held int not null, arrivals int not null);
    create table bare.registrations (id uuid primary key, session_id int not null references bare.sessions,
                                     seats int not null, arrival int not null, state text not null,
                                     unique (session_id, arrival));
    create table bare.people (id uuid primary key, registration_id uuid not null references bare.registrations,
                              name text not null, email text);
    create index on bare.people (registration_id);
    insert into bare.sessions select n, 500, 0, 0 from generate_series(1, 1000) n;
"""
_WRITE: Final = """
    insert into bare.registrations select * from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[])
"""
_PEOPLE: Final = "insert into bare.people select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])"


@dataclass(frozen=True)
class Measured:
    """Registrations of a second on one session and on fifty, and of the bare pattern; milliseconds of a promotion.

    ``lowest`` and ``highest`` are the ratios of the rounds to the bare pattern on one session.
    """

    hot: float
    bare: float
    many: float
    ratio: float
    lowest: float
    highest: float
    promotion: float


def measure(stage: Stage, *, quick: bool) -> Measured:
    """All of it; the events service does not run, but garbage is collected as rarely as where it does."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SERVED)
    try:
        return uvloop.run(_measured(stage.database_url("events"), quick=quick))
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


async def _measured(url: str, *, quick: bool) -> Measured:
    engine = create_engine(url, application="bench", pool_size=1)
    events = Events(engine)
    bare: asyncpg.Connection[Any] = await asyncpg.connect(asyncpg_url(url))
    await bare.execute(_BARE)
    chance, batches = random.Random(1), 4 if quick else 20
    rounds: list[tuple[float, float]] = []
    try:
        for number in range(1, ROUNDS + 1):
            session_id, ours, theirs = await events.session(capacity=SEATS), 0.0, 0.0
            for _ in range(batches):
                sizes = [chance.randint(1, 5) for _ in range(BATCH)]
                ours += await _timed(events, [_request(session_id, seats) for seats in sizes])
                theirs += await _bare(bare, number, sizes)
            rounds.append((batches * BATCH / ours, batches * BATCH / theirs))
        sessions = [await events.session(capacity=SEATS) for _ in range(SESSIONS)]
        took = [
            await _timed(events, [_request(chance.choice(sessions), chance.randint(1, 5)) for _ in range(BATCH)])
            for _ in range(batches)
        ]
        promotion = await _promotion(events)
    finally:
        await bare.execute("drop schema bare cascade")
        await bare.close()
        await engine.dispose()
    ratios = [ours / theirs for ours, theirs in rounds]
    return Measured(
        hot=median(ours for ours, _ in rounds),
        bare=median(theirs for _, theirs in rounds),
        many=batches * BATCH / sum(took),
        ratio=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        promotion=promotion,
    )


def _request(session_id: str, seats: int) -> Request:
    people = [Person(attendee_id=new_id(), name=f"Person {new_id()}", email="p@example.fr") for _ in range(seats)]
    order = Order(
        order_id=new_id(),
        session_id=session_id,
        author="x",
        placed_at=datetime.now(UTC),
        name="P",
        email="p@example.fr",
    )
    act = Act(kind="register", booking_id=new_id(), seats=seats)
    return Request(session_id=session_id, key=new_id(), act=act, author="x", order=order, people=people)


async def _timed(events: Events, requests: Sequence[Request]) -> float:
    began = time.perf_counter()
    async with events.engine.begin() as connection:
        uow = events.begin(connection)
        await decide(uow, requests)
        await uow.outbox.flush(connection)
    return time.perf_counter() - began


async def _bare(connection: Any, session: int, sizes: Sequence[int]) -> float:
    began = time.perf_counter()
    async with connection.transaction():
        row = await connection.fetchrow("select * from bare.sessions where id = $1 for update", session)
        held, arrivals, rows = row["held"], row["arrivals"], []
        for seats in sizes:
            arrivals += 1
            fits = held + seats <= row["capacity"]
            held += seats if fits else 0
            rows.append((new_id(), session, seats, arrivals, "registered" if fits else "waiting"))
        people = [(new_id(), row[0], f"Person {new_id()}", "p@example.fr") for row in rows for _ in range(row[2])]
        await connection.execute(_WRITE, *(list(column) for column in zip(*rows, strict=True)))
        await connection.execute(_PEOPLE, *(list(column) for column in zip(*people, strict=True)))
        await connection.execute(
            "update bare.sessions set held = $2, arrivals = $3 where id = $1", session, held, arrivals
        )
    return time.perf_counter() - began


async def _promotion(events: Events) -> float:
    """Milliseconds from a cancellation to the offer of the next, among ten thousand who wait: one transaction."""
    session_id, took = await events.session(capacity=BATCH), list[float]()
    first = [_request(session_id, 1) for _ in range(BATCH)]
    await _timed(events, first)
    for _ in range(100):
        await _timed(events, [_request(session_id, 1) for _ in range(BATCH)])
    for request in first[:20]:
        act = Act(kind="cancel", booking_id=request.act.booking_id)
        took.append(await _timed(events, [Request(session_id=session_id, key=new_id(), act=act, author="x")]))
    offered = await events.rows("select count(*) from bookings where session_id = $1 and state = 'offered'", session_id)
    assert offered == [(20,)]
    return max(took) * 1000
