"""Many stories on one database, several at a time, and what came of them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from unittest.mock import patch

import asyncpg
import orjson
import structlog
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

from services.membership.tables import metadata
from services.membership.usecases import take_in
from shared.persistence.database import asyncpg_url, create_engine
from shared.runtime.clusters import Cluster
from tests.support.in_memory import POLICY
from tests.support.interleaving import commits
from tests.support.interleaving.checker import Checker, Left
from tests.support.interleaving.hostile import MARK
from tests.support.interleaving.record import Record, record_left
from tests.support.interleaving.story import Story
from tests.support.interleaving.trouble import Killer, Shaken, Trouble

AT_ONCE, WAVE = 32, 250
_CONNECTIONS = 48
_RECORDS = "select cluster, to_jsonb(s)::text from source_records s"
_LETTERS = "select reason, body from dead_letters"
_OUTBOX = "select routing_key, body from outbox"


@dataclass(slots=True)
class Finding:
    """What many stories came to. ``wrong`` is what must never be, with the seed of its story."""

    stories: int = 0
    wrong: list[str] = field(default_factory=list[str])
    outcomes: Counter[str] = field(default_factory=Counter[str])

    def add(self, other: Finding) -> None:
        """Put two together."""
        self.stories += other.stories
        self.wrong += other.wrong
        self.outcomes += other.outcomes


async def prepare(url: str) -> None:
    """Let a database that has just been migrated tell the order of its commits."""
    connection = await asyncpg.connect(asyncpg_url(url))
    try:
        await commits.watch(connection)
        # No server is killed here, and what a session has committed is seen at once all the same.
        name = await connection.fetchval("select current_database()")
        await connection.execute(f'alter database "{name}" set synchronous_commit to off')
    finally:
        await connection.close()


async def interleave(
    url: str, seeds: Iterable[int], *, kills: bool = True, enough: int = 1, wave: int = WAVE
) -> Finding:
    """Live one story for each seed and check it, a wave at a time. Ends after the wave in which ``enough`` is wrong."""
    result, left = Finding(), list(seeds)
    # Batches of these stories are small, and would all be recognised with the turn.
    with patch.object(take_in, "LEAST", 1), patch.object(take_in, "LEAST_PART", 2):
        while left and len(result.wrong) < enough:
            now, left = left[:wave], left[wave:]
            result.add(await _wave(url, now, kills=kills))
    return result


def interleave_apart(url: str, seeds: Iterable[int]) -> Finding:
    """The same, in a process of its own: each needs a database of its own too, where writers take turns."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return asyncio.run(interleave(url, seeds))


async def _wave(url: str, seeds: list[int], *, kills: bool) -> Finding:
    async with _plain(url) as connection, _engine(url) as engine:
        await _forget(connection)
        clusters = {seed: f"n{seed}" for seed in seeds}
        known = {name: Cluster(name, name, ("membership",), ()) for name in clusters.values()}
        policy = replace(POLICY, clusters=known)
        killer = Killer(connection)
        troubles = [Trouble(Random(seed), killer, kills=kills) for seed in seeds]
        stories = [
            Story(clusters[seed], Shaken(engine, trouble), policy, seed)
            for seed, trouble in zip(seeds, troubles, strict=True)
        ]
        waiting = iter(stories)

        async def live() -> None:
            for story in waiting:
                try:
                    async with asyncio.timeout(90):
                        await story.run()
                except* Exception as error:
                    story.broken = repr(error)

        await asyncio.gather(*(live() for _ in range(AT_ONCE)))
        for trouble in troubles:
            await trouble.quiet()
        result = await _checked(connection, stories)
        result.outcomes["deaths"] = sum(item.deaths for item in troubles)
        result.outcomes["cuts"] = sum(item.cuts for item in troubles)
        return result


async def _checked(connection: asyncpg.Connection[Any], stories: list[Story]) -> Finding:
    committed = await commits.committed(connection)
    records: defaultdict[str, dict[str, Record]] = defaultdict(dict)
    for cluster, row in await connection.fetch(_RECORDS):
        tree = orjson.loads(row)
        records[cluster][tree["record_id"]] = record_left(tree)
    letters: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    hostile: defaultdict[str, set[str]] = defaultdict(set)
    for reason, body in await connection.fetch(_LETTERS):
        if mark := MARK.search(body):
            hostile[mark[0].decode().split("-")[1]].add(mark[0].decode())
            continue
        tree = orjson.loads(body)
        letters[tree["data"].get("cluster") or tree["source"].split("/")[1]].append((tree["id"], reason))
    published: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for key, body in await connection.fetch(_OUTBOX):
        if key.endswith(".stage-changed"):
            data = orjson.loads(body)["data"]
            published[data["cluster"]].append((data["version"], data["stage"]))
    result = Finding(len(stories))
    for story in stories:
        name = story.cluster
        if story.broken is not None:
            result.wrong.append(f"seed {story.seed}: {story.broken}")
            continue
        left = Left(records[name], letters[name], published[name], hostile[name])
        checked = Checker(story, left).check(committed.get(name, []))
        result.wrong += checked.wrong
        result.outcomes += checked.outcomes
    return result


async def _forget(connection: asyncpg.Connection[Any]) -> None:
    names = ", ".join(table.name for table in metadata.sorted_tables)
    await connection.execute(f"truncate {names}, commits restart identity cascade")


@asynccontextmanager
async def _plain(url: str) -> AsyncGenerator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(asyncpg_url(url))
    try:
        yield connection
    finally:
        await connection.close()


def _only_this_session(context: ExceptionContext) -> None:
    # One session was cut, and the server is as well as ever: the others need not all be opened anew.
    context.invalidate_pool_on_disconnect = False


@asynccontextmanager
async def _engine(url: str) -> AsyncGenerator[AsyncEngine]:
    engine = create_engine(url, application="interleaving", pool_size=_CONNECTIONS, pool_timeout=60)
    event.listen(engine.sync_engine, "handle_error", _only_this_session)
    try:
        yield engine
    finally:
        await engine.dispose()
