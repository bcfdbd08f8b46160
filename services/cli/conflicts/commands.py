"""``traboule conflicts``: what merges brought together that a member should not have twice, and who resolves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from services.cli.conflicts import operations
from services.cli.environment import configured
from services.conflicts.domain import Conflict
from shared.cli.author import required_text, who
from shared.cli.options import By, Json, service_option
from shared.cli.terminal import ago, as_json, plain, refuse, run, terminal
from shared.runtime.settings import ServiceSettings
from shared.runtime.text import is_text

SERVICES = ("billing", "events")
STATES = ("open", "settled", "gone")

app = typer.Typer(
    no_args_is_help=True, help="What merged members paid or registered for twice: list, show, assign, settle, reopen."
)


Service = Annotated[str | None, service_option(SERVICES, "{name} resolves no conflicts; these do: {names}")]
Id = Annotated[str, typer.Argument(metavar="ID", help="such as billing:b3a1c0de5f6a, as `list` shows them")]
Ids = Annotated[list[str], typer.Argument(metavar="ID", help="such as billing:b3a1c0de5f6a, as `list` shows them")]


@app.command("list")
def list_(
    service: Service = None,
    state: Annotated[str, typer.Option("--state", help=f"{', '.join(STATES)} or all")] = "open",
    owner: Annotated[str | None, typer.Option("--owner", help="only this owner's")] = None,
    json: Json = False,
) -> None:
    """List conflicts, the oldest first.

    Examples: [bold]traboule conflicts list[/], [bold]traboule conflicts list --owner tresorerie --json[/],
    [bold]traboule conflicts list --service events --state all[/]
    """
    if state not in (*STATES, "all"):
        raise typer.BadParameter(f"--state is one of {', '.join(STATES)}, all")
    whose = None if owner is None else required_text("--owner", owner, 200)
    rows = run(operations.listed(_resolving(service), STATES if state == "all" else (state,), whose))
    if json:
        as_json(rows)
    elif rows:
        _print_list(rows)
    else:
        typer.echo("no conflicts" if state == "all" else f"no {state} conflicts")


@app.command()
def show(conflict: Id, json: Json = False) -> None:
    """Show one conflict whole: what is there twice, who has it, how it was settled, its history.

    Example: [bold]traboule conflicts show billing:b3a1c0de5f6a[/]
    """
    ((service, (beginning,)),) = _by_service([conflict]).items()
    row = run(operations.whole(service, configured(service)[service], beginning))
    if json:
        as_json(row)
    else:
        _print_whole(row)


@app.command()
def assign(
    ids: Ids,
    to: Annotated[str, typer.Option("--to", help="who sees to it: a team or a function, which other services see")],
    by: By = "",
    json: Json = False,
) -> None:
    """Give conflicts to somebody. They keep that owner when they go away and come back.

    Example: [bold]traboule conflicts assign billing:b3a1c0de5f6a --to "cotisations Loire"[/]
    """
    owner, author, at = required_text("--to", to, 200), who(by), datetime.now(UTC)
    _decide("assigned", ids, lambda conflict: conflict.assigned(owner, author, at), json)


@app.command()
def settle(
    ids: Ids,
    reason: Annotated[
        str, typer.Option("--reason", help="how it was resolved; kept here, and told to no other service")
    ],
    by: By = "",
    json: Json = False,
) -> None:
    """Settle open conflicts. One opens again by itself if something else is there twice later.

    Example: [bold]traboule conflicts settle billing:b3a1c0de5f6a --reason "refunded F2026-0117"[/]
    """
    why, author, at = required_text("--reason", reason, 2_000), who(by), datetime.now(UTC)
    _decide("settled", ids, lambda conflict: conflict.settled(why, author, at), json)


@app.command()
def reopen(
    ids: Ids,
    reason: Annotated[str | None, typer.Option("--reason", help="why; kept in the history")] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Take a settlement back.

    Example: [bold]traboule conflicts reopen billing:b3a1c0de5f6a --reason "the refund bounced"[/]
    """
    why = None if reason is None else required_text("--reason", reason, 2_000)
    author, at = who(by), datetime.now(UTC)
    _decide("reopened", ids, lambda conflict: conflict.reopened(why, author, at), json)


