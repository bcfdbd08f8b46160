"""``traboule cutover write-back``: what a former system must be told before it can be the authority again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from services.cli.cutover.operations import in_service
from services.cli.systems import named
from services.common.definition import ServiceDefinition
from services.cutover.definition import UnconfirmedChange
from services.cutover.write_back import unconfirmed
from shared.cli.options import Json
from shared.cli.terminal import as_json, plain, refuse, run, terminal
from shared.messaging.topology import way_back_queue
from shared.messaging.unit_of_work import UnitOfWork
from shared.runtime.settings import ServiceSettings


def write_back(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="cluster and service, such as numelink/membership")],
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv", help="write them as the file that its software imports; readable by you alone"
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List what was written here and a former system has not said itself since: what a rollback has to carry back.

    Each change is told to it on a queue of its own, <cluster>.<service>.way-back, in its own columns; the list says
    what these cannot hold (left out), what the import of its software does not take (not imported), and which records
    were made here, so that they get another id there. Where it cannot read a
    queue, import the file there: the same rows, all of them. Software that keeps members in two kinds of file gets two.

    Examples: [bold]traboule cutover write-back numelink/membership[/],
    [bold]traboule cutover write-back numelink/membership --export back.csv[/]
    """
    cluster, definition, settings = named(system)
    if (back := definition.write_back) is None:
        name = definition.name
        refuse(f"{name} takes no commands of its own yet, so nothing is written here that {system} does not know")
    waiting, records = run(_unconfirmed(definition, settings, cluster))
    written = [] if export is None else _export(export, back.files(records))
    queue = way_back_queue(cluster, definition.name).name
    if json:
        summary = {"system": system, "queue": queue, "waiting": waiting, "files": [str(path) for path in written]}
        as_json({**summary, "records": [record.as_json() for record in records]})
        return
    _print(records)
    state = "is not there" if waiting is None else f"holds {waiting:,} messages that were not read"
    typer.echo(f"{len(records):,} records of {system} were written here and not said there since; {queue} {state}")
    for path in written:
        typer.echo(f"written: {path}")
    if export is not None and not written:
        typer.echo("no file was written: there is nothing to import")


async def _unconfirmed(
    definition: ServiceDefinition[Any], settings: ServiceSettings, cluster: str
) -> tuple[int | None, list[UnconfirmedChange]]:
    """How many messages wait in the queue, None without one, and the records. Raises Unreachable."""
    queue = way_back_queue(cluster, definition.name).name

    async def find(uow: UnitOfWork) -> tuple[int | None, list[UnconfirmedChange]]:
        waiting = (await uow.count_waiting([queue])).get(queue)
        return waiting, [change async for change in unconfirmed(uow, definition, cluster)]

    return await in_service(definition, settings, find)


def _export(path: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write each kind of file; of several, the name of each holds its kind."""
    named = {
        path if len(files) == 1 else path.with_stem(f"{path.stem}-{kind.lower().replace(' ', '-')}"): content
        for kind, content in files.items()
    }
    if existing := [str(item) for item in named if item.exists()]:
        refuse(f"{', '.join(existing)} is there already: name another file")
    for item, content in named.items():
        try:
            # Members' data: for nobody else on the machine.
            item.touch(mode=0o600)
            item.write_bytes(content)
        except OSError as error:
            refuse(f"{item} cannot be written ({type(error).__name__})")
    return list(named)


def _print(records: Sequence[UnconfirmedChange]) -> None:
    if not records:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("record", "written here by", "there", "left out", "not imported"):
        table.add_column(title, overflow="fold", no_wrap=title == "record")
    for record in records:
        document: dict[str, Any] = record.as_json()
        by = ", ".join(
            [*document["commands"], *(["a late message that was dismissed"] if document["dismissed"] else [])]
        )
        theirs = "to be taken away" if document["removed"] else "gets another id" if document["new_id"] else "same id"
        missing = [f"[yellow]{plain(', '.join(document.get(name, ())))}[/]" for name in ("left_out", "not_imported")]
        table.add_row(plain(record.record_id), by, theirs, *missing)
    terminal().print(table)
    typer.echo(
        "left out: its columns cannot hold it; not imported: its import does not take it, enter it there by hand"
    )
