"""``traboule billing``: what members owe, by whom it is billed, and what was decided about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.billing import charges, documents, ledger, numbers, payments, reminders
from services.cli.billing.asking import ask, command, show
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json, refuse, terminal

app = typer.Typer(
    no_args_is_help=True,
    help="What members owe, and who bills it (ce que doivent les membres, et qui le facture).",
)

app.add_typer(documents.app)
app.add_typer(numbers.app)
app.add_typer(ledger.app)
app.add_typer(payments.app, name="payments")
app.add_typer(reminders.app)
app.add_typer(charges.app)

GridId = Annotated[str, typer.Argument(metavar="GRID", help="a grid's id, as `traboule billing grids` lists it")]
First = Annotated[str, typer.Option("--first", metavar="YYYY-MM-DD", help="first day of the period")]
_SIMULATED = ("member_id", "name", "records", "departement", "band", "before", "after", "doubt", "why")
_COMPARED = ("member_id", "name", "records", "theirs", "ours", "reason", "sentence", "sources", "why")
OnlyIssuer = Annotated[str | None, typer.Option("--issuer", help="only this one's")]
Issuer = Annotated[str, typer.Option("--issuer", help="a legal body, as `traboule billing issuers` lists it")]


@app.command()
def issuers(json: Json = False) -> None:
    """List the legal bodies that bill, and what holds of each today.

    Example: [bold]traboule billing issuers[/]
    """
    answer = ask("issuers", {})
    if json:
        as_json(answer)
        return
    items = [
        {
            "issuer": item["code"],
            "bills": ", ".join(item["clusters"]),
            "since": item["since"],
            "until": item["until"],
            "name": (item["settings"] or {}).get("name", "not there today"),
            "VAT": (item["settings"] or {}).get("regime"),
        }
        for item in answer["items"]
    ]
    show({"issuers": items}, json=False)


@app.command()
def grids(issuer: OnlyIssuer = None, json: Json = False) -> None:
    """List grids of fees: proposed, and adopted.

    Example: [bold]traboule billing grids --issuer merged[/]
    """
    answer = ask("grids", {} if issuer is None else {"issuer": issuer})
    if json:
        as_json(answer)
        return
    rows = [
        {
            "grid": item["grid_id"],
            "issuer": item["issuer"],
            "no.": item["number"],
            "name": item["grid"]["name"],
            "from": item["grid"]["valid_from"],
            "until": item["until"],
            "adopted by": item["adopted_by"] or "proposal",
        }
        for item in answer["items"]
    ]
    show({"grids": rows}, json=False)


@app.command("propose-grid")
def propose_grid(
    file: Annotated[Path, typer.Argument(metavar="GRID.toml", help="the grid, as TOML or JSON")],
    reason: Reason,
    by: By = "",
    json: Json = False,
) -> None:
    """Propose a grid of fees, so that it can be simulated. It is not in force until somebody else adopts it.

    Example: [bold]traboule billing propose-grid grille-2027.toml --reason "bureau du 3 décembre"[/]
    """
    show(command("propose-grid", {"grid": _read(file)}, by, reason), json=json)


@app.command("adopt-grid")
def adopt_grid(
    grid: GridId,
    reason: Reason,
    replaces: Annotated[str | None, typer.Option("--replaces", help="the grid in force that it cuts short")] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Adopt a proposed grid. It never changes after that; another one may replace it from a later day on.

    Example: [bold]traboule billing adopt-grid GRID --reason "assemblée générale du 12 décembre"[/]
    """
    show(command("adopt-grid", {"grid_id": grid, "replaces": replaces}, by, reason), json=json)


@app.command()
def simulate(
    grid: GridId,
    first: First,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE.csv", help="write a row for each member")] = None,
    json: Json = False,
) -> None:
    """Show what a grid would bring: who pays more, who less, by band, cluster and département.

    Example: [bold]traboule billing simulate GRID --first 2027-01-01 --csv simulation.csv[/]
    """
    answer = ask("simulation", {"grid_id": grid, "first": first})
    if csv is not None:
        _write(csv, answer["members"], _SIMULATED)
    if json:
        as_json(answer)
        return
    groups = {"in all": [answer["total"]]}
    groups |= {name.replace("_", " "): answer[name] for name in ("by_band", "by_cluster", "by_departement")}
    show({name: rows for name, rows in groups.items() if rows}, json=False)
    if unknown := answer["unknown_headcount"]:
        console = terminal()
        console.print(f"[yellow]headcount unknown or unreadable of {len(unknown)}:[/]")
        for name in unknown:
            console.print(f"  {name}", markup=False, highlight=False)


