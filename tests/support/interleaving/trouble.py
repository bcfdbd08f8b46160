"""What goes wrong inside transactions: they are held up, the process dies, the database ends the session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.membership.records.repository import LOCK

YIELDS, STALLS, DIES, CUT = 0.25, 0.06, 0.008, 0.002
"""How often, for each statement."""
STALL = 0.004
"""Seconds at most."""


class Killer:
    """Ends sessions for all stories, one after the other."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection, self._turn = connection, asyncio.Lock()

    async def end(self, pid: int) -> None:
        """End this session, whatever it does now."""
        async with self._turn:
            await self._connection.execute("select pg_terminate_backend($1)", pid)


class Trouble:
    """Makes it, as often as it is told to, and counts it."""

    def __init__(self, rng: Random, killer: Killer, *, kills: bool = True) -> None:
        self._rng, self._killer, self._kills = rng, killer, kills
        self._under_way = set[asyncio.Task[None]]()
        self.deaths = self.cuts = 0

    async def before(self, connection: AsyncConnection, *, in_turn: bool) -> None:
        """Before a statement. Who is ``in_turn`` is not held up: all others, of every story, wait for him."""
        chance = self._rng.random()
        if chance < YIELDS:
            await asyncio.sleep(self._rng.random() * STALL if chance < STALLS and not in_turn else 0)
        if not self._kills:
            return
        chance = self._rng.random()
        if chance < DIES:
            await self._die()
        elif chance < DIES + CUT:
            await self._cut(connection)

    async def quiet(self) -> None:
        """Wait until what was begun is done."""
        await asyncio.gather(*self._under_way)

    async def _die(self) -> None:
        self.deaths += 1
        task = asyncio.current_task()
        assert task is not None, "every transaction is some task's"
        task.cancel()
        await asyncio.sleep(0)

    async def _cut(self, connection: AsyncConnection) -> None:
        """End its session soon: in the middle of a statement, of the commit, or of the next transaction on it."""
        self.cuts += 1
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None, "it is connected"
        pid: int = raw.get_server_pid()

        async def end() -> None:
            await asyncio.sleep(self._rng.random() * 0.01)
            await self._killer.end(pid)

        task = asyncio.create_task(end())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


class Shaken:
    """An engine in whose transactions there is trouble before every statement."""

    def __init__(self, engine: AsyncEngine, trouble: Trouble) -> None:
        self._engine, self._trouble = engine, trouble

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[Any]:
        """A transaction."""
        async with self._engine.begin() as connection:
            shaken = ShakenConnection(connection, self._trouble)
            yield shaken
            await self._trouble.before(connection, in_turn=shaken.in_turn)

    def connect(self) -> Any:
        """A connection without trouble: how a lane asks whether the database answers."""
        return self._engine.connect()


class ShakenConnection:
    """Of one transaction: whatever is asked of it, or of the driver below."""

    def __init__(self, connection: AsyncConnection, trouble: Trouble) -> None:
        self._connection, self._trouble = connection, trouble
        self.in_turn = False

    @property
    def sync_connection(self) -> Any:
        """Where the driver is found."""
        driver: Any = cast("Any", self._connection.sync_connection).connection.driver_connection
        return SimpleNamespace(connection=SimpleNamespace(driver_connection=_ShakenDriver(driver, self.shaken)))

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> Any:
        """Trouble, then the statement."""
        return await self.shaken(self._connection.exec_driver_sql, statement, parameters)

    async def shaken(self, call: Callable[..., Awaitable[Any]], statement: str, *values: Any) -> Any:
        """Trouble, then the call."""
        await self._trouble.before(self._connection, in_turn=self.in_turn)
        result = await call(statement, *values)
        self.in_turn = self.in_turn or statement == LOCK
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _ShakenDriver:
    def __init__(self, driver: Any, shaken: Callable[..., Awaitable[Any]]) -> None:
        self._driver, self._shaken = driver, shaken

    async def fetch(self, statement: str, *values: Any) -> Any:
        return await self._shaken(self._driver.fetch, statement, *values)

    async def execute(self, statement: str, *values: Any) -> Any:
        return await self._shaken(self._driver.execute, statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)
