"""``traboule parity``: does our mirror hold what the former system holds?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.importing.export import read_export
from services.cli.importing.reading import Choice, FormerSystem, open_files
from services.cli.parity.operations import System, prove, prove_by_newest_manifest
from services.cli.parity.tables import print_run
from services.cli.systems import named
from services.cutover.parity.html_report import page
from services.cutover.parity.run import Run
from shared.cli.author import who
from shared.cli.options import By, Json
from shared.cli.terminal import as_json, refuse, run
from shared.importing.outcomes import UnreadableError

DIFFERENT = 1


def parity(
    system: Annotated[str, typer.Option("--as", metavar="CLUSTER/SERVICE", help="such as numelink/billing")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]…", help="all that it holds, as it exports it")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", dir_okay=False, help="write a page that can be printed to this file")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="the files' encoding, when neither UTF-8 nor Windows-1252 is right")
    ] = None,
    event: Annotated[
        str | None, typer.Option(metavar="ID", help="the gathering of files that name none, as for the import")
    ] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Compare what a former system holds with what we hold of it, record by record and field by field.

    The files must hold everything: what is in none of them counts as missing there. They are read as `traboule import`
    reads them; a row that cannot be read is a difference too. The comparison is kept, and changes nothing.

    Without files, the newest manifest that the former system published is what it holds. It names records, versions
    and digests: that a record differs is told, and not in which field. The service compares so by itself, when a
    manifest arrives and once a day.

    Exit code: 0 clean (no difference, or all are accepted), 1 differences, 2 nothing could be compared.

    Examples: [bold]traboule parity --as numelink/billing invoices.csv payments.csv[/],
    [bold]traboule parity --as numelink/membership members.csv --html parity.html[/],
    [bold]traboule parity --as numelink/billing[/]
    """
    chosen, author = _system(system), who(by)
    if html is not None and not html.absolute().parent.is_dir():
        refuse(f"--html {html}: there is no such folder")
    if files:
        proved, hints = _prove(chosen, files, encoding, event, author)
    else:
        proved, hints = _prove_by_manifest(chosen, author)
    if json:
        as_json({"system": system, "hints": hints, **proved.as_json()} | _differences(proved))
    else:
        print_run(chosen.name, proved, hints)
    if html is not None:
        # What is to be told of a manifest stands on the page, in both languages.
        _write_page(chosen, proved, hints if files else [], html)
    raise typer.Exit(DIFFERENT if proved.open else 0)


def _system(system: str) -> System:
    return System(*named(system))


def _prove(
    system: System, files: list[Path], encoding: str | None, event: str | None, by: str
) -> tuple[Run, list[str]]:
    kinds = system.definition.mirrored
    try:
        opened = open_files(
            FormerSystem(system.cluster, system.definition.name), files, encoding, choice=Choice(event=event)
        )
        export = read_export(kinds, opened)
    except UnreadableError as error:
        refuse(str(error))
    proved = run(prove(system, export, by=by, source=[file.name for file in files]))
    hints = [f"{file.report.path.name}: {warning}" for file in opened for warning in file.report.warnings]
    for kind in kinds:
        ours = proved.counts[kind.name].here
        if kind.name not in export.kinds and ours:
            hints.append(f"no file holds any {kind.name}, and {ours:,} are held here: was a file forgotten?")
    return proved, hints


def _prove_by_manifest(system: System, by: str) -> tuple[Run, list[str]]:
    proved = run(prove_by_newest_manifest(system, by=by))
    return proved, [
        f"{kind}: {sides.newer_here:,} newer here than the manifest says, and not compared; one made now would tell"
        for kind, sides in proved.counts.items()
        if sides.newer_here
    ]


def _differences(proved: Run) -> dict[str, object]:
    return {"differences": [item.as_json() for item in proved.differences]}


def _write_page(system: System, proved: Run, hints: list[str], path: Path) -> None:
    try:
        path.write_text(page(system.name, proved, hints), "utf-8")
    except OSError as error:
        refuse(f"--html {path}: {error.strerror}; the comparison itself was kept")
