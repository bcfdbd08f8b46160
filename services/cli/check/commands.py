"""``traboule check``: would this message be accepted, and if not, why not."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.base import Content
from schemas.catalogue import FACTS
from schemas.diagnostics import Fault, nearest
from services.cli.check.validator import Sender, Verdict
from services.cli.check.validator import check as check_file
from shared.cli.options import Json
from shared.cli.terminal import as_json, refuse
from shared.runtime.clusters import ClustersFileError, load_clusters
from shared.runtime.text import printable

REFUSED = 1
SHOWN = 200
"""Rows of a table for people; --json has them all."""


def check(
    file: Annotated[
        str, typer.Argument(help="an event, a batch of them, or one in each line, as JSON; - reads standard input")
    ],
    type_name: Annotated[
        str | None, typer.Option("--type", help="the file holds bare facts of this type, such as member-recorded")
    ] = None,
    headers: Annotated[
        Path | None, typer.Option(help="AMQP headers (ce-…) as a JSON object: the file is a body in binary mode")
    ] = None,
    publisher: Annotated[
        str | None, typer.Option("--as", metavar="CLUSTER/SERVICE", help="check source and rights of this publisher")
    ] = None,
    routing_key: Annotated[str | None, typer.Option(help="check that the type belongs to this routing key")] = None,
    clusters_file: Annotated[
        Path, typer.Option(envvar="TRABOULE_CLUSTERS_FILE", help="the configured clusters, for --as")
    ] = Path("deploy/clusters.toml"),
    json: Json = False,
) -> None:
    """Say whether messages would be accepted, and why not, field by field.

    Nothing is sent. Exits with 0 when all would be accepted, 1 when one would be refused, 2 when it cannot tell.

    Examples: [bold]traboule check message.json[/],
    [bold]traboule check --as numelink/membership --type member-recorded members.jsonl[/]
    """
    raw = _read(file)
    if not raw.strip():
        refuse(f"{file} is empty")
    sender = _sender(type_name, headers, publisher, routing_key, clusters_file)
    verdicts = check_file(raw, sender)
    if json:
        _print_json(verdicts)
    else:
        _print_tables(verdicts)
    if not all(verdict.accepted for verdict in verdicts):
        raise typer.Exit(REFUSED)


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        refuse(f"{file}: {error.strerror or error}")


def _sender(
    type_name: str | None, headers: Path | None, publisher: str | None, routing_key: str | None, clusters_file: Path
) -> Sender:
    clusters: tuple[str, ...] = ()
    if publisher is not None:
        if publisher.count("/") != 1:
            raise typer.BadParameter("a publisher is <cluster>/<service>, such as numelink/membership")
        try:
            clusters = tuple(
                code
                for code, cluster in load_clusters(clusters_file).items()
                if publisher.split("/")[1] in cluster.services
            )
        except ClustersFileError as error:
            refuse(str(error))
    return Sender(
        publisher.replace("/", ".") if publisher else None,
        routing_key,
        clusters,
        _headers(headers) if headers else {},
        _bare(type_name) if type_name else None,
    )


def _headers(path: Path) -> dict[str, Any]:
    try:
        headers = orjson.loads(_read(str(path)))
    except orjson.JSONDecodeError as error:
        refuse(f"{path} is not JSON: {error}")
    if not isinstance(headers, dict):
        refuse(f"{path} must hold a JSON object")
    return headers


def _bare(name: str) -> type[Content]:
    for fact in FACTS:
        if name in (fact.type_name(), fact.key, fact.__name__):
            return fact
    raise typer.BadParameter(f"there is no type {name}; did you mean {nearest(name).key}?")


# --- answering -----------------------------------------------------------------------------------------------------


def _print_json(verdicts: list[Verdict]) -> None:
    events = [{"accepted": verdict.accepted, **asdict(verdict)} for verdict in verdicts]
    accepted = sum(verdict.accepted for verdict in verdicts)
    as_json({"accepted": accepted, "refused": len(verdicts) - accepted, "events": events})


def _print_tables(verdicts: list[Verdict]) -> None:
    console = Console(soft_wrap=False)
    refused = [verdict for verdict in verdicts if not verdict.accepted]
    if refused:
        rows = [(verdict, verdict.reason or "", verdict.faults) for verdict in refused]
        _print(console, "refused", ("what is wrong", "what to do"), rows)
    if doubtful := [verdict for verdict in verdicts if verdict.warnings]:
        rows = [(verdict, "", verdict.warnings) for verdict in doubtful]
        _print(console, "accepted, but look at these", ("what is doubtful", "what comes of it"), rows)
    accepted = [verdict for verdict in verdicts if verdict.accepted]
    colour = "red" if refused else "green"
    typer.secho(f"{len(accepted)} of {len(verdicts)} would be accepted", fg=colour, bold=True)
    for key in dict.fromkeys(verdict.routing_key for verdict in accepted):
        typer.echo(f"  under the routing key {key}")


def _print(
    console: Any, title: str, texts: tuple[str, str], rows: Iterable[tuple[Verdict, str, tuple[Fault, ...]]]
) -> None:
    flat: list[tuple[str, ...]] = []
    for verdict, reason, faults in rows:
        head = (_where(verdict), verdict.id or "", reason)
        for place, fault in enumerate(faults):
            flat.append((*(head if place == 0 else ("", "", "")), fault.field, fault.problem, fault.hint))
    names = ("where", "event", "reason", "field", *texts)
    filled = [column for column in range(len(names)) if any(row[column] for row in flat)]
    table = Table(*(names[column] for column in filled), title=title, title_justify="left")
    for row in flat[:SHOWN]:
        table.add_row(*(_plain(row[column]) for column in filled))
    console.print(table)
    if len(flat) > SHOWN:
        typer.echo(f"and {len(flat) - SHOWN:,} more: --json shows them all")


def _where(verdict: Verdict) -> str:
    places = ((f"line {verdict.line}" if verdict.line else ""), (f"#{verdict.index}" if verdict.index else ""))
    return " ".join(place for place in places if place)


def _plain(text: str) -> Any:
    """A cell in which nothing is markup, and no control character of a message reaches the terminal."""
    return Text(printable(text))
