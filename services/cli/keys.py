"""``traboule keys``: API keys for the HTTP gateway, made, listed and revoked."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import asyncpg
import orjson
import typer
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.environment import load_settings
from services.gateway.auth.keys import Role, create_key, list_keys, revoke_key
from services.membership.settings import MembershipSettings
from shared.cli.errors import Unreachable
from shared.cli.options import Json
from shared.cli.terminal import run, terminal
from shared.persistence.database import create_engine

keys = typer.Typer(name="keys", help="API keys for the HTTP gateway.", no_args_is_help=True)


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
    json: Json = False,
) -> None:
    """Make a key and show it, once.

    Example: [bold]traboule keys create --name "Extranet" --role reader --days 90[/]
    """
    key = _in_database(lambda connection: create_key(connection, name, role, days))
    if json:
        typer.echo(orjson.dumps({"id": key.split("_")[1], "key": key, "name": name, "role": role, "days": days}))
        return
    typer.echo(key)
    typer.secho("Keep it now: it cannot be shown again. Send it as  Authorization: Bearer <key>", err=True, dim=True)


@keys.command("list")
def show(json: Json = False) -> None:
    """List keys, never their secrets."""
    database = _in_database(list_keys)
    if json:
        typer.echo(orjson.dumps(database))
        return
    table = Table("id", "name", "role", "created", "expires", "state")
    for item in database:
        state = "usable" if item["usable"] else "revoked" if item["revoked_at"] else "expired"
        days = (f"{item[when]:%Y-%m-%d}" for when in ("created_at", "expires_at"))
        table.add_row(item["id"], item["name"], item["role"], *days, state)
    terminal().print(table)


@keys.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="as `traboule keys list` shows it")]) -> None:
    """Revoke a key, within ten seconds.

    Example: [bold]traboule keys revoke k7m2p9x4q8zt[/]
    """
    name = _in_database(lambda connection: revoke_key(connection, key_id))
    if name is None:
        typer.secho(f"there is no key {key_id}", fg="red", err=True)
        raise typer.Exit(1)
    typer.echo(f"{key_id} ({name}) is revoked")


def _in_database(work: Callable[[AsyncConnection], Coroutine[Any, Any, Any]]) -> Any:
    async def in_transaction() -> Any:
        engine = create_engine(
            load_settings("membership", MembershipSettings).database_url, application="traboule.keys", pool_size=1
        )
        try:
            async with engine.begin() as connection:
                return await work(connection)
        except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError) as error:
            raise Unreachable.database("membership", error) from None
        finally:
            await engine.dispose()

    return run(in_transaction())
