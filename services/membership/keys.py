"""API keys: who may read at the HTTP door. ``trb_<id>_<secret>``; only a hash of the secret is kept."""

import secrets
from collections.abc import Callable, Coroutine
from datetime import timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Any

import asyncpg
import orjson
import typer
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ops.output import run, terminal

_CREATE = "insert into api_keys (id, hash, name, role, expires_at) values ($1, $2, $3, $4, now() + $5)"
_LIST = """
    select id, name, role, created_at, expires_at, revoked_at, revoked_at is null and expires_at > now() as usable
    from api_keys order by created_at, id
"""
_REVOKE = "update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1 returning name"

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


class Role(StrEnum):
    """What a key may do; each may also do what those before it may.

    Readers read members. Staff also read sources, decide about members and write records. To move a former system over
    or back is an administrator's.
    """

    READER = "reader"
    STAFF = "staff"
    ADMIN = "admin"


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret.

    A slow password hash would protect secrets that people choose. These are 32 random bytes: nobody can try them all,
    however fast the hash, and a fast one can be checked on every request.
    """
    return blake2b(secret.encode(), digest_size=32, person=b"traboule api key").digest()


async def create_key(connection: AsyncConnection, name: str, role: str, days: int) -> str:
    """Make a key and return it: nobody can read it again. Raises ValueError for an unknown role or no days."""
    if days < 1:
        raise ValueError("a key must be good for a day at least")
    key_id = "".join(secrets.choice(_LETTERS) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    values = (key_id, hash_secret(secret), name, Role(role).value, timedelta(days=days))
    await connection.exec_driver_sql(_CREATE, values)
    return f"trb_{key_id}_{secret}"


async def list_keys(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Every key ever made, without its hash, and whether it still opens the door."""
    return [dict(row) for row in (await connection.exec_driver_sql(_LIST)).mappings()]


async def revoke_key(connection: AsyncConnection, key_id: str) -> str | None:
    """Close the door to a key, within ten seconds; returns its name, or None if there is no such key."""
    return (await connection.exec_driver_sql(_REVOKE, (key_id,))).scalar()


# --- traboule keys -------------------------------------------------------------------------------------------------

keys = typer.Typer(name="keys", help="API keys for the HTTP door.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@keys.command("create")
def create(
    name: Annotated[str, typer.Option(help="who or what will use it")],
    role: Annotated[
        Role,
        typer.Option(
            help="reader: members, statistics; staff: also sources, CSV, decisions; admin: also moves former systems"
        ),
    ],
    days: Annotated[int, typer.Option(min=1, max=3650, help="days until it expires")] = 365,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, once.

    Example: [bold]traboule keys create --name "Extranet" --role reader --days 90[/]
    """
    key = _in_database(lambda connection: create_key(connection, name, role, days))
    if as_json:
        typer.echo(orjson.dumps({"id": key.split("_")[1], "key": key, "name": name, "role": role, "days": days}))
        return
    typer.echo(key)
    typer.secho("Keep it now: it cannot be shown again. Send it as  Authorization: Bearer <key>", err=True, dim=True)


@keys.command("list")
def show(as_json: AsJson = False) -> None:
    """List keys, never their secrets."""
    found = _in_database(list_keys)
    if as_json:
        typer.echo(orjson.dumps(found))
        return
    table = Table("id", "name", "role", "created", "expires", "state")
    for one in found:
        state = "usable" if one["usable"] else "revoked" if one["revoked_at"] else "expired"
        days = (f"{one[when]:%Y-%m-%d}" for when in ("created_at", "expires_at"))
        table.add_row(one["id"], one["name"], one["role"], *days, state)
    terminal().print(table)


@keys.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="as `traboule keys list` shows it")]) -> None:
    """Close the door to a key, within ten seconds.

    Example: [bold]traboule keys revoke k7m2p9x4q8zt[/]
    """
    name = _in_database(lambda connection: revoke_key(connection, key_id))
    if name is None:
        typer.secho(f"there is no key {key_id}", fg="red", err=True)
        raise typer.Exit(1)
    typer.echo(f"{key_id} ({name}) is revoked")


def _in_database(work: Callable[[AsyncConnection], Coroutine[Any, Any, Any]]) -> Any:
    from services.ops.environment import settings_of
    from services.ops.parked import Unreachable
    from shared.persistence.database import create_engine

    async def in_transaction() -> Any:
        engine = create_engine(settings_of("membership").database_url, application="traboule.keys", pool_size=1)
        try:
            async with engine.begin() as connection:
                return await work(connection)
        except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError) as error:
            raise Unreachable.database("membership", error) from None
        finally:
            await engine.dispose()

    return run(in_transaction())
