"""``traboule cutover``: move one former system over at a time, and back if need be."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from services.cli.cutover import operations as asking
from services.cli.cutover.operations import board, in_service
from services.cli.cutover.write_back import write_back
from services.cli.environment import configured
from services.cli.systems import System, named
from services.cutover import operations
from services.cutover.operations import Moved
from services.cutover.stages import Move
from shared.cli.author import required_text, who
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json, refuse, run, terminal
from shared.messaging import accounts
from shared.messaging.unit_of_work import UnitOfWork
from shared.runtime.clusters import load_clusters
from shared.runtime.settings import ServiceSettings

app = typer.Typer(
    no_args_is_help=True,
    help="Move one former system over at a time: status, mirror, check, switch, rollback, retire.",
)

app.command("write-back")(write_back)
app.command("way-back", hidden=True, deprecated=True)(write_back)


Overrule = Annotated[
    list[str] | None, typer.Option("--overrule", help="a condition that may fail, by its name in `open`; kept")
]


@app.command()
def status(json: Json = False) -> None:
    """Show the board: every former system, its stage, and what waits.

    legacy and mirror: the former system is the authority. live and retired: Traboule is. One that is retired and still
    may write is told, if TRABOULE_BROKER_MANAGEMENT_URL is set.

    Examples: [bold]traboule cutover status[/], [bold]traboule cutover status --json[/]
    """
    services = configured()
    clusters = load_clusters(next(iter(services.values())).clusters_file)
    rows = run(board(services, clusters))
    rights, unknown = _rights_of_retired(rows, services)
    if json:
        as_json([row | {"may_write": rights.get(row["system"])} for row in rows])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("former system", "stage", "authority", "since", "by", "parity", "quarantine"):
        table.add_column(title, no_wrap=title in ("former system", "stage", "authority", "since"), overflow="fold")
    for row in rows:
        authority = "Traboule" if row["stage"] in ("live", "retired") else "former system"
        since = f"{row['since']:%Y-%m-%d %H:%M}" if row["since"] else ""
        parity = row["parity"]
        compared = "never" if parity is None else f"{parity['open_differences']} open, {parity['at']:%Y-%m-%d %H:%M}"
        waiting = f"[yellow]{row['quarantine']}[/]" if row["quarantine"] else "0"
        table.add_row(row["system"], row["stage"], authority, since, row["by"] or "", compared, waiting)
    console = terminal()
    console.print(table)
    for system in (text for text, may_write in rights.items() if may_write):
        detail = f"✗ {system} is retired, but its broker user still may write: traboule former-systems revoke {system}"
        console.print(f"[red]{detail}[/]", highlight=False, soft_wrap=True)
    if unknown:
        console.print(f"[yellow]! {escape(unknown)}[/]", highlight=False, soft_wrap=True)


def _rights_of_retired(
    rows: Sequence[Mapping[str, Any]], services: Mapping[str, ServiceSettings]
) -> tuple[dict[str, bool], str]:
    """Of each former system that is retired, whether its broker user may write; or why that cannot be told."""
    retired = [row["system"] for row in rows if row["stage"] == "retired"]
    if not retired:
        return {}, ""
    try:
        users = {system.replace("/", ".", 1): system for system in retired}
        may = accounts.may_write(users, next(iter(services.values())).broker_url)
    except accounts.RightsError as error:
        return {}, f"whether {', '.join(retired)} still may write was not looked at: {error}"
    return {users[user]: allowed for user, allowed in may.items()}, ""


@app.command("open", hidden=True, deprecated=True)
@app.command()
def check(
    system: System,
    which: Annotated[str, typer.Option("--for", help="the move to look at: switch or rollback")] = "switch",
    json: Json = False,
) -> None:
    """Look whether a former system can be switched: every condition, and how to mend it. Exit code 1 if one fails.

    Examples: [bold]traboule cutover check numelink/membership[/],
    [bold]traboule cutover check numelink/membership --for rollback[/]
    """
    if which != "switch" and which != "rollback":
        raise typer.BadParameter("--for is switch or rollback: no other move has conditions")
    cluster, definition, settings = named(system)
    conditions = run(
        in_service(definition, settings, lambda uow: operations.conditions(uow, definition, cluster, which))
    )
    if json:
        as_json([condition.as_json() for condition in conditions])
    else:
        console = terminal()
        for condition in conditions:
            mark = "[green]✓[/]" if condition.holds else "[red]✗[/]"
            console.print(f"{mark} {condition.name:<14} {escape(condition.detail)}", highlight=False)
            if not condition.holds:
                console.print(f"  [dim]{escape(condition.remedy)}[/]", highlight=False, soft_wrap=True)
    if not all(condition.holds for condition in conditions):
        raise typer.Exit(1)


@app.command()
def mirror(system: System, reason: Reason, by: By = "", json: Json = False) -> None:
    """Begin to mirror: from now on parity is looked at, and the switch can come. Nothing else changes.

    Example: [bold]traboule cutover mirror numelink/membership --reason "first export is in"[/]
    """
    _move(system, "mirror", reason, by, json=json)


@app.command()
def switch(
    system: System,
    reason: Reason,
    overrule: Overrule = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Make Traboule the authority. What the former system says later waits in quarantine for a person.

    Run it again if you do not know whether it ended: what was switched already is told so, and stays as it is.
    The same holds for mirror, rollback and retire.

    Examples: [bold]traboule cutover switch numelink/membership --reason "the board decided"[/],
    [bold]traboule cutover switch numelink/membership --reason "restored by hand" --overrule backup[/]
    """
    _move(system, "switch", reason, by, overrule or [], json=json)


@app.command()
def rollback(system: System, reason: Reason, overrule: Overrule = None, by: By = "", json: Json = False) -> None:
    """Give the authority back to the former system: its messages apply again, and our commands are refused.

    Examples: [bold]traboule cutover check numelink/membership --for rollback[/],
    [bold]traboule cutover rollback numelink/membership --reason "the office is not ready"[/]
    """
    _move(system, "rollback", reason, by, overrule or [], json=json)


@app.command()
def retire(
    system: System,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask: there is no way back")] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """Retire a former system for good, and take its right to write away. This is the point of no return.

    Run it again if it could not reach the broker's management API (TRABOULE_BROKER_MANAGEMENT_URL): what is retired
    stays so, and the right is taken.

    Example: [bold]traboule cutover retire numelink/membership --reason "its contract ends" --yes[/]
    """
    cluster, definition, settings = named(system)
    user = f"{cluster}.{definition.name}"
    if not yes:
        typer.confirm(f"{system} cannot come back once it is retired. Retire it?", abort=True, err=True)
    _move(system, "retire", reason, by, json=json)
    try:
        accounts.revoke(user, settings.broker_url)
    except accounts.RightsError as error:
        refuse(f"{system} is retired, but {error}")
    typer.echo(f"the broker user {user} may not write any more", err=json)


@app.command()
def history(system: System, json: Json = False) -> None:
    """Show every move of a former system: who, when, why, and what was overruled.

    Example: [bold]traboule cutover history numelink/membership[/]
    """
    cluster, definition, settings = named(system)
    rows = run(in_service(definition, settings, lambda uow: operations.history(uow, cluster)))
    if json:
        as_json(rows)
    elif not rows:
        typer.echo(f"{system} never moved: it is in stage legacy")
    for row in rows if not json else ():
        overruled = f" (overruled: {', '.join(row['overruled'])})" if row["overruled"] else ""
        typer.echo(f"{row['at']:%Y-%m-%d %H:%M}  {row['stage']:<8} by {row['by']}: {row['reason']}{overruled}")


@app.command("note-backup")
def note_backup(
    note: Annotated[str, typer.Option("--note", help="where it lies, or how it was made")], by: By = ""
) -> None:
    """Note that all databases were backed up now; the gate asks for it.

    Example: [bold]traboule cutover note-backup --note "pg_dump on nas1, checked"[/]
    """
    run(asking.note_backup(configured(), who(by), required_text("--note", note)))
    typer.echo("noted")


def _move(
    system: str, which: Move, reason: str, by: str, overrule: list[str] | None = None, *, json: bool = False
) -> None:
    cluster, definition, settings = named(system)
    why, author = required_text("--reason", reason), who(by)

    def move(uow: UnitOfWork) -> Coroutine[Any, Any, Moved]:
        return operations.move(uow, definition, cluster, which, by=author, reason=why, overrule=overrule or ())

    moved = run(in_service(definition, settings, move))
    state = moved.state
    authority = "Traboule" if state.is_ours else "the former system"
    if json:
        reached = {"stage": state.stage, "epoch": state.epoch, "since": state.since, "by": state.by}
        as_json({"system": system, **reached, "already": moved.already})
    elif moved.already:
        since = f"since {state.since:%Y-%m-%d %H:%M} UTC by {state.by}"
        typer.echo(f"{system} is in stage {state.stage} already, {since}: {authority} is the authority")
    else:
        typer.echo(f"{system} is in stage {state.stage}: {authority} is the authority")
