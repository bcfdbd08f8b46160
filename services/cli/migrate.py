"""``traboule migrate``: bring databases to this program's schema, or say what they lack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from services import SERVICES
from services.cli.environment import configured
from services.cli.members.rebuild import rebuild_now, summary
from services.cli.registry import definition_of
from services.membership.settings import MembershipSettings
from shared.cli.errors import Unreachable
from shared.cli.terminal import refuse
from shared.persistence.migrations import Pending, UnknownRevisionError, differences, pending, upgrade
from shared.runtime.settings import ServiceSettings


def migrate(
    service: Annotated[str | None, typer.Argument(metavar="[SERVICE]", help=", ".join(SERVICES))] = None,
    every: Annotated[bool, typer.Option("--all", help="every configured service")] = False,
    post: Annotated[
        bool, typer.Option("--post", help="also what the version before cannot live with: none of it may run any more")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="change nothing; exit code 1 if this program cannot run with a schema")
    ] = False,
) -> None:
    """Bring a service's database to the newest schema. Running it again, or twice at once, changes nothing.

    Run it before the services of a new version start; those of the version before may run on meanwhile. What they could
    not live with waits for [bold]--post[/], once they are gone; until then one can go back to that version. Before the
    next upgrade, --post must have run.

    With --check the exit code is 0 if the services of this program can run: what waits for --post is told, and no
    fault.

    Examples: [bold]traboule migrate billing[/], [bold]traboule migrate --all[/],
    [bold]traboule migrate --all --post[/], [bold]traboule migrate --all --check[/]
    """
    if (service is None) != every:
        raise typer.BadParameter("name one service, or say --all")
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"there is no service {service!r}; there are {', '.join(SERVICES)}")
    wrong, away = False, list[str]()
    for name, settings in configured(service).items():
        try:
            if check:
                wrong |= _check(name, settings)
            else:
                _migrate(name, settings, post=post)
        except UnknownRevisionError as error:
            refuse(f"{name}: {error}")
        except Unreachable as error:
            away.append(str(error))
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            # Of a statement that fails SQLAlchemy tells, with where it stands: that is a fault of ours.
            away.append(str(Unreachable.database(name, error)))
    if away:
        refuse("\n".join(away))
    if wrong:
        raise typer.Exit(1)


def migrations_of(service: str) -> Path:
    """A service's Alembic history."""
    return Path(__file__).parents[1] / service / "migrations"


def in_words(name: str, left: Pending) -> str:
    """Where a service's schema stands after it was migrated, in a line."""
    if left.newer is not None:
        return f"{name}: {_newer(left.newer)}; nothing was changed"
    if left.blocked:
        return f"{name}: {blocked(name, left)}"
    if left.waiting:
        return (
            f"{name}: {', '.join(left.waiting)} must wait until no process of an earlier version runs: then run "
            f"traboule migrate {name} --post"
        )
    return f"{name}: the schema is up to date"


def blocked(name: str, left: Pending) -> str:
    """Why this program cannot run, and what to do, where something that it needs has to wait."""
    return (
        f"this program needs {', '.join(left.blocked)}, and before it {left.waiting[0]}, which no process of an "
        f"earlier version could live with: stop the services, then run traboule migrate {name} --post"
    )


def _newer(revision: str) -> str:
    return f"the schema is at {revision}, of a newer program; this one can live with it"


def _migrate(name: str, settings: ServiceSettings, *, post: bool) -> None:
    left = upgrade(migrations_of(name), settings.database_url, post=post)
    typer.echo(in_words(name, left))
    # Where something waits that this program needs, there are no columns yet to rebuild.
    if isinstance(settings, MembershipSettings) and not left.blocked:
        typer.echo(summary(rebuild_now(settings, if_needed=True)))


def _check(name: str, settings: ServiceSettings) -> bool:
    """Print how the schema stands; whether this program cannot run with it."""
    state = schema_state(name, settings)
    lines = [*state.faults, *state.waiting, *([state.newer] if state.newer else [])]
    for line in lines or ["the schema is as this program's"]:
        typer.echo(f"{name}: {line}")
    return bool(state.faults)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """``faults`` are what this program cannot run with, a line each.

    ``waiting`` is what only --post does, and ``newer`` that another version is ahead: this program runs with both.
    """

    faults: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    newer: str | None = None


def schema_state(name: str, settings: ServiceSettings) -> SchemaState:
    """What the database lacks or has otherwise than this program's tables say. Raises UnknownRevisionError."""
    left = pending(migrations_of(name), settings.database_url)
    if left.newer is not None:
        return SchemaState(newer=_newer(left.newer))
    missing = tuple(f"{text} has not run: traboule migrate {name}" for text in left.now)
    waiting = tuple(f"{text} has not run: traboule migrate {name} --post" for text in left.waiting)
    if left.blocked:
        return SchemaState((*missing, blocked(name, left)), waiting)
    if missing or waiting:
        return SchemaState(missing, waiting)
    return SchemaState(tuple(differences(settings.database_url, definition_of(name).metadata)))
