"""``traboule billing ledger`` and ``close-year``: the books of an issuer, as a file that accountants read."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any
from unicodedata import combining, normalize

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
    pages = _pages({"issuer": issuer, "year": year})
    answer = next(pages)
    if json:
        as_json(answer | {"rows": [*answer["rows"], *(row for page in pages for row in page["rows"])]})
        return
    path = folder / answer["file"]
    try:
        path.touch(mode=0o600, exist_ok=False)
        try:
            _write(path, answer, pages)
        except BaseException:
            # Half a year would look like a whole one.
            path.unlink()
            raise
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


def _pages(of: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The year, page by page."""
    answer = ask("ledger", of)
    yield answer
    while answer["rows"] and int(answer["rows"][-1][2]) < answer["entries"]:
        answer = ask("ledger", of | {"after": answer["next"]})
        yield answer


def plain(text: str) -> str:
    """The text in letters that ISO 8859-15 has: others lose their accents, or become a question mark."""
    return "".join(map(_letter, normalize("NFC", text.translate(_PLAIN))))


def _letter(letter: str) -> str:
    if letter.encode("iso8859-15", "ignore"):
        return letter
    bare = "".join(part for part in normalize("NFKD", letter) if not combining(part))
    return bare.encode("iso8859-15", "replace").decode("iso8859-15")


def _write(path: Path, first: dict[str, Any], more: Iterator[dict[str, Any]]) -> None:
    """Tabs between columns, in ISO 8859-15, as the text asks for."""
    with path.open("w", encoding="iso8859-15", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, escapechar=None, quotechar=None)
        writer.writerow(first["columns"])
        for page in chain([first], more):
            writer.writerows([[plain(cell) for cell in row] for row in page["rows"]])
