"""``traboule migrate``: bring databases to this program's schema, or say what they lack."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services import SERVICES

if TYPE_CHECKING:
    from shared.runtime.settings import ServiceSettings


def migrate(
    service: Annotated[str | None, typer.Argument(metavar="[SERVICE]", help=", ".join(SERVICES))] = None,
    every: Annotated[bool, typer.Option("--all", help="every configured service")] = False,
    post: Annotated[
        bool, typer.Option("--post", help="also what the version before cannot live with: none of it may run any more")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="change nothing; exit code 1 if a schema is not as it should be")
    ] = False,
) -> None:
    """Bring a service's database to the newest schema. Running it again, or twice at once, changes nothing.

    Run it before the services of a new version start; those of the version before may run on meanwhile. What they could
    not live with waits for [bold]--post[/], once they are gone. Before the next upgrade, --post must have run.

    Examples: [bold]traboule migrate billing[/], [bold]traboule migrate --all[/],
    [bold]traboule migrate --all --post[/], [bold]traboule migrate --all --check[/]
    """
    from services.ops.environment import configured
    from services.ops.output import refuse
    from shared.persistence.migrations import UnknownRevisionError

    if (service is None) != every:
        raise typer.BadParameter("name one service, or say --all")
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"there is no service {service!r}; there are {', '.join(SERVICES)}")
    wrong = False
    for name, settings in configured(service).items():
        try:
            if check:
                wrong |= _check(name, settings)
            else:
                _migrate(name, settings, post=post)
        except UnknownRevisionError as error:
            refuse(f"{name}: {error}")
    if wrong:
        raise typer.Exit(1)


def migrations_of(service: str) -> Path:
    """A service's Alembic history."""
    return Path(__file__).parents[1] / service / "migrations"


def _migrate(name: str, settings: ServiceSettings, *, post: bool) -> None:
    from services.membership.cli.rebuild import rebuild_now, tell
    from services.membership.settings import MembershipSettings
    from shared.persistence.migrations import upgrade

    left = upgrade(migrations_of(name), settings.database_url, post=post)
    if left.waiting:
        typer.echo(
            f"{name}: {', '.join(left.waiting)} must wait until no process of an earlier version runs: then run "
            f"traboule migrate {name} --post"
        )
    else:
        typer.echo(f"{name}: the schema is up to date")
    if isinstance(settings, MembershipSettings):
        typer.echo(tell(rebuild_now(settings, if_needed=True)))


def _check(name: str, settings: ServiceSettings) -> bool:
    """Print what is not as it should be; whether there was any."""
    lines = schema_faults(name, settings)
    for line in lines or ["the schema is as this program's"]:
        typer.echo(f"{name}: {line}")
    return bool(lines)


def schema_faults(name: str, settings: ServiceSettings) -> list[str]:
    """What the database lacks or has otherwise than this program's tables say. Raises UnknownRevisionError."""
    from shared.persistence.migrations import differences, pending

    left = pending(migrations_of(name), settings.database_url)
    if left.now or left.waiting:
        faults = [f"{revision} has not run: traboule migrate {name}" for revision in left.now]
        return [*faults, *(f"{revision} has not run: traboule migrate {name} --post" for revision in left.waiting)]
    return differences(settings.database_url, import_module(f"services.{name}.tables").metadata)