@app.command()
def compare(
    grid: GridId,
    first: First,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE.csv", help="write a row for each member")] = None,
    json: Json = False,
) -> None:
    """Show what a grid would have billed beside what former systems billed, with the reason of each difference.

    Example: [bold]traboule billing compare GRID --first 2026-01-01 --csv comparison.csv[/]
    """
    answer = ask("grid-comparison", {"grid_id": grid, "first": first})
    if csv is not None:
        _write(csv, answer["members"], _COMPARED)
    if json:
        as_json(answer)
        return
    names = ("name", "theirs", "ours", "sentence")
    differing = [row for row in answer["members"] if row["reason"] != "same"]
    show({**answer, "members": [{name: row[name] for name in names} for row in differing]}, json=False)


@app.command()
def owed(
    member: Annotated[
        str, typer.Argument(metavar="MEMBER", help="its id, or one of its records, such as numelink/1042")
    ],
    issuer: Issuer,
    first: First,
    language: Annotated[str, typer.Option("--language", help="fr or en")] = "fr",
    json: Json = False,
) -> None:
    """Show what one member owes for a period, record by record, with the reasons.

    Example: [bold]traboule billing owed numelink/1042 --issuer merged --first 2027-01-01[/]
    """
    show(ask("dues", {"member": member, "issuer": issuer, "first": first, "language": language}), json=json)


@app.command()
def decisions(
    record: Annotated[str | None, typer.Option("--record", help="only of this record")] = None, json: Json = False
) -> None:
    """List decisions about dues: in force, and taken back.

    Example: [bold]traboule billing decisions --record numelink/1042[/]
    """
    show(ask("due-decisions", {} if record is None else {"record": record}), json=json)


@app.command()
def decide(
    kind: Annotated[str, typer.Argument(help="exempt, one-bill, extension, release, remit or credit")],
    record: Annotated[str, typer.Argument(metavar="RECORD", help="such as numelink/1042")],
    reason: Reason,
    first: Annotated[str | None, typer.Option("--first", help="first day; of a remit or credit, of the period")] = None,
    last: Annotated[str | None, typer.Option("--last", help="last day")] = None,
    amount: Annotated[str, typer.Option("--amount", help="euros, of a remit or credit")] = "0.00",
    by: By = "",
    json: Json = False,
) -> None:
    """Decide about one record's dues. What is owed follows at once; documents follow with the next run.

    Examples: [bold]traboule billing decide exempt numelink/1042 --reason "école publique"[/],
    [bold]traboule billing decide remit numelink/1042 --first 2027-01-01 --amount 50.00 --reason "geste du bureau"[/]
    """
    asked = {"kind": kind, "record": record, "first": first, "last": last, "amount": amount}
    show(command("decide-due", asked, by, reason), json=json)


@app.command("take-back")
def take_back(
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="its id")],
    reason: Reason,
    by: By = "",
    json: Json = False,
) -> None:
    """Take a decision about dues back.

    Example: [bold]traboule billing take-back DECISION --reason "erreur de fiche"[/]
    """
    show(command("take-back-due-decision", {"decision_id": decision}, by, reason), json=json)


def _read(path: Path) -> Any:
    """A grid from TOML or JSON; amounts are text in both."""
    import json
    import tomllib

    try:
        text = path.read_text("utf-8-sig")
        return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        refuse(f"{path} cannot be read ({type(error).__name__})")
    except (UnicodeDecodeError, ValueError) as error:
        refuse(f"{path} is neither TOML nor JSON: {error}")


def _write(path: Path, rows: list[dict[str, Any]], columns: Sequence[str]) -> None:
    """A row for each member, as a French spreadsheet reads it; for nobody else on the machine."""
    import csv

    if path.exists():
        refuse(f"{path} is there already: name another file")
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_safe(row[name]) for name in columns])


def _safe(value: Any) -> str:
    """Text that no spreadsheet takes for a formula."""
    text = " ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
