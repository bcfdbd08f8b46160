"""``traboule republish``: let services tell again all that they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy.exc import SQLAlchemyError

from services.cli.environment import configured
from services.cli.registry import definition_of
from services.common.definition import ServiceDefinition
from shared.cli.errors import Unreachable
from shared.cli.options import Json
from shared.cli.terminal import as_json, run
from shared.persistence.database import create_engine
from shared.runtime.settings import ServiceSettings

OnPage = Callable[[str, int, int], None]
"""What is published, how many of it, and of how many."""


def republish(
    service: Annotated[
        list[str] | None, typer.Option("--service", "-s", help="only this one; several times for more")
    ] = None,
    json: Json = False,
) -> None:
    """Publish again all that the services hold, such as after a restore, or when a queue was lost.

    Whoever has it sees a duplicate, whoever lost it applies it; commands are not sent again. It goes by pages into the
    outboxes, so the services may run meanwhile, and it may be killed and run again.

    Examples: [bold]traboule republish[/], [bold]traboule republish -s billing -s events[/]
    """
    names = {name: configured(name)[name] for name in service} if service else configured()
    published = run(_republish(names))
    if json:
        as_json(published)
        return
    for name, kinds in published.items():
        typer.echo(f"{name}: told again {', '.join(f'{count:,} {kind}' for kind, count in kinds.items())}")


async def _republish(services: dict[str, ServiceSettings]) -> dict[str, dict[str, int]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def progress(what: str, done: int, of: int) -> None:
            task = tasks.setdefault(what, bars.add_task(what)) if what not in tasks else tasks[what]
            bars.update(task, completed=done, total=max(done, of))

        return {
            name: await republish_service(definition_of(name), settings, progress)
            for name, settings in services.items()
        }


async def republish_service(
    definition: ServiceDefinition[Any], settings: ServiceSettings, progress: OnPage
) -> dict[str, int]:
    """How many of each kind were told again. Raises Unreachable."""
    unit_of_work = definition.unit_of_work(settings)
    engine = create_engine(settings.database_url, application="traboule republish", pool_size=1)
    published: dict[str, int] = {}
    try:
        for republisher in definition.republished:
            published[republisher.name] = 0
            async with engine.connect() as connection:
                of = (await connection.exec_driver_sql(republisher.count)).scalar_one()
            place, more = None, True
            while more:
                # A page a transaction: consumers wait for none of them longer than for a batch of messages.
                async with engine.begin() as connection:
                    uow = unit_of_work(connection)
                    page = await republisher.page(uow, place)
                    await uow.outbox.flush(connection)
                place, more = page.next, page.next is not None
                published[republisher.name] += page.published
                progress(f"{definition.name}: {republisher.name}", published[republisher.name], of)
    except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError) as error:
        raise Unreachable.database(definition.name, error) from None
    finally:
        await engine.dispose()
    return published
