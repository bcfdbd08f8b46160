"""``traboule rehearse``: what would we have done where the former system is still the authority?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
from sqlalchemy.exc import SQLAlchemyError

from services.cli.parity.tables import print_run
from services.cli.systems import System, named
from services.common.definition import ServiceDefinition
from services.cutover.parity.html_report import page
from services.cutover.parity.run import Run
from services.cutover.preconditions import REHEARSAL_COVERS
from services.cutover.rehearsal import running
from shared.cli.author import who
from shared.cli.errors import CannotAct, Unreachable
from shared.cli.options import By, Json
from shared.cli.terminal import as_json, refuse, run
from shared.persistence.database import create_engine
from shared.runtime.settings import ServiceSettings

DIFFERENT = 1


def rehearse(
    system: System,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d"], help="the first day of what is looked at", show_default="a year"),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", dir_okay=False, help="write a page that can be printed to this file")
    ] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Compare what a mirrored former system did with what we would have done. Nothing is sent, and nothing changed.

    membership: where each membership stands. billing: which periods we would bill, on which invoices something is owed.
    events: who we would give a place. communications: who of a mailing's recipients we would write to.
    The comparison is kept; `traboule differences … --rehearsal` lists, assigns and accepts what it found.

    Exit code: 0 clean (no difference, or all are accepted), 1 differences, 2 it cannot be rehearsed.

    Examples: [bold]traboule rehearse numelink/billing[/],
    [bold]traboule rehearse numelink/communications --since 2026-09-01 --html audience.html[/]
    """
    cluster, definition, settings = named(system)
    author, first = who(by), _first_day(since)
    if html is not None and not html.absolute().parent.is_dir():
        refuse(f"--html {html}: there is no such folder")
    rehearsed = run(_rehearse(definition, settings, cluster, first, author))
    if json:
        result = [item.as_json() for item in rehearsed.differences]
        as_json({"system": system, "since": first, **rehearsed.as_json(), "differences": result})
    else:
        typer.echo("there: what it did · here: what we would have done")
        for rehearsal in definition.rehearsals:
            typer.echo(f"{rehearsal.name}: {rehearsal.asks}")
        print_run(system, rehearsed, [])
    if html is not None:
        _write_page(system, rehearsed, html)
    raise typer.Exit(DIFFERENT if rehearsed.open else 0)


def _first_day(since: datetime | None) -> date:
    today = datetime.now(UTC).date()
    if since is None:
        return today - REHEARSAL_COVERS
    if since.date() > today:
        refuse(f"--since {since.date()} is still to come: nothing was done since then")
    return since.date()


async def _rehearse(
    definition: ServiceDefinition[Any], settings: ServiceSettings, cluster: str, since: date, by: str
) -> Run:
    engine = create_engine(settings.database_url, application="traboule rehearse", pool_size=1)
    try:
        return await running.rehearse(engine, definition, cluster, since=since, by=by)
    except running.NotMirroredError as error:
        raise CannotAct(str(error)) from None
    except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError) as error:
        raise Unreachable.database(definition.name, error) from None
    finally:
        await engine.dispose()


def _write_page(system: str, rehearsed: Run, path: Path) -> None:
    try:
        path.write_text(page(system, rehearsed), "utf-8")
    except OSError as error:
        refuse(f"--html {path}: {error.strerror}; the rehearsal itself was kept")
