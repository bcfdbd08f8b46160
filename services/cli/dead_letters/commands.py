"""``traboule dead-letters``: look at parked messages, send them back, or set them aside for good."""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.table import Table
from rich.text import Text

from services import SERVICES
from services.cli.dead_letters import store
from services.cli.dead_letters.store import Chosen
from services.cli.environment import configured
from shared.cli.author import who
from shared.cli.options import By, Json, service_option
from shared.cli.terminal import ago, as_json, nothing, plain, refuse, run, terminal
from shared.runtime.settings import ServiceSettings
from shared.runtime.text import is_text

STATUSES = ("parked", "replaying", "replayed", "discarded")

app = typer.Typer(no_args_is_help=True, help="Messages that could not be applied: list, show, replay, discard.")


Service = Annotated[str | None, service_option(SERVICES, "there is no service {name}; there are {names}")]
Reason = Annotated[str | None, typer.Option("--reason", help="all that are parked for this reason")]
Queue = Annotated[str | None, typer.Option("--queue", help="all that are parked from this queue")]
Every = Annotated[bool, typer.Option("--all", help="all that are parked")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="such as billing:12, as `list` shows them")]


@app.command("list")
def list_(
    service: Service = None,
    reason: Reason = None,
    queue: Queue = None,
    status: Annotated[str, typer.Option("--status", help=f"{', '.join(STATUSES)} or all")] = "parked",
    json: Json = False,
) -> None:
    """Group dead letters by queue, reason, type and producer, with one example of each.

    Examples: [bold]traboule dead-letters list[/], [bold]traboule dead-letters list --service billing --json[/]
    """
    if status not in (*STATUSES, "all"):
        raise typer.BadParameter(f"--status is one of {', '.join(STATUSES)}, all")
    statuses = STATUSES if status == "all" else (status,)
    groups = run(store.grouped(configured(service), statuses=statuses, reason=reason, queue=queue))
    if json:
        as_json(groups)
        return
    if not groups:
        which = "".join(
            f" of {name} {text}" for name, text in (("reason", reason), ("queue", queue)) if text is not None
        )
        typer.echo(f"no dead letters{which}" if status == "all" else f"no {status} dead letters{which}")
        return
    _print_groups(groups)


@app.command()
def show(
    dead_letter: Annotated[str, typer.Argument(metavar="ID", help="such as billing:12, as `list` shows them")],
    service: Service = None,
    json: Json = False,
) -> None:
    """Show one dead letter whole: why it is here, its history, headers and body. It may hold personal data.

    Example: [bold]traboule dead-letters show billing:12[/]
    """
    ((name, numbers),) = _by_service([dead_letter], service).items()
    row = run(store.whole(name, _known(name), numbers[0]))
    if json:
        as_json(row)
    else:
        _print_whole(row)


