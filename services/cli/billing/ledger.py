"""``traboule billing ledger``: the books of an issuer, as a file that accountants read."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.billing.asking import ask
from shared.cli.options import Json
from shared.cli.terminal import as_json, refuse

app = typer.Typer()

_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u202f": " "})
"""What ISO 8859-15 lacks, and names often have."""


@app.command()
def ledger(
    issuer: Annotated[str, typer.Option("--issuer", help="a legal body, as `traboule billing issuers` lists it")],
    year: Annotated[int, typer.Option("--year", help="the calendar year in which the financial year begins")],
    folder: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="where to write the file")] = Path(),
    json: Json = False,
) -> None:
    """Write the entries of a financial year in the 18 columns of the FEC, readable by you alone.

    Example: [bold]traboule billing ledger --issuer merged --year 2027 --to compta[/]
    """
    answer = ask("ledger", {"issuer": issuer, "year": year})
    rows: list[Any] = answer["rows"]
    while answer["rows"] and answer["next"] < answer["entries"]:
        answer = ask("ledger", {"issuer": issuer, "year": year, "after": answer["next"]})
        rows += answer["rows"]
    if json:
        as_json(answer | {"rows": rows})
        return
    path = folder / answer["file"]
    try:
        path.touch(mode=0o600, exist_ok=False)
        _write(path, [answer["columns"], *rows])
    except FileExistsError:
        refuse(f"{path} is there already: name another folder")
    except OSError as error:
        refuse(f"{path} cannot be written ({type(error).__name__})")
    typer.echo(f"written: {path} ({answer['entries']} entries)")


def _write(path: Path, rows: list[list[str]]) -> None:
    """Tabs between columns, in ISO 8859-15, as the text asks for."""
    with path.open("w", encoding="iso8859-15", errors="replace", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, escapechar=None, quotechar=None)
        writer.writerows([[cell.translate(_PLAIN) for cell in row] for row in rows])
