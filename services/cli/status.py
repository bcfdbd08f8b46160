"""``traboule status``: is everything running, and does anything pile up?"""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import typer
from rich.table import Table

from services.cli.environment import configured
from services.cli.inspection import ServiceState, faults, inspect
from shared.cli.options import Json
from shared.cli.terminal import as_json, span, terminal


def status(json: Json = False) -> None:
    """Show every configured service: ready or not, its queues, outbox, dead letters. Exit code 1 if anything is wrong.

    Dead letters wait for a person and are shown in yellow; they do not change the exit code.

    Examples: [bold]traboule status[/], [bold]traboule status --json[/]
    """
    states = asyncio.run(inspect(configured()))
    wrong = faults(states)
    if json:
        as_json({"ok": not wrong, "services": [asdict(state) for state in states]})
    else:
        _print(states)
    if wrong:
        raise typer.Exit(1)


def _print(states: list[ServiceState]) -> None:

    console = terminal()
    console.print(_services(states))
    console.print(_queues(states))
    for state in states:
        for line in state.faults:
            console.print(f"[red]✗ {state.name}: {line}[/]", highlight=False)
        for line in state.notices:
            console.print(f"[yellow]! {state.name}: {line}[/]", highlight=False)


def _services(states: list[ServiceState]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("service", "ready", "outbox", "oldest", "last event", "dead letters"):
        table.add_column(title, justify="left" if title in ("service", "ready") else "right")
    for state in states:
        known = state.database
        oldest, last = known.get("outbox_oldest_seconds"), known.get("last_event_seconds")
        parked = known.get("dead_letters")
        ready = "[red]no[/]" if state.faults else "[green]yes[/]"
        table.add_row(
            state.name,
            ready,
            _number(known.get("outbox_rows")),
            "" if oldest is None else span(oldest),
            "" if last is None else f"{span(last)} ago",
            f"[yellow]{parked:,}[/]" if parked else _number(parked),
        )
    return table


def _queues(states: list[ServiceState]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("queue", "messages", "consumers"):
        table.add_column(title, justify="left" if title == "queue" else "right")
    shown: set[str] = set()
    for state in states:
        for queue in state.queues:
            if queue.name not in shown:
                shown.add(queue.name)
                own = queue.name.startswith(f"{state.name}.")
                consumers = "[dim]waits[/]" if not own else _number(queue.consumers)
                table.add_row(
                    queue.name, _number(queue.messages), f"[red]{consumers}[/]" if consumers == "0" else consumers
                )
    return table


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"
