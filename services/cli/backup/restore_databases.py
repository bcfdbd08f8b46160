"""One service's database out of a dump: a role and a database if need be, the rows, and what they must forget."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from services import EXTENSIONS
from services.cli.backup.databases import connected
from services.cli.backup.folder import Database
from services.cli.backup.tools import call, contents, tool
from shared.cli.errors import CannotAct, Unreachable
from shared.persistence.database import asyncpg_url
from shared.runtime.settings import ServiceSettings

_OWN = """
    select c.oid::regclass::text as name, c.relkind::text as kind
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p', 'S')
      and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('e', 'a', 'i'))
    order by c.relkind desc, 1
"""
_FUNCTIONS = """
    select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'public' and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
"""
"""Those of triggers, which belong to no table; without those of extensions."""
_RUNNING = """
    select exists (select from pg_stat_activity where datname = current_database()
                   and application_name like 'traboule.%' and pid <> pg_backend_pid())
"""
_ROOM = f"""
    select ({_RUNNING}) as running, current_database()::text as database, current_user::text as role,
           has_schema_privilege('public', 'create') as may_make,
           array(select extname::text from pg_extension) as extensions
"""
_ADMINISTRATOR = """
    select rolsuper or (rolcreatedb and rolcreaterole) as may_make,
           current_setting('server_version_num')::int / 10000 as server,
           array(select rolname::text from pg_roles) as roles,
           array(select datname::text from pg_database) as databases,
           array(select name::text from pg_available_extensions) as extensions
    from pg_roles where rolname = current_user
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
ASK = "With TRABOULE_DATABASE_URL, an administrator's, the restore makes what is missing"
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


async def running(services: Mapping[str, ServiceSettings]) -> list[str]:
    """The services that run on their databases; one whose database does not answer does not run."""
    names: list[str] = []
    for name, settings in services.items():
        with suppress(Unreachable):
            async with connected(name, settings) as connection:
                if await connection.fetchval(_RUNNING):
                    names.append(name)
    return names


async def require_room(
    services: Mapping[str, ServiceSettings], databases: Mapping[str, Database], admin_url: str | None
) -> None:
    """Make sure that a restore here loses nothing and can be done; nothing is changed. Raises CannotAct, Unreachable.

    With an administrator's address, what :func:`prepare` makes may be missing still.
    """
    missing = frozenset[str]() if admin_url is None else await _missing(services, databases, admin_url)
    filled: dict[str, str] = {}
    for name, settings in services.items():
        if name in missing:
            continue
        async with connected(name, settings) as connection:
            _require_version(name, connection.get_server_version().major, databases[name].server)
            row = await connection.fetchrow(_ROOM)
            assert row is not None, "a select without a table has one row"
            if row["running"]:
                raise CannotAct(f"the {name} service is running on its database: stop it first")
            if not row["may_make"]:
                raise CannotAct(f"the role {row['role']} may make no tables in {row['database']}: let it own it")
            lacks = [] if admin_url else [text for text in EXTENSIONS.get(name, ()) if text not in row["extensions"]]
            if lacks:
                raise CannotAct(f"the database {row['database']} lacks the extensions {', '.join(lacks)}. {ASK}")
            if (table := await _filled(connection)) is not None:
                filled[row["database"]] = table
    if filled:
        tables = ", ".join(f"{database} ({table} holds rows)" for database, table in filled.items())
        drops = " ".join(f'drop database "{database}";' for database in filled)
        raise CannotAct(
            f"not empty: {tables}. Restore into new ones. If nobody needs what they hold, as after a restore that "
            f"failed midway, drop them as the server's administrator:\n  {drops}\n{ASK}"
        )


async def restore(name: str, settings: ServiceSettings, path: Path, server: int) -> None:
    """Fill an empty database, whole or not at all. Raises CannotAct, Unreachable."""
    async with connected(name, settings) as connection:
        await _drop(connection)
        ours = connection.get_server_version().major
    with tempfile.NamedTemporaryFile("w", prefix="traboule-", suffix=".list") as chosen:
        # What an administrator made belongs to him: the service's role could not make it again.
        chosen.write("\n".join(line for line in contents(path, max(ours, server)) if not is_foreign(line)))
        chosen.flush()
        options = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-acl", "--no-password"]
        database = f"--dbname={make_url(settings.database_url).database}"
        program = tool("pg_restore", max(ours, server))
        await call([program, *options, f"--use-list={chosen.name}", database, str(path)], settings.database_url)
    async with connected(name, settings) as connection:
        await connection.execute(_PARK_AGAIN)
        if name == "membership":
            await connection.execute(_NUMBER_ON)
        await connection.execute("analyze")


async def _missing(
    services: Mapping[str, ServiceSettings], databases: Mapping[str, Database], admin_url: str
) -> frozenset[str]:
    """The services whose databases are not there; the administrator may make them. Raises CannotAct, Unreachable."""
    try:
        admin: asyncpg.Connection[Any] = await asyncpg.connect(asyncpg_url(admin_url), timeout=10)
        try:
            row = await admin.fetchrow(_ADMINISTRATOR)
        finally:
            await admin.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unreachable(f"the administrator's database: {type(error).__name__}") from None
    assert row is not None, "whoever is logged in has a role"
    missing: set[str] = set()
    for name, settings in services.items():
        own = make_url(settings.database_url)
        if own.database in row["databases"]:
            continue
        if not row["may_make"]:
            raise CannotAct(f"{own.database} is not there, and the administrator's role may not make it")
        if lacks := [text for text in EXTENSIONS.get(name, ()) if text not in row["extensions"]]:
            raise CannotAct(f"the database server has no {', '.join(lacks)}: apt-get install postgresql-contrib")
        _require_version(name, row["server"], databases[name].server)
        await _require_same_server(name, settings, has_role=own.username in row["roles"])
        missing.add(name)
    return frozenset(missing)


async def _require_same_server(name: str, settings: ServiceSettings, *, has_role: bool) -> None:
    """Make sure that a service reaches the server that lacks its database. Raises CannotAct, Unreachable."""
    # A server says "wrong password" of a role that it does not have, too.
    expected = asyncpg.InvalidCatalogNameError if has_role else asyncpg.InvalidAuthorizationSpecificationError
    try:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(asyncpg_url(settings.database_url), timeout=10)
    except expected:
        return
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unreachable.database(name, error) from None
    await connection.close()
    raise CannotAct(f"the {name} service's database is on another server than the administrator's")


def _require_version(name: str, number: int, server: int) -> None:
    """Make sure that a server, and a pg_restore, can read a dump of another. Raises CannotAct."""
    if number < server:
        raise CannotAct(f"the {name} service's PostgreSQL is {number}, and the backup is of {server}: upgrade it first")
    tool("pg_restore", number)


async def _filled(connection: asyncpg.Connection[Any]) -> str | None:
    """A table that holds rows, if one does."""
    tables = [row["name"] for row in await connection.fetch(_OWN) if row["kind"] != "S"]
    for table in tables:
        if table != "alembic_version" and await connection.fetchval(f"select exists (select from {table})"):
            return table
    return None


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
    if functions := [row["name"] for row in await connection.fetch(_FUNCTIONS)]:
        await connection.execute(f"drop function {', '.join(functions)}")


async def _extensions(admin_url: str, database: str, extensions: Iterable[str]) -> None:
    inside: asyncpg.Connection[Any] = await asyncpg.connect(
        asyncpg_url(make_url(admin_url).set(database=database).render_as_string(hide_password=False)), timeout=10
    )
    try:
        for extension in extensions:
            await inside.execute(f"create extension if not exists {extension}")
    finally:
        await inside.close()
