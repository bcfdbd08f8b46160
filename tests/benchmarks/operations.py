"""Operations of another service over HTTP, end to end: a query and a command, alone and many at once."""

import asyncio
import json
import time
from dataclasses import dataclass
from statistics import quantiles
from urllib.parse import urlsplit

import uvloop

from tests.benchmarks.http_client import Connection, request
from tests.benchmarks.stage import BenchmarkError, Stage, api_key, services_running

SYSTEM = "/cutover/numelink/billing"
CLIENTS = 8
"""Staff who ask at once, in the second half of each measurement."""


@dataclass(frozen=True)
class Times:
    """Milliseconds from request to answer, of so many answers."""

    answers: int
    p50: float
    p99: float


@dataclass(frozen=True)
class Operations:
    """``…_alone`` is one person who asks again as soon as he is answered, ``…_at_once`` are eight such."""

    query_alone: Times
    query_at_once: Times
    command_alone: Times
    command_at_once: Times


def measure(stage: Stage, *, quick: bool) -> Operations:
    """Billing's stage is read (a query), and mirroring is asked for (a command, which is made once and told after)."""
    with services_running(stage):
        return uvloop.run(_measured(stage, 100 if quick else 1_000))


async def _measured(stage: Stage, count: int) -> Operations:
    url, key = stage.stack.url("membership"), await api_key(stage, "admin")
    query = request(url, SYSTEM, key)
    command = post(url, f"{SYSTEM}/moves", key, {"move": "mirror", "reason": "a measurement"})
    await _times(url, query, 20, CLIENTS)  # so that connections and plans are there
    await _times(url, command, 20, CLIENTS)
    return Operations(
        await _times(url, query, count, 1),
        await _times(url, query, count, CLIENTS),
        await _times(url, command, count // 2, 1),
        await _times(url, command, count // 2, CLIENTS),
    )


async def _times(url: str, raw: bytes, count: int, clients: int) -> Times:
    connections = [await Connection.open(url) for _ in range(clients)]

    async def ask(connection: Connection) -> list[float]:
        taken: list[float] = []
        for _ in range(count // clients):
            began = time.perf_counter()
            status, body = await connection.get(raw)
            taken.append((time.perf_counter() - began) * 1000)
            if status != 200:
                raise BenchmarkError(f"the gateway answers {status}: {body[:200]!r}")
        return taken

    every = [taken for each in await asyncio.gather(*map(ask, connections)) for taken in each]
    for connection in connections:
        connection.close()
    cuts = quantiles(every, n=100)
    return Times(len(every), cuts[49], cuts[98])


def post(url: str, path: str, key: str, body: object) -> bytes:
    """The bytes of a POST."""
    sent = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent
