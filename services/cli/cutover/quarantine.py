"""``traboule quarantine``: what former systems said after they had been moved over."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from services import SERVICES
from services.cli.cutover import operations
from services.cli.cutover.operations import in_service
from services.cli.environment import configured
from services.cli.registry import definition_of
from services.cutover import quarantine_operations
from shared.cli.author import required_text, who
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import ago, as_json, refuse, run, terminal
from shared.persistence.mirror import APPLIED_LATE

STATES = ("waiting", "applied", "dismissed")

app = typer.Typer(
    no_args_is_help=True, help="What former systems said after they were moved over: list, show, apply, dismiss."
)

Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="such as billing:12, as `list` shows them")]


@app.command("list")
def list_(
    system: Annotated[str | None, typer.Argument(metavar="[SYSTEM]", help="only this one's: numelink/billing")] = None,
    state: Annotated[str, typer.Option("--state", help=f"{', '.join(STATES)} or all")] = "waiting",
    json: Json = False,
) -> None:
    """List what waits for a person, the oldest first.

    Examples: [bold]traboule quarantine list[/], [bold]traboule quarantine list numelink/membership --state all[/]
    """
    if state not in (*STATES, "all"):
        raise typer.BadParameter(f"--state is one of {', '.join(STATES)}, all")
    cluster, _, service = (system or "/").partition("/")
    if service and service not in SERVICES:
        refuse(f"{system!r} is no former system: write <cluster>/<service>, such as numelink/billing")
    rows = run(operations.quarantined(configured(service or None), cluster or None, None if state == "all" else state))
    if json:
        as_json(rows)
        return
    for row in rows:
        decided = f"  {row['state']} by {row['decided_by']}: {row['reason']}" if row["decided_at"] else ""
        typer.echo(f"{row['id']:<18} {row['cluster']:<18} {row['type']:<44} {ago(row['received_at'])}{decided}")
    if not rows:
        typer.echo("nothing waits" if state == "waiting" else "nothing")


@app.command()
def show(late: Annotated[str, typer.Argument(metavar="ID", help="such as billing:12")], json: Json = False) -> None:
    """Show one message beside what is held now: every field that differs.

    Example: [bold]traboule quarantine show membership:3[/]
    """
    service, number = _named(late)
    definition, settings = definition_of(service), configured(service)[service]
    row = run(
        in_service(
            definition, settings, lambda uow: quarantine_operations.late_message(uow, definition, number), "quarantine"
        )
    )
    if json:
        as_json(row)
        return
    document: dict[str, Any] = row["held"] or {}
    table = Table("field", "held now", "said too late", box=None, header_style="bold", pad_edge=False)
    for name in sorted({*row["said"], *document} - {"version", "digest", "cluster", APPLIED_LATE}):
        item, other = document.get(name), row["said"].get(name)
        if item != other and (name in row["said"] or item is not None):
            table.add_row(name, *(escape("" if value is None else str(value)) for value in (item, other)))
    typer.echo(f"{row['id']}: {row['type']} of {row['cluster']}, {ago(row['received_at'])}, {row['state']}")
    terminal().print(table)


@app.command()
def apply(ids: Ids, reason: Reason, by: By = "") -> None:
    """Apply late messages after all: each replaces what is held of its record.

    Example: [bold]traboule quarantine apply membership:3 --reason "typed in the old system by habit, and right"[/]
    """
    _decide(ids, reason, by, apply=True)


@app.command()
def dismiss(ids: Ids, reason: Reason, by: By = "") -> None:
    """Decide that late messages are not applied. They are kept.

    Example: [bold]traboule quarantine dismiss membership:4 membership:5 --reason "the nightly job was still on"[/]
    """
    _decide(ids, reason, by, apply=False)


def _decide(ids: list[str], reason: str, by: str, *, apply: bool) -> None:
    why, author = required_text("--reason", reason), who(by)
    chosen: dict[str, list[int]] = {}
    for text in ids:
        service, number = _named(text)
        chosen.setdefault(service, []).append(number)

    async def decide(service: str, numbers: list[int]) -> list[str]:
        definition, settings = definition_of(service), configured(service)[service]
        return await in_service(
            definition,
            settings,
            lambda uow: quarantine_operations.decide_late(uow, definition, numbers, apply=apply, by=author, reason=why),
            "quarantine",
        )

    for service, numbers in chosen.items():
        for done in run(decide(service, numbers)):
            typer.echo(f"{done} {'applied' if apply else 'dismissed'}")


def _named(late: str) -> tuple[str, int]:
    service, _, number = late.partition(":")
    if service not in SERVICES or not number.isdecimal():
        refuse(f"{late!r} is nothing in quarantine: write <service>:<number>, such as billing:12")
    return service, int(number)
