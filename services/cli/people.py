"""``traboule people``: who may use the console, and links that let them in."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cli.grants import grant_from, note_at_terminal, operator
from services.cli.membership_database import in_database
from services.common.environment import load_settings
from services.gateway.auth import grants
from services.gateway.auth import people as kept
from services.membership.settings import MembershipSettings
from shared.cli.author import required_text
from shared.cli.options import Json
from shared.cli.terminal import as_json, refuse, terminal

people = typer.Typer(name="people", help="Who may use the console, and links that let them in.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(metavar="WHO", help="id, e-mail address or name")]
_ROLES = "reader, staff, treasurer, operator or admin; for one cluster: staff@numelink; may be repeated"


@people.command("invite")
def invite(
    name: Annotated[str, typer.Argument(help="how the person is called")],
    role: Annotated[list[str], typer.Option(help=_ROLES)],
    email: Annotated[str, typer.Option(help="for an identity provider that knows them by it")] = "",
    locale: Annotated[str, typer.Option(help="language of the console: fr or en")] = "fr",
    minutes: Annotated[int, typer.Option(min=1, max=1_440, help="minutes until the link is too old")] = 15,
    json: Json = False,
) -> None:
    """Let a person in, and print a link that signs them in once.

    Example: [bold]traboule people invite "Marie Dupuis" --role staff@numelink[/]
    """
    given = [grant_from(text) for text in role]
    called = required_text("NAME", name, kept.LONGEST_NAME)
    if locale not in ("fr", "en"):
        refuse("--locale must be fr or en")

    async def work(connection: AsyncConnection) -> tuple[str, str]:
        person_id = await kept.create_person(connection, called, email or None, given, by=operator(), locale=locale)
        await note_at_terminal(connection, f"person:{person_id}", ", ".join(map(str, given)))
        token, _ = await kept.create_link(connection, person_id, by=operator(), minutes=minutes)
        return person_id, token

    person_id, token = _in_database(work)
    _show_link(person_id, token, minutes, json=json)


@people.command("link")
def link(
    who: Who,
    minutes: Annotated[int, typer.Option(min=1, max=1_440, help="minutes until it is too old")] = 15,
    json: Json = False,
) -> None:
    """Print a link that signs a person in once.

    Example: [bold]traboule people link marie@numelink.example[/]
    """

    async def work(connection: AsyncConnection) -> tuple[str, str]:
        person_id = await kept.find_person(connection, who)
        await note_at_terminal(connection, f"person:{person_id}", "link")
        token, _ = await kept.create_link(connection, person_id, by=operator(), minutes=minutes)
        return person_id, token

    person_id, token = _in_database(work)
    _show_link(person_id, token, minutes, json=json)


@people.command("list")
def show(json: Json = False) -> None:
    """List people: what they may do, when they were seen last.

    Example: [bold]traboule people list[/]
    """
    everybody = _in_database(kept.list_people)
    if json:
        as_json(everybody)
        return
    table = Table("id", "name", "may be", "seen", "state")
    for item in everybody:
        roles = ", ".join(
            f"{each['role']}@{each['cluster']}" if each["cluster"] else each["role"] for each in item["grants"]
        )
        seen = f"{item['seen_at']:%Y-%m-%d %H:%M}" if item["seen_at"] else "never"
        table.add_row(item["id"], item["name"], roles, seen, "disabled" if item["disabled_at"] else "may come in")
    terminal().print(table)


@people.command("grant")
def grant(who: Who, role: Annotated[list[str], typer.Option(help=_ROLES)]) -> None:
    """Give a person a role, within ten seconds.

    Example: [bold]traboule people grant "Marie Dupuis" --role treasurer[/]
    """
    given = [grant_from(text) for text in role]

    async def work(connection: AsyncConnection) -> str:
        person_id = await kept.find_person(connection, who)
        await grants.give(connection, given, by=operator(), person_id=person_id)
        await note_at_terminal(connection, f"person:{person_id}", ", ".join(map(str, given)))
        return person_id

    typer.echo(f"{_in_database(work)} is given {', '.join(map(str, given))}")


@people.command("take")
def take(
    who: Who, role: Annotated[str, typer.Option(help="as `traboule people list` shows it: staff@numelink")]
) -> None:
    """Take a role from a person, within ten seconds.

    Example: [bold]traboule people take "Marie Dupuis" --role treasurer[/]
    """
    taken = grant_from(role)

    async def work(connection: AsyncConnection) -> bool:
        person_id = await kept.find_person(connection, who)
        ended = await grants.end_by_name(connection, person_id, taken, operator())
        await note_at_terminal(connection, f"person:{person_id}", f"-{taken}")
        return ended

    if not _in_database(work):
        refuse(f"{who} has no grant {taken}; see `traboule people list`")
    typer.echo(f"{taken} is taken from {who}")


@people.command("disable")
def disable(who: Who) -> None:
    """Sign a person out within ten seconds, and let them in no more.

    Example: [bold]traboule people disable "Marie Dupuis"[/]
    """

    async def work(connection: AsyncConnection) -> str:
        person_id = await kept.find_person(connection, who)
        await note_at_terminal(connection, f"person:{person_id}", "disabled")
        return await kept.disable_person(connection, person_id)

    typer.echo(f"{_in_database(work)} is signed out, and may come in no more")


@people.command("enable")
def enable(who: Who) -> None:
    """Let a person in again, with the roles that they had.

    Example: [bold]traboule people enable "Marie Dupuis"[/]
    """

    async def work(connection: AsyncConnection) -> str:
        person_id = await kept.find_person(connection, who)
        await note_at_terminal(connection, f"person:{person_id}", "enabled")
        return await kept.enable_person(connection, person_id)

    typer.echo(f"{_in_database(work)} may come in again: `traboule people link` makes a link")


def _show_link(person_id: str, token: str, minutes: int, *, json: bool) -> None:
    url = f"{load_settings('membership', MembershipSettings).console_url}/console/connexion/{token}"
    if json:
        as_json({"id": person_id, "link": url, "minutes": minutes})
        return
    typer.echo(url)
    typer.secho(f"Good for one use, within {minutes} minutes. Whoever opens it is that person.", err=True, dim=True)


def _in_database(work: Callable[[AsyncConnection], Coroutine[Any, Any, Any]]) -> Any:
    try:
        return in_database(work, application="traboule.people")
    except kept.PersonUnknownError:
        refuse("there is nobody of that id, address or name, or there are several: see `traboule people list`")
    except kept.EmailTakenError:
        refuse("somebody has this e-mail address already: see `traboule people list`")
    except grants.LastAdministratorError:
        refuse("somebody must be left who administers the whole installation")