# --- what was asked for --------------------------------------------------------------------------------------------


def _resolving(service: str | None) -> Mapping[str, ServiceSettings]:
    if service is not None:
        return configured(service)
    result = {name: settings for name, settings in configured().items() if name in SERVICES}
    if not result:
        refuse(f"neither {' nor '.join(SERVICES)} is configured here: they resolve conflicts")
    return result


def _by_service(ids: list[str]) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for text in ids:
        service, _, beginning = text.partition(":")
        if service not in SERVICES or not beginning or not is_text(beginning):
            refuse(f"{text!r} is no conflict's id: write <service>:<id or its beginning>, such as billing:b3a1c0de5f6a")
        result.setdefault(service, []).append(beginning)
    return result


def _decide(verb: str, ids: list[str], decision: Callable[[Conflict], Conflict], json: bool) -> None:
    chosen = _by_service(ids)
    services = {service: configured(service)[service] for service in chosen}
    done = run(operations.decide(services, chosen, decision))
    if json:
        as_json({verb: [name for names in done.values() for name in names]})
        return
    for service, names in done.items():
        typer.echo("\n".join(f"{name} {verb}" for name in names) or f"{service}: nothing to change")


# --- what is printed -----------------------------------------------------------------------------------------------


def _print_list(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("conflict", "state", "owner", "between", "what is there twice", "raised"):
        table.add_column(title, overflow="fold")
    for row in rows:
        what = [_overlap(overlap) for overlap in row["held_twice"]] or [row["kind"]]
        cells = (row["id"], row["state"], row["owner"], "\n".join(map(_record, row["records"])), "\n".join(what))
        table.add_row(*map(plain, cells), ago(row["raised_at"]))
    terminal().print(table)


def _print_whole(row: Mapping[str, Any]) -> None:

    lines = [(name, str(row[name])) for name in ("id", "conflict_id", "kind", "state", "owner")]
    if row["assigned_at"]:
        lines += [("assigned", f"{row['assigned_at']:%Y-%m-%d %H:%M} by {row['assigned_by']}")]
    if row["settled_at"]:
        name = "once settled" if row["state"] == "open" else "settled"
        lines += [(name, f"{row['settled_at']:%Y-%m-%d %H:%M} by {row['settled_by']}: {row['settled_reason']}")]
    lines += [("member", row["member_id"])]
    lines += [("between", _record(record)) for record in row["records"]]
    for overlap in row["held_twice"]:
        lines += [("twice", _overlap(overlap)), *(("", _item(item)) for item in overlap["items"])]
    lines += [("history", _step(step)) for step in row["history"]]
    console = terminal()
    for name, text in lines:
        console.print(f"[dim]{name:>12}[/]  {plain(text)}", highlight=False)


def _overlap(overlap: Mapping[str, Any]) -> str:
    days = [overlap[day] for day in ("starts_on", "ends_on") if overlap.get(day)]
    return " · ".join([*([" to ".join(days)] if days else []), *([overlap["event"]] if overlap.get("event") else [])])


def _record(record: Mapping[str, Any]) -> str:
    return f"{record['cluster']}/{record['record_id']}"


def _item(item: Mapping[str, Any]) -> str:
    return (
        f"{item['kind']} {item['item_id']} of {_record(item)}"
        if item.get("item_id")
        else (f"{item['kind']} of {_record(item)}")
    )


def _step(step: Mapping[str, Any]) -> str:
    words = [step["what"], *([f"to {step['owner']}"] if "owner" in step else []), *filter(None, [step.get("reason")])]
    return " · ".join([step["at"][:19], *words, *([f"by {step['by']}"] if "by" in step else [])])
