"""``traboule billing ledger`` and ``close-year``: the books of an issuer, as a file that accountants read."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.billing.asking import ask, command, show
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json, refuse

app = typer.Typer()

_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u202f": " "})
"""What ISO 8859-15 lacks, and names often have."""


Issuer = Annotated[str, typer.Option("--issuer", help="a legal body, as `traboule billing issuers` lists it")]
Year = Annotated[int, typer.Option("--year", help="the calendar year in which the financial year begins")]


@app.command()
def ledger(
    issuer: Issuer,
    year: Year,
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


@app.command("close-year")
def close_year(issuer: Issuer, year: Year, reason: Reason, by: By = "", json: Json = False) -> None:
    """Close the books of a financial year that is over, for ever: what comes later is booked on a later day.

    Example: [bold]traboule billing close-year --issuer merged --year 2027 --by tresoriere --reason "comptes approuvés"[/]
    """  # noqa: E501 - a command stays on one line
    show(command("close-year", {"issuer": issuer, "year": year}, by, reason), json=json)


def _write(path: Path, rows: list[list[str]]) -> None:
    """Tabs between columns, in ISO 8859-15, as the text asks for."""
    with path.open("w", encoding="iso8859-15", errors="replace", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, escapechar=None, quotechar=None)
        writer.writerows([[cell.translate(_PLAIN) for cell in row] for row in rows])
