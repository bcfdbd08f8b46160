"""``traboule billing``: the series of numbers, our own and those of former systems, and what to do after a restore."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.billing.asking import ask, command, show
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json, nothing, refuse

app = typer.Typer()

_FILE = re.compile(r"([A-Z0-9]*[FAC])-(\d{4})-(\d{6,})\.(?:pdf|xml)")
"""A file as `traboule billing files` names it."""


@app.command()
def series(json: Json = False) -> None:
    """Show each series of numbers, and whether any is missing. Exit code 1 if one is.

    Example: [bold]traboule billing series[/]
    """
    answer = ask("series", {})
    show(answer, json=json)
    if wrong := [item for item in answer["items"] if item["missing"] or not item["counted"]]:
        nothing(f"{len(wrong)} series are not whole: compare them with the documents that were sent, and issue nothing")


@app.command()
def check(json: Json = False) -> None:
    """Say whether documents can be issued: series, restores, files that cannot be made. Exit code 1 if not.

    Example: [bold]traboule billing check[/]
    """
    answer = ask("check-billing", {})
    if json:
        as_json(answer)
    else:
        tables = {name: answer[name] for name in ("series", "failing") if answer[name]}
        show({"compared": answer["compared"], **tables}, json=False)
        for wrong in answer["wrong"]:
            typer.secho(wrong, fg=typer.colors.RED)
    if not answer["ok"]:
        raise typer.Exit(1)


@app.command("compare-series")
def compare_series(
    reason: Reason,
    sent: Annotated[
        list[str] | None, typer.Option("--sent", metavar="NUMBER", help="the last one sent of a series; repeatable")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="where the files of sent documents lie: the last of each is taken")
    ] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Say, after a restore, which number of each series was sent last. Numbers go on after it, and may be issued again.

    Examples: [bold]traboule billing compare-series --folder envoi --reason "restauration du 3 mars"[/],
    [bold]traboule billing compare-series --sent F-2027-000123 --sent A-2027-000004 --reason "relevé des courriels"[/]
    """
    named = [*(sent or []), *(_last_in(folder) if folder else [])]
    if not named:
        refuse("name the last number of each series with --sent, or the folder of sent files with --folder")
    show(command("compare-series", {"sent": named}, by, reason), json=json)


@app.command("former-series")
def former_series(
    cluster: Annotated[str, typer.Argument(help="whose former system's numbers, such as numelink")], json: Json = False
) -> None:
    """Show the series of a former system: first, last, how many, which numbers are missing or there twice.

    Keep it for the auditor of the merger.

    Example: [bold]traboule billing former-series numelink --json > series.json[/]
    """
    answer = ask("former-series", {"cluster": cluster})
    if json:
        as_json(answer)
        return
    rows = [
        item | {"missing": _some(item["missing"]), "duplicates": _some(item["duplicates"])} for item in answer["items"]
    ]
    show({"series": rows}, json=False)


def _last_in(folder: Path) -> list[str]:
    """The last number of each series and year of which a file lies there."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        refuse(f"{folder} cannot be read ({type(error).__name__})")
    last: dict[str, list[Any]] = {}
    for name in names:
        if match := _FILE.fullmatch(name):
            key, *place = match.groups()
            last[key] = max(last.get(key, []), [*map(int, place), name.rpartition(".")[0]])
    return [number for *_, number in last.values()]


def _some(numbers: list[str]) -> str:
    return ", ".join(numbers[:10]) + (" …" if len(numbers) > 10 else "")
