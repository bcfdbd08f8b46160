"""One service's database out of a dump: a role and a database if need be, the rows, and what they must forget."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from services import EXTENSIONS
from services.ops.backup_databases import connected
from services.ops.backup_tools import call, contents, tool
from services.ops.parked import CannotAct, Unreachable
from shared.persistence.database import asyncpg_url
from shared.runtime.settings import ServiceSettings

_OWN = """
    select c.oid::regclass::text as name, c.relkind::text as kind
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p', 'S')
      and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('e', 'a', 'i'))
    order by c.relkind desc, 1
"""
_RUNNING = """
    select count(*) from pg_stat_activity
    where datname = current_database() and application_name like 'traboule.%' and pid <> pg_backend_pid()
"""
# What had been sent to its queue again is not in the queue any more: a person may replay it once more.
_PARK_AGAIN = """
    update dead_letters
    set status = 'parked',
        history = history || jsonb_build_array(jsonb_build_object('at', now(), 'what', 'parked', 'note',
            'its replay was under way when the backup was made'))
    where status = 'replaying'
"""
# Former systems may have been told under numbers that were given after the backup, and what they read must be newer.
_NUMBER_ON = "select setval('identity_version', nextval('identity_version') + 1000000000)"
_FOREIGN = ("EXTENSION", "SCHEMA", "DATABASE", "ACL")


async def prepare(name: str, settings: ServiceSettings, admin_url: str | None) -> None:
    """Make the role, the database and its extensions where they are missing. Raises Unreachable.

    Without an administrator's address all of it must be there.
    """
    if admin_url is None:
        return
    own = make_url(settings.database_url)
    try:
        admin: asyncpg.Connection[Any] = await asyncpg.connect(asyncpg_url(admin_url), timeout=10)
        try:
            if not await admin.fetchval("select 1 from pg_roles where rolname = $1", own.username):
                role = "select format('create role %I login password %L', $1::text, $2::text)"
                await admin.execute(await admin.fetchval(role, own.username, own.password))
            if not await admin.fetchval("select 1 from pg_database where datname = $1", own.database):
                # An administrator who is not a superuser can only give a database to a role that he belongs to.
                await admin.execute(
                    await admin.fetchval("select format('grant %I to current_user', $1::text)", own.username)
                )
                for statement in ("create database %1$I owner %2$I", "revoke all on database %1$I from public"):
                    text = await admin.fetchval(
                        f"select format('{statement}', $1::text, $2::text)", own.database, own.username
                    )
                    await admin.execute(text)
        finally:
            await admin.close()
        if own.database is not None:
            await _extensions(admin_url, own.database, EXTENSIONS.get(name, ()))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unreachable(f"the administrator's database, for {name}: {type(error).__name__}") from None


async def require_empty(name: str, settings: ServiceSettings, server: int) -> None:
    """Make sure that nothing is lost by restoring here. Raises CannotAct, Unreachable."""
    async with connected(name, settings) as connection:
        here = connection.get_server_version().major
        if here < server:
            raise CannotAct(
                f"the {name} service's PostgreSQL is {here}, and the backup is of {server}: upgrade it first"
            )
        if await connection.fetchval(_RUNNING):
            raise CannotAct(f"the {name} service is running on its database: stop it first")
        tables = [row["name"] for row in await connection.fetch(_OWN) if row["kind"] != "S"]
        for table in tables:
            if table != "alembic_version" and await connection.fetchval(f"select exists (select from {table})"):
                raise CannotAct(
                    f"the {name} service's database {make_url(settings.database_url).database} is not empty: {table} "
                    "holds rows. Restore into a new one, or drop it first"
                )


async def restore(name: str, settings: ServiceSettings, path: Path, server: int) -> None:
    """Fill an empty database, whole or not at all. Raises CannotAct, Unreachable."""
    async with connected(name, settings) as connection:
        await _drop(connection)
        here = connection.get_server_version().major
    with tempfile.NamedTemporaryFile("w", prefix="traboule-", suffix=".list") as chosen:
        # What an administrator made belongs to him: the service's role could not make it again.
        chosen.write("\n".join(line for line in contents(path, max(here, server)) if not is_foreign(line)))
        chosen.flush()
        options = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-acl", "--no-password"]
        database = f"--dbname={make_url(settings.database_url).database}"
        program = tool("pg_restore", max(here, server))
        await call([program, *options, f"--use-list={chosen.name}", database, str(path)], settings.database_url)
    async with connected(name, settings) as connection:
        await connection.execute(_PARK_AGAIN)
        if name == "membership":
            await connection.execute(_NUMBER_ON)
        await connection.execute("analyze")


def is_foreign(line: str) -> bool:
    """Whether a line of a dump's contents names what an administrator made, and not the service's role."""
    # "3; 3079 16390 EXTENSION - pg_trgm", "4000; 0 0 COMMENT - EXTENSION pg_trgm", "5; 2615 2200 SCHEMA - public owner"
    words = line.partition(";")[2].split()[2:]
    return bool(words) and (words[0] in _FOREIGN or (words[0] == "COMMENT" and words[2] in _FOREIGN))


async def _drop(connection: asyncpg.Connection[Any]) -> None:
    """Drop a schema that holds no row, as a provisioned house has it."""
    rows = await connection.fetch(_OWN)
    for kinds, verb in ((("r", "p"), "table"), (("S",), "sequence")):
        if names := [row["name"] for row in rows if row["kind"] in kinds]:
            await connection.execute(f"drop {verb} {', '.join(names)}")


async def _extensions(admin_url: str, database: str, extensions: Iterable[str]) -> None:
    inside: asyncpg.Connection[Any] = await asyncpg.connect(
        asyncpg_url(make_url(admin_url).set(database=database).render_as_string(hide_password=False)), timeout=10
    )
    try:
        for extension in extensions:
            await inside.execute(f"create extension if not exists {extension}")
    finally:
        await inside.close()
