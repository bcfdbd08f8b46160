"""Migrations: each service has its own Alembic history, run from code.

They run once, before the services start, while processes of the version before may still be running. So a migration
only adds: tables, columns that may be left out, indexes. One that takes away or forbids what the version before still
does says ``phase = "post"`` in its module, and waits for ``traboule migrate --post``, when none of those runs any more.
A new database has nothing to wait for.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import pool
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.persistence.database import engine_address

T = TypeVar("T")


def upgrade(folder: Path, database_url: str, *, post: bool = False) -> "Pending":
    """Run what may run now, or with ``post`` everything; returns what was left. ``folder`` is ``migrations``.

    Safe to run from several replicas at once. Raises UnknownRevisionError.
    """
    left = pending(folder, database_url)
    if post or not left.waiting:
        command.upgrade(_config(folder, database_url), "head")
        return Pending((), ())
    if left.now:
        command.upgrade(_config(folder, database_url), left.now[-1])
    return Pending((), left.waiting)


@dataclass(frozen=True, slots=True)
class Pending:
    """Revisions that a database lacks: those that may run now, and those that wait, from the first of phase post on."""

    now: tuple[str, ...]
    waiting: tuple[str, ...]


def pending(folder: Path, database_url: str) -> Pending:
    """What :func:`upgrade` would run. Raises UnknownRevisionError."""
    here = asyncio.run(_read(database_url, revision_of))
    left = _scripts(folder)
    if here is not None:
        if here not in [one.revision for one in left]:
            raise UnknownRevisionError(here)
        left = left[[one.revision for one in left].index(here) + 1 :]
    posts = [number for number, one in enumerate(left) if _is_post(one)]
    # In a database without a schema no process of an earlier version can be running.
    first = posts[0] if posts and here is not None else len(left)
    return Pending(tuple(one.revision for one in left[:first]), tuple(one.revision for one in left[first:]))


def knows(folder: Path, revision: str) -> bool:
    """Whether a revision is part of this history."""
    return revision in [one.revision for one in _scripts(folder)]


def head(folder: Path) -> str:
    """The newest revision of this history."""
    return _scripts(folder)[-1].revision


def differences(database_url: str, metadata: sa.MetaData) -> list[str]:
    """What tables, columns, indexes and constraints differ from the code's, a line each; none if all is as it says."""

    def compare(connection: Connection) -> list[str]:
        options = {"compare_type": True, "compare_server_default": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        return [_told(one) for one in found]

    return asyncio.run(_read(database_url, compare))


def revision_of(connection: Connection) -> str | None:
    """Where a database's history stands; None if it has none."""
    return MigrationContext.configure(connection).get_current_revision()


class UnknownRevisionError(Exception):
    """A database is newer than this program; the message says so."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the schema is at revision {revision}, which this program does not know: it is too old for it"
        )
        self.revision = revision


def _scripts(folder: Path) -> list[Script]:
    """The oldest first."""
    return list(reversed(list(ScriptDirectory(str(folder)).walk_revisions())))


def _is_post(script: Script) -> bool:
    return getattr(script.module, "phase", "pre") == "post"


def _told(difference: Any) -> str:
    """One difference as Alembic finds it, which nests changes of columns in lists."""
    while isinstance(difference, list):
        difference = difference[0]
    verb, *what = difference
    names = [name for one in what if (name := one if isinstance(one, str) else getattr(one, "name", None))]
    return f"{str(verb).replace('_', ' ')}: {' '.join(map(str, names))}"


async def _read(database_url: str, look: Callable[[Connection], T]) -> T:
    address, whole = engine_address(database_url)
    engine = create_async_engine(address, poolclass=pool.NullPool, connect_args=whole)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(look)
    finally:
        await engine.dispose()


def _config(folder: Path, database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["database_url"] = database_url
    return config


def run(metadata: sa.MetaData) -> None:
    """What a service's ``env.py`` calls."""
    address, whole = engine_address(context.config.attributes["database_url"])

    def migrate(connection: Connection) -> None:
        context.configure(connection=connection, target_metadata=metadata)
        with context.begin_transaction():
            # One replica migrates, all in one transaction; the others wait here and then find nothing to do.
            connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('migrations'))"))
            context.run_migrations()

    async def connect() -> None:
        engine = create_async_engine(address, poolclass=pool.NullPool, connect_args=whole)
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
            await connection.commit()
        await engine.dispose()

    asyncio.run(connect())
