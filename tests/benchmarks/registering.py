"""Registrations over HTTP at fifty a second: the whole house runs, and nobody waits for the one before.

Requests leave at their moment, whether or not earlier ones were answered. The time counts from that moment.
"""

import asyncio
import time
from dataclasses import dataclass
from statistics import quantiles
from uuid import uuid4

import uvloop

from shared.persistence.database import create_engine
from tests.benchmarks.http_client import Connection
from tests.benchmarks.operations import post
from tests.benchmarks.stage import BenchmarkError, Stage, api_key, services_running
from tests.support.events import Events

PER_SECOND, SEATS, SESSIONS = 50, 500, 5


@dataclass(frozen=True)
class Registering:
    """Milliseconds from a request's moment to its answer, of so many registrations."""

    count: int
    p50: float
    p99: float
    worst: float


def measure(stage: Stage, *, quick: bool) -> Registering:
    """For twenty seconds, after two that count nothing; with ``quick`` for three."""
    with services_running(stage):
        return uvloop.run(_measured(stage, 3 if quick else 20))


async def _measured(stage: Stage, seconds: int) -> Registering:
    url, key = stage.stack.url("membership"), await api_key(stage, "admin")
    engine = create_engine(stage.database_url("events"), application="bench", pool_size=1)
    events = Events(engine)
    sessions = [await events.session(capacity=SEATS, key=str(uuid4())) for _ in range(SESSIONS)]
    await engine.dispose()
    requests = [
        post(url, f"/events/sessions/{sessions[number % SESSIONS]}/registrations", key, _body(number))
        for number in range(PER_SECOND * (seconds + 2))
    ]
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(PER_SECOND):
        free.put_nowait(await Connection.open(url))
    began = time.perf_counter()
    every = await asyncio.gather(*(_answered(free, raw, began + n / PER_SECOND) for n, raw in enumerate(requests)))
    taken = every[2 * PER_SECOND :]
    cuts = quantiles(taken, n=100)
    return Registering(len(taken), cuts[49], cuts[98], max(taken))


async def _answered(free: "asyncio.Queue[Connection]", raw: bytes, moment: float) -> float:
    await asyncio.sleep(max(0.0, moment - time.perf_counter()))
    connection = await free.get()
    status, body = await connection.get(raw)
    free.put_nowait(connection)
    if status != 200:
        raise BenchmarkError(f"the gateway answers {status}: {body[:200]!r}")
    return (time.perf_counter() - moment) * 1000


def _body(number: int) -> dict[str, object]:
    person = {"name": f"Person {number}", "email": f"person{number}@example.fr"}
    return {"key": f"bench {number}", "people": [person], "reason": "a measurement"}
