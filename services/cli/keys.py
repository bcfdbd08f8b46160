"""``traboule keys``: API keys for the HTTP gateway, made, listed and revoked."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cli.grants import grant_from, note_at_terminal, operator
from services.cli.membership_database import in_database
from services.gateway.auth.keys import create_key, list_keys, revoke_key
from services.gateway.auth.rights import Role
from shared.cli.options import Json
from shared.cli.terminal import terminal

keys = typer.Typer(name="keys", help="API keys for the HTTP gateway.", no_args_is_help=True)


@keys.command("create")
def create(
    name: Annotated[str, typer.Option(help="who or what will use it")],
    role: Annotated[
        list[str],
        typer.Option(help=f"{', '.join(Role)}; for one cluster: staff@numelink; may be repeated"),
    ],
    days: Annotated[int, typer.Option(min=1, max=3650, help="days until it expires")] = 365,
    signs_for_others: Annotated[
        bool,
        typer.Option(help="its program knows its own users, and may name one as the author of what it does"),
    ] = False,
    json: Json = False,
) -> None:
    """Make a key and show it, once.

    Example: [bold]traboule keys create --name "Extranet" --role reader --days 90[/]
    """
    grants = [grant_from(text) for text in role]

    async def create_in(connection: AsyncConnection) -> str:
        made = await create_key(connection, name, grants, days, by=operator(), signs_for_others=signs_for_others)
        await note_at_terminal(connection, f"key:{made.split('_')[1]}", ", ".join(map(str, grants)))
        return made

    key = _in_database(create_in)
    if json:
        roles = [str(grant) for grant in grants]
        typer.echo(orjson.dumps({"id": key.split("_")[1], "key": key, "name": name, "roles": roles, "days": days}))
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
    table = Table("id", "name", "roles", "created", "expires", "state")
    for item in database:
        state = "usable" if item["usable"] else "revoked" if item["revoked_at"] else "expired"
        days = (f"{item[when]:%Y-%m-%d}" for when in ("created_at", "expires_at"))
        table.add_row(item["id"], item["name"], ", ".join(item["roles"]), *days, state)
    terminal().print(table)


@keys.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="as `traboule keys list` shows it")]) -> None:
    """Revoke a key, within ten seconds.

    Example: [bold]traboule keys revoke k7m2p9x4q8zt[/]
    """

    async def revoke_in(connection: AsyncConnection) -> str | None:
        revoked = await revoke_key(connection, key_id)
        if revoked is not None:
            await note_at_terminal(connection, f"key:{key_id}", "revoked")
        return revoked

    name = _in_database(revoke_in)
    if name is None:
        typer.secho(f"there is no key {key_id}", fg="red", err=True)
        raise typer.Exit(1)
    typer.echo(f"{key_id} ({name}) is revoked")


def _in_database(work: Callable[[AsyncConnection], Coroutine[Any, Any, Any]]) -> Any:
    return in_database(work, application="traboule.keys")
