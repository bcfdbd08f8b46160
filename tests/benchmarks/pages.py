"""Pages of the console with 30,000 members: how long they take, what they weigh, and what they cost the messages."""

import asyncio
import gzip
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from typing import Final, TypeVar
from urllib.parse import urlsplit

import uvloop

from services.gateway.auth.caller import Grant
from services.gateway.auth.people import create_person
from services.gateway.auth.rights import Role
from services.gateway.auth.sessions import Browser, create_session
from services.gateway.console.session import COOKIE
from shared.persistence.database import create_engine
from tests.benchmarks import journey
from tests.benchmarks.http_client import Connection
from tests.benchmarks.journey import Latency
from tests.benchmarks.members import exports
from tests.benchmarks.stage import BenchmarkError, Stage

MEMBERS: Final = 15_000
"""Of each cluster; one in ten is in both."""
PEOPLE: Final = 10
MESSAGES: Final = 3_000
ROUNDS: Final = 5
PAGES: Final[Mapping[str, str]] = {
    "Accueil": "/console",
    "Membres": "/console/membres",
    "Membres, three filters": "/console/membres?cluster=numelink&departement=42&cotisation=a-jour",
    "one member": "/console/membres/{member}",
    "Doublons": "/console/doublons",
    "Conflits": "/console/conflits",
    "Bascule": "/console/bascule",
    "Accès": "/console/acces",
}
_Measured = TypeVar("_Measured")
_UNKNOWN: Final = """
    select count(*) from pg_stat_user_tables
    where relname in ('views', 'source_records', 'review_cases', 'match_keys')
      and n_live_tup > 1000 and last_autoanalyze is null and last_analyze is null
"""
_LEFT: Final = """
    select (select count(*) from section_changes) + (select count(*) from contact_changes)
         + (select count(*) from outbox)
"""
FRAGMENTS: Final[Mapping[str, str]] = {
    "search, three letters": "/console/membres?q=tis",
    "search, a town": "/console/membres?q=lyon",
}


@dataclass(frozen=True)
class Page:
    """Milliseconds from request to answer, and bytes on the wire."""

    name: str
    p50: float
    p95: float
    bytes: int


@dataclass(frozen=True)
class Pages:
    """``alone`` and ``clicked`` are from publish to view, without and with people who click once a second.

    ``consumed`` is messages a second at full speed with those people beside the same without them, round by round;
    ``apart`` the same with the gateway in a process of its own.
    """

    members: int
    pages: list[Page]
    fragments: list[Page]
    cold_bytes: int
    cold_requests: int
    alone: Latency
    clicked: Latency
    consumed: list[float]
    apart: list[float]


def measure(stage: Stage, *, quick: bool) -> Pages:
    """Import two clusters, then open each page again and again as one administrator."""
    key = journey.start(stage)
    try:
        members = _imported(stage, 500 if quick else MEMBERS)
        cookie = uvloop.run(_session(stage.database_url("membership")))
        url = stage.stack.url("membership")
        member = stage.query("membership", "select member_id::text from views order by 1 limit 1")[0][0]
        count = 20 if quick else 200
        at = {name: path.format(member=member) for name, path in PAGES.items()}
        pages = [uvloop.run(_page(url, name, path, cookie, count)) for name, path in at.items()]
        parts = [uvloop.run(_page(url, name, path, cookie, count, part=True)) for name, path in FRAGMENTS.items()]
        cold, requests = uvloop.run(_cold(url, cookie))
        seconds = 5 if quick else 20
        alone = journey.latency(stage, key, seconds=seconds)
        again = partial(journey.latency, stage, key, seconds=seconds, first=1_000_000)
        clicked = _with_people(url, cookie, member, again)
        rounds = 1 if quick else ROUNDS
        consumed = _consumed(stage, partial(_with_people, url, cookie, member), rounds, 2_000_000)
        own = _gateway_apart(stage)
        apart = _consumed(stage, partial(_with_people, stage.stack.url(own), cookie, member), rounds, 3_000_000)
        return Pages(members, pages, parts, cold, requests, alone, clicked, consumed, apart)
    finally:
        stage.stack.close()


