"""``traboule rebuild``: compute anew what is computed from the source records."""

import asyncio
from typing import Annotated, Any

import asyncpg
import orjson
import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from services.common.environment import load_settings
from services.membership.policy import policy_of
from services.membership.settings import MembershipSettings
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.rebuild import Rebuilt, is_needed, rebuild
from shared.cli.errors import Unreachable
from shared.cli.options import Json
from shared.cli.terminal import refuse
from shared.persistence.database import create_engine

STEPS = {"understand": "understanding", "recognise": "recognising", "consolidate": "consolidating"}


def rebuild_everything(
    if_needed: Annotated[
        bool, typer.Option("--if-needed", help="only if another version of the program recognised the companies")
    ] = False,
    as_json: Json = False,
) -> None:
    """Understand, recognise and consolidate all source records anew.

    Run it after the clusters file, the rules of survivorship or the program changed; [bold]traboule migrate[/] runs it
    when the program needs it. Decisions and values that staff set stay. Consumers wait meanwhile, and nothing is lost.

    Examples: [bold]traboule rebuild[/], [bold]traboule rebuild --if-needed[/]
    """
    settings = load_settings("membership", MembershipSettings)
    try:
        done = rebuild_now(settings, if_needed=if_needed)
    except Unreachable as error:
        refuse(str(error))
    if as_json:
        typer.echo(orjson.dumps(None if done is None else done))
    else:
        typer.echo(summary(done))


def summary(done: Rebuilt | None) -> str:
    """What was done, in a line."""
    if done is None:
        return "membership: what was computed is up to date"
    return (
        f"membership: {done.records} source records computed anew, {done.understood_otherwise} of them understood "
        f"otherwise than before; {done.members} members"
    )


def rebuild_now(settings: MembershipSettings, *, if_needed: bool) -> Rebuilt | None:
    """With a progress bar on a terminal; None if it was not needed. Raises Unreachable."""
    return asyncio.run(_rebuild(settings, if_needed=if_needed))


async def _rebuild(settings: MembershipSettings, *, if_needed: bool) -> Rebuilt | None:
    engine = create_engine(settings.database_url, application="traboule.rebuild", pool_size=1)
    columns: tuple[Any, ...] = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, transient=True) as bars:
            tasks = dict[str, TaskID]()

            def progress(step: str, done: int, of: int) -> None:
                task = tasks.setdefault(step, bars.add_task(STEPS[step])) if step not in tasks else tasks[step]
                bars.update(task, completed=done, total=of)

            async with engine.begin() as connection:
                uow = MembershipUnitOfWork(connection, policy_of(settings))
                if if_needed and not await is_needed(uow):
                    return None
                done = await rebuild(uow, progress)
                await uow.outbox.flush(connection)
                return done
    except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError) as error:
        raise Unreachable.database("membership", error) from None
    finally:
        await engine.dispose()
