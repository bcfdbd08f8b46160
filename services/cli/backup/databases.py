"""The four databases as they were at one moment, each dumped by PostgreSQL's own program.

Every message that has an effect writes an inbox row, and everything that is announced an outbox row. So for the
instant in which the four snapshots are taken nobody may write to these tables, in any service: what one service had
taken in by then, another had announced. Nothing is held up while the dumps are written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from services.cli.backup.tools import call, tool
from shared.cli.errors import CannotAct, Unreachable
from shared.persistence.database import asyncpg_url
from shared.runtime.settings import ServiceSettings

ATTEMPTS = 20
PATIENCE = "2s"
"""How long writers may be kept waiting for one that is slow; then they go first, and we try again."""

_STILL = "lock table inbox, outbox in share mode"
_IN_THE_WAY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
"""Somebody had one of the tables for too long, or had the second and asked for the first."""
_SNAPSHOT = """
    select pg_export_snapshot() as name, clock_timestamp() as at,
           (select version_num from alembic_version) as revision,
           current_setting('server_version_num')::int / 10000 as server
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One database at the moment; ``name`` is what pg_dump is told. It lasts as long as its session."""

    name: str
    at: datetime
    revision: str
    server: int


@dataclass(frozen=True, slots=True)
class Snapshots:
    """All databases at one moment, and for how many seconds nobody could write until then."""

    snapshots: Mapping[str, Snapshot]
    blocked: float

    @property
    def at(self) -> datetime:
        """The moment."""
        return max(snapshot.at for snapshot in self.snapshots.values())


@asynccontextmanager
async def snapshots(services: Mapping[str, ServiceSettings]) -> AsyncGenerator[Snapshots]:
    """Snapshots of every database at one moment, until the context ends. Raises Unreachable, CannotAct."""
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(connected(name, service)) for name, service in services.items()]
        for _ in range(ATTEMPTS):
            if taken := await _try(services, readers):
                snapshots, blocked = taken
                yield Snapshots(dict(zip(services, snapshots, strict=True)), blocked)
                return
            await asyncio.sleep(1)
    raise CannotAct("somebody keeps writing for longer than others may wait, such as traboule rebuild: try again later")


async def dump(snapshot: Snapshot, settings: ServiceSettings, path: Path) -> None:
    """Write one database as it was. Raises CannotAct."""
    program = tool("pg_dump", snapshot.server)
    options = ["--format=custom", "--no-owner", "--no-acl", "--no-password", "--lock-wait-timeout=30s"]
    await call([program, *options, f"--snapshot={snapshot.name}", f"--file={path}"], settings.database_url)


@asynccontextmanager
async def connected(name: str, settings: ServiceSettings) -> AsyncGenerator[asyncpg.Connection[Any]]:
    """A session in a service's database. Raises Unreachable."""
    try:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            asyncpg_url(settings.database_url), timeout=10, server_settings={"application_name": "traboule backup"}
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unreachable(f"the {name} service's database: {type(error).__name__}") from None
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


async def _try(
    services: Mapping[str, ServiceSettings], readers: Sequence[asyncpg.Connection[Any]]
) -> tuple[list[Snapshot], float] | None:
    """None if a writer took longer than others may wait."""
    async with AsyncExitStack() as stack:
        lockers = [await stack.enter_async_context(connected(name, service)) for name, service in services.items()]
        began = time.monotonic()
        locked = await asyncio.gather(*map(_freeze_databases, lockers), return_exceptions=True)
        if any(isinstance(exception, _IN_THE_WAY) for exception in locked):
            return None
        for failure in locked:
            if isinstance(failure, BaseException):
                raise CannotAct(f"a database cannot be held still: {type(failure).__name__}") from None
        snapshots = await asyncio.gather(*map(_snapshot, readers))
        # Closing the sessions would let go of the locks too, one after the other.
        await asyncio.gather(*(locker.execute("rollback") for locker in lockers))
        return list(snapshots), time.monotonic() - began


async def _freeze_databases(connection: asyncpg.Connection[Any]) -> None:
    await connection.execute(f"begin; set local lock_timeout = '{PATIENCE}'; {_STILL}")


async def _snapshot(connection: asyncpg.Connection[Any]) -> Snapshot:
    await connection.execute("begin isolation level repeatable read, read only")
    row = await connection.fetchrow(_SNAPSHOT)
    assert row is not None, "a select without a table has one row"
    return Snapshot(**row)