def _imported(stage: Stage, members: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        generated = exports(Path(folder), members)
        reports = journey.imported(stage, generated, Path(folder))
    stage.wait_for("membership", sum(report["published"] for report in reports), stage.stack.process("membership").pid)
    _wait_for_statistics(stage)
    count: int = stage.query("membership", "select count(*) from views")[0][0]
    return count


def _wait_for_statistics(stage: Stage) -> None:
    """Until PostgreSQL has looked at the tables that have just grown from nothing: it does so once a minute.

    Until then its plans are for empty tables, and a page with cases takes 40 ms in place of 12.
    """
    deadline = time.monotonic() + 150
    while stage.query("membership", _UNKNOWN)[0][0]:
        if time.monotonic() > deadline:
            raise BenchmarkError("nobody analysed the tables: is autovacuum off?")
        time.sleep(1)


async def _session(database_url: str) -> str:
    engine = create_engine(database_url, application="benchmark", pool_size=1)
    try:
        async with engine.begin() as connection:
            person = await create_person(connection, "benchmark", None, [Grant(Role.ADMIN)], by="benchmark")
            token, _ = await create_session(connection, person, Browser("link", "benchmark", "127.0.0.0/24"), None)
            return token
    finally:
        await engine.dispose()


async def _page(url: str, name: str, path: str, cookie: str, count: int, *, part: bool = False) -> Page:
    connection, raw = await Connection.open(url), _get(url, path, cookie, part=part)
    taken: list[float] = []
    body = b""
    for number in range(count + 5):
        began = time.perf_counter()
        status, body = await connection.get(raw)
        if status != 200:
            raise BenchmarkError(f"{path} answers {status}")
        if number >= 5:  # so that connections and plans are there
            taken.append((time.perf_counter() - began) * 1000)
    connection.close()
    cuts = quantiles(taken, n=100)
    return Page(name, cuts[49], cuts[94], len(body))


async def _cold(url: str, cookie: str) -> tuple[int, int]:
    """Bytes and requests of a browser that has nothing yet: a page, and every file that it and its style name."""
    connection = await Connection.open(url)
    _, page = await connection.get(_get(url, "/console/membres", cookie))
    text = gzip.decompress(page).decode() if page[:2] == b"\x1f\x8b" else page.decode()
    files = sorted(set(re.findall(r'"(/console/static/[^"#]+)', text)))
    total = len(page)
    for path in files:
        _, body = await connection.get(_get(url, path, cookie))
        total += len(body)
    connection.close()
    return total, len(files) + 1


def _gateway_apart(stage: Stage) -> str:
    """Membership as two processes; returns the gateway's name."""
    stage.stack.stop("membership")
    stage.stack.start("membership", only="messages")
    return stage.stack.start_replica("membership", only="http")


def _consumed(
    stage: Stage, with_people: Callable[[Callable[[], float]], float], rounds: int, first: int
) -> list[float]:
    return [
        _ratio_to_alone(stage, first + number * 100_000, with_people, is_alone_first=number % 2 == 0)
        for number in range(rounds)
    ]


def _ratio_to_alone(
    stage: Stage, first: int, with_people: Callable[[Callable[[], float]], float], *, is_alone_first: bool
) -> float:
    """Messages a second with people who click, beside without them. What the one leaves to do is done first."""
    alone, clicked = 0.0, 0.0
    for number, is_alone in enumerate((is_alone_first, not is_alone_first)):
        work = partial(journey.consumed, stage, MESSAGES, first + number * 50_000)
        _settle(stage)
        if is_alone:
            alone = work()
        else:
            clicked = with_people(work)
    return clicked / alone


def _settle(stage: Stage) -> None:
    """Until membership has announced all, and the others have had time to take it in."""
    while stage.query("membership", _LEFT)[0][0]:
        time.sleep(0.2)
    time.sleep(3)


def _with_people(url: str, cookie: str, member: str, work: Callable[[], _Measured]) -> _Measured:
    """What the work measures while ten people click once a second, in a process of their own."""
    clicking = get_context("spawn").Process(target=_click, args=(url, cookie, member), daemon=True)
    clicking.start()
    time.sleep(2)
    try:
        return work()
    finally:
        clicking.terminate()
        clicking.join()


def _click(url: str, cookie: str, member: str) -> None:
    uvloop.run(_clicking(url, cookie, member))


async def _clicking(url: str, cookie: str, member: str) -> None:
    await asyncio.gather(*(_person(url, cookie, member, number) for number in range(PEOPLE)))


async def _person(url: str, cookie: str, member: str, number: int) -> None:
    connection = await Connection.open(url)
    paths = [path.format(member=member) for path in PAGES.values()]
    await asyncio.sleep(number / PEOPLE)
    while True:
        began = time.perf_counter()
        await connection.get(_get(url, paths[number % len(paths)], cookie))
        number += 1
        await asyncio.sleep(max(0.0, 1 - (time.perf_counter() - began)))


def _get(url: str, path: str, cookie: str, *, part: bool = False) -> bytes:
    more = "HX-Request: true\r\nHX-Request-Type: partial\r\n" if part else ""
    host = urlsplit(url).netloc
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {COOKIE}={cookie}\r\nAccept-Encoding: gzip\r\n{more}\r\n"
    ).encode()