@app.command()
def replay(
    ids: Ids = None,
    service: Service = None,
    reason: Reason = None,
    queue: Queue = None,
    every: Every = False,
    edit: Annotated[
        Path | None,
        typer.Option("--edit", exists=True, dir_okay=False, help="send this file as the body instead; one id"),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="send to this queue instead of its own")] = None,
    note: Annotated[str | None, typer.Option("--note", help="why; kept in the history")] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Send parked messages to their queues again. The history stays, and one that fails again is parked again.

    Examples: [bold]traboule dead-letters replay billing:12[/],
    [bold]traboule dead-letters replay --reason handler-failed --note "fixed in 1.4"[/],
    [bold]traboule dead-letters replay billing:12 --edit corrected.json[/]
    """
    chosen = _chosen(ids, service, reason, queue, every)
    if edit is not None and sum(len(item.numbers) for item in chosen.values()) != 1:
        refuse("--edit replaces the body of one message: name its id, and no other")
    if to is not None and not ids:
        refuse("--to would send every one of them to one queue: name the ids that belong there")
    author, body = who(by), None if edit is None else edit.read_bytes()
    done = {
        name: run(store.replay(name, _known(name), item, by=author, note=note, body=body, to=to))
        for name, item in chosen.items()
    }
    nowhere = [detail for _, left in done.values() for detail in left]
    _print_counts("replayed", {name: count for name, (count, _) in done.items()}, json, quiet=bool(nowhere))
    if nowhere:
        refuse("\n".join(nowhere))


@app.command()
def discard(
    note: Annotated[str, typer.Option("--note", help="why it is not to be applied; kept in the history")],
    ids: Ids = None,
    service: Service = None,
    reason: Reason = None,
    queue: Queue = None,
    every: Every = False,
    by: By = "",
    json: Json = False,
) -> None:
    """Mark parked messages as not to be applied. They stay readable: list them with --status discarded.

    Example: [bold]traboule dead-letters discard billing:12 --note "sent twice by mistake"[/]
    """
    if not note.strip():
        refuse("--note must say why")
    author = who(by)
    counts = {
        name: run(store.discard(name, _known(name), chosen, by=author, note=note))
        for name, chosen in _chosen(ids, service, reason, queue, every).items()
    }
    _print_counts("discarded", counts, json)


# --- what was asked for --------------------------------------------------------------------------------------------


def _known(service: str) -> ServiceSettings:
    return configured(service)[service]


def _by_service(ids: list[str], service: str | None) -> dict[str, list[int]]:
    result: dict[str, list[int]] = {}
    for text in ids:
        name, colon, number = text.rpartition(":")
        name = name if colon else (service or "")
        if not number.isascii() or not number.isdigit() or name not in SERVICES or service not in (None, name):
            refuse(f"{text!r} is no dead letter's id: write <service>:<number>, such as billing:12")
        result.setdefault(name, []).append(int(number))
    return result


def _chosen(
    ids: list[str] | None, service: str | None, reason: str | None, queue: str | None, every: bool
) -> Mapping[str, Chosen]:
    by_filter = reason is not None or queue is not None or every
    if bool(ids) == by_filter:
        refuse("name ids, or say --reason, --queue or --all")
    if ids:
        return {name: Chosen(numbers) for name, numbers in _by_service(ids, service).items()}
    return {name: Chosen((), reason, queue) for name in configured(service)}


# --- what is printed -----------------------------------------------------------------------------------------------


def _print_counts(verb: str, counts: Mapping[str, int], json: bool, *, quiet: bool = False) -> None:
    if json:
        as_json({verb: counts})
    for name, count in counts.items():
        if count and not json:
            typer.echo(f"{name}: {count} {verb}")
    if not any(counts.values()) and not quiet:
        nothing("nothing that is parked matches")


def _print_groups(groups: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("messages", "queue", "reason", "from", "last", "example"):
        table.add_column(title, justify="right" if title == "messages" else "left", overflow="fold")
    for group in sorted(groups, key=lambda row: (row["reason"], row["queue"])):
        table.add_row(
            f"{group['count']:,}",
            group["queue"],
            f"[bold]{group['reason']}[/]\n[dim]{plain(group['example_detail'])}[/]",
            group["producer"] or "[red]nobody[/]",
            ago(group["last_at"]),
            group["example"],
        )
    terminal().print(table)


def _print_whole(row: Mapping[str, Any]) -> None:
    console = terminal()
    Console(stderr=True).print("[yellow]This may hold personal data: do not copy it into tickets or chats.[/]")
    names = ("id", "status", "queue", "reason", "detail", "type", "producer", "routing_key", "message_id")
    lines = [(name, str(row[name])) for name in names]
    lines += [("seen", f"{row['count']} ×, first {row['first_at']:%Y-%m-%d %H:%M:%S %Z}")]
    lines += [("history", _step(step)) for step in row["history"]]
    lines += [("header", f"{name}: {value}") for name, value in row["headers"].items()]
    lines += [("body", f"{row['content_type'] or 'no content type'} ({row['body_is']})")]
    for name, text in lines:
        console.print(f"[dim]{name:>12}[/]  {plain(text)}", highlight=False)
    if row["body_is"] == "json":
        console.print(JSONHighlighter()(Text(_printable(row["body"]))))
    else:
        console.print(plain(row["body"]), highlight=False)


def _printable(body: Any) -> str:
    """JSON in which whatever would be an order to the terminal, or turn its neighbours around, is escaped."""
    document = dumps(body, ensure_ascii=False, indent=2)
    return "".join(text if is_text(text, lines=True) else dumps(text)[1:-1] for text in document)


def _step(step: Mapping[str, Any]) -> str:
    words = [str(step[name]) for name in ("what", "reason", "note") if step.get(name)]
    return " · ".join([step["at"][:19], *words, *([f"by {step['by']}"] if step.get("by") else [])])
