"""Migrations: each service has its own Alembic history, run from code.

They run once, before the services start, while processes of the version before may still be running. So a migration
only adds: tables, columns that may be left out, indexes. One that takes away or forbids what the version before still
does says ``phase = "post"`` in its module, and waits for ``traboule migrate --post``, when none of those runs any more.
A new database has nothing to wait for.

So until ``--post`` has run one can go back to the version before. Whether one still can, the database says: the newest
revision of phase post that it has stands in a comment on Alembic's table, and a program that does not know that one is
too old for it.
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
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script, ScriptDirectory
from sqlalchemy import pool
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.persistence.database import engine_address

T = TypeVar("T")

# PostgreSQL's own compression takes longer for the bodies in an outbox than all else that is written for their facts.
_COMPRESS_WITH_LZ4 = """
    do $$
    begin
        if exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any(enumvals))
           and (select pg_has_role(datdba, 'usage') from pg_database where datname = current_database()) then
            execute format('alter database %I set default_toast_compression = lz4', current_database());
        end if;
    end $$
"""


def upgrade(folder: Path, database_url: str, *, post: bool = False) -> "Pending":
    """Run what may run now, or with ``post`` everything; returns what was left. ``folder`` is ``migrations``.

    Safe to run from several replicas at once. Raises UnknownRevisionError.
    """
    left = pending(folder, database_url)
    if left.newer is not None:
        return left
    if post or not left.waiting:
        command.upgrade(_config(folder, database_url), "head")
        return Pending()
    if left.now:
        command.upgrade(_config(folder, database_url), left.now[-1])
    return Pending(waiting=left.waiting, blocked=left.blocked)


@dataclass(frozen=True, slots=True)
class Pending:
    """Revisions that a database lacks: those that may run now, and those that wait, from the first of phase post on.

    ``blocked`` are those of the waiting that are not of phase post: this program needs them, and cannot run without.
    ``newer`` is a revision that this program does not know and can live with: one of the next version's.
    """

    now: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    newer: str | None = None


def pending(folder: Path, database_url: str) -> Pending:
    """What :func:`upgrade` would run. Raises UnknownRevisionError."""
    ours, needed = asyncio.run(_read(database_url, _revisions))
    left = _scripts(folder)
    known = [script.revision for script in left]
    if ours is not None and ours not in known:
        if needed is not None and needed not in known:
            raise UnknownRevisionError(ours)
        return Pending(newer=ours)
    if ours is not None:
        left = left[known.index(ours) + 1 :]
    posts = [number for number, script in enumerate(left) if _is_post(script)]
    # In a database without a schema no process of an earlier version can be running.
    first = posts[0] if posts and ours is not None else len(left)
    return Pending(
        tuple(script.revision for script in left[:first]),
        tuple(script.revision for script in left[first:]),
        tuple(script.revision for script in left[first:] if not _is_post(script)),
    )


def knows(folder: Path, revision: str) -> bool:
    """Whether a revision is part of this history."""
    return revision in [script.revision for script in _scripts(folder)]


def head(folder: Path) -> str:
    """The newest revision of this history."""
    return _scripts(folder)[-1].revision


def differences(database_url: str, metadata: sa.MetaData) -> list[str]:
    """What tables, columns, indexes and constraints differ from the code's, a line each; none if all is as it says."""

    def compare(connection: Connection) -> list[str]:
        options = {"compare_type": True, "compare_server_default": True}
        result = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        return [_difference_in_words(item) for item in result]

    return asyncio.run(_read(database_url, compare))


def revision_of(connection: Connection) -> str | None:
    """Where a database's history stands; None if it has none."""
    return MigrationContext.configure(connection).get_current_revision()


class UnknownRevisionError(Exception):
    """A database is newer than this program can live with; the message says so."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the schema is at revision {revision}, which this program does not know: it is too old for it. Start the "
            "newer program"
        )
        self.revision = revision


_NEEDED = "a program must know revision "
"""Begins the comment on Alembic's table; the newest revision of phase post that the database has ends it."""


def _revisions(connection: Connection) -> tuple[str | None, str | None]:
    """Where a database's history stands, and which revision a program must know; None if it has none."""
    value = connection.scalar(sa.text("select obj_description(to_regclass('alembic_version'), 'pg_class')"))
    needed = value.removeprefix(_NEEDED) if value is not None and value.startswith(_NEEDED) else None
    return revision_of(connection), needed


def _note_needed(ctx: MigrationContext, step: MigrationInfo, *_: Any, **__: Any) -> None:
    """Called by Alembic when a step was taken: say of one of phase post that there is no way back behind it."""
    script = step.up_revision
    if step.is_upgrade and isinstance(script, Script) and _is_post(script):
        # A utility statement takes no parameters; the name is one of our own files'.
        assert ctx.connection is not None
        ctx.connection.execute(sa.text(f"comment on table alembic_version is '{_NEEDED}{script.revision}'"))


def _scripts(folder: Path) -> list[Script]:
    """The oldest first."""
    return list(reversed(list(ScriptDirectory(str(folder)).walk_revisions())))


def _is_post(script: Script) -> bool:
    return getattr(script.module, "phase", "pre") == "post"


def _difference_in_words(difference: Any) -> str:
    """One difference as Alembic finds it, which nests changes of columns in lists."""
    while isinstance(difference, list):
        difference = difference[0]
    verb, *what = difference
    names = [name for text in what if (name := text if isinstance(text, str) else getattr(text, "name", None))]
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
        context.configure(connection=connection, target_metadata=metadata, on_version_apply=_note_needed)
        with context.begin_transaction():
            # One replica migrates, all in one transaction; the others wait here and then find nothing to do.
            connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('migrations'))"))
            connection.execute(sa.text(_COMPRESS_WITH_LZ4))
            context.run_migrations()

    async def connect() -> None:
        engine = create_async_engine(address, poolclass=pool.NullPool, connect_args=whole)
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
            await connection.commit()
        await engine.dispose()

    asyncio.run(connect())
