"""``traboule billing``: runs, documents and their corrections."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.asking import given
from services.cli.billing.asking import ask, command, show
from services.cli.environment import configured
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json, plain, refuse, terminal
from shared.cli.terminal import run as run_now

app = typer.Typer()

RunId = Annotated[str, typer.Argument(metavar="RUN", help="a run's id, as `traboule billing runs` lists it")]
Issuer = Annotated[str, typer.Option("--issuer", help="a legal body, as `traboule billing issuers` lists it")]
OnlyIssuer = Annotated[str | None, typer.Option("--issuer", help="only this one's")]
First = Annotated[str, typer.Option("--first", metavar="YYYY-MM-DD", help="first day of the period")]
Record = Annotated[str | None, typer.Option("--record", help="only of this record, such as numelink/1042")]
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="such as F-2027-000123")]


@app.command()
def runs(issuer: OnlyIssuer = None, json: Json = False) -> None:
    """List runs: prepared, approved, issued.

    Example: [bold]traboule billing runs[/]
    """
    answer = ask("runs", given(issuer=issuer))
    if json:
        as_json(answer)
        return
    names = ("run_id", "issuer", "first", "state", "documents", "total", "prepared_by", "approved_by")
    show({"runs": [{name: item[name] for name in names} for item in answer["items"]]}, json=False)


@app.command()
def run(run_id: RunId, json: Json = False) -> None:
    """Show a run, with the documents that would be issued now, and why.

    Example: [bold]traboule billing run RUN[/]
    """
    _show_run(ask("run", {"run_id": run_id}), json=json)


@app.command()
def tasks(issuer: OnlyIssuer = None, json: Json = False) -> None:
    """List what differs of periods that were billed: after a merge, an un-merge, a resignation, a decision; and why.

    A run issues what differs; a decision (`traboule billing decide`) may settle it otherwise.

    Example: [bold]traboule billing tasks[/]
    """
    answer = ask("billing-tasks", given(issuer=issuer))
    if json:
        as_json(answer)
        return
    names = ("first", "name", "kind", "amount", "corrects", "sentence")
    show({"tasks": [{name: item[name] for name in names} for item in answer["items"]]}, json=False)


@app.command("prepare-run")
def prepare_run(issuer: Issuer, first: First, reason: Reason, by: By = "", json: Json = False) -> None:
    """Work out the documents that a period asks for: invoices, credit notes, or nothing. Nothing is issued yet.

    Example: [bold]traboule billing prepare-run --issuer merged --first 2027-01-01 --reason "appel 2027"[/]
    """
    _show_run(command("prepare-run", {"issuer": issuer, "first": first}, by, reason), json=json)


@app.command("approve-run")
def approve_run(run_id: RunId, reason: Reason, by: By = "", json: Json = False) -> None:
    """Approve a prepared run: by somebody else than who prepared it, and who may.

    Example: [bold]traboule billing approve-run RUN --by tresoriere --reason "vérifié"[/]
    """
    show(command("approve-run", {"run_id": run_id}, by, reason), json=json)


@app.command("issue-run")
def issue_run(run_id: RunId, reason: Reason, by: By = "", json: Json = False) -> None:
    """Issue the documents of an approved run. They are numbered, and never altered: a mistake gets a credit note.

    Example: [bold]traboule billing issue-run RUN --by tresoriere --reason "appel 2027"[/]
    """
    show(command("issue-run", {"run_id": run_id}, by, reason), json=json)


@app.command()
def documents(issuer: OnlyIssuer = None, record: Record = None, json: Json = False) -> None:
    """List documents that were issued, the newest first.

    Example: [bold]traboule billing documents --record numelink/1042[/]
    """
    answer = ask("documents", given(issuer=issuer, record=record))
    if json:
        as_json(answer)
        return
    names = ("number", "kind", "issued_on", "record", "buyer", "gross", "corrects", "files")
    show({"documents": [{name: item[name] for name in names} for item in answer["items"]]}, json=False)


@app.command()
def document(number: Number, json: Json = False) -> None:
    """Show one document with its lines, and why it comes to that.

    Example: [bold]traboule billing document F-2027-000123[/]
    """
    show(ask("document", {"number": number}), json=json)


@app.command()
def files(
    number: Number,
    folder: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="where to write them")] = Path(),
) -> None:
    """Write a document's PDF, with its Factur-X inside, and the XML alone; readable by you alone.

    Example: [bold]traboule billing files F-2027-000123 --to envoi[/]
    """
    answer = ask("document-files", {"number": number})
    for kind in ("pdf", "xml"):
        path = folder / f"{number}.{kind}"
        try:
            path.touch(mode=0o600, exist_ok=False)
            path.write_bytes(b64decode(answer[kind]))
        except FileExistsError:
            refuse(f"{path} is there already: name another folder")
        except OSError as error:
            refuse(f"{path} cannot be written ({type(error).__name__})")
        typer.echo(f"written: {path}")


@app.command()
def render() -> None:
    """Make the files of documents that have none yet, as a running service does by itself.

    Example: [bold]traboule billing render[/]
    """
    from services.billing.documents.files import render_the_rest, try_failed_again
    from shared.persistence.database import create_engine

    async def work() -> None:
        engine = create_engine(
            configured("billing")["billing"].database_url, application="traboule billing", pool_size=1
        )
        try:
            await try_failed_again(engine)
            await render_the_rest(engine)
        finally:
            await engine.dispose()

    run_now(work())


@app.command()
def correct(
    number: Number,
    cause: Annotated[str, typer.Option("--cause", help="error, duplicate, departure, exemption, gesture or dispute")],
    reason: Reason,
    line: Annotated[
        list[str] | None, typer.Option("--line", metavar="PLACE[=AMOUNT]", help="a line, or so much of it; repeatable")
    ] = None,
    first: Annotated[str | None, typer.Option("--first", help="first day that is credited")] = None,
    last: Annotated[str | None, typer.Option("--last", help="last day that is credited")] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Issue a credit note on a document, by line or by days. The reason is printed on it.

    Examples: [bold]traboule billing correct F-2027-000123 --cause gesture --line 0=50.00 --reason "accord"[/],
    [bold]traboule billing correct F-2027-000123 --cause error --first 2027-07-01 --last 2027-12-31 --reason "…"[/]
    """
    asked = {"number": number, "cause": cause} | given(first=first, last=last)
    show(command("correct-document", asked | {"lines": [_line(text) for text in line or []]}, by, reason), json=json)


def _line(text: str) -> dict[str, Any]:
    place, equals, amount = text.partition("=")
    if not place.isdecimal():
        refuse(f"--line {text}: write a line's place, such as 0, or 0=50.00")
    return {"place": int(place)} | ({"amount": amount} if equals else {})


def _show_run(answer: dict[str, Any], *, json: bool) -> None:
    if json:
        as_json(answer)
        return
    tables = {"proposed": answer.pop("proposed"), "held_back": answer.pop("held_back")}
    for row in tables["proposed"]:
        row["lines"] = "; ".join(row["lines"])
    show(answer | {name: rows for name, rows in tables.items() if rows}, json=False)
    if not answer["unchanged"]:
        detail = "what is owed has changed since it was prepared: it cannot be issued"
        terminal().print(f"[yellow]{plain(detail)}[/]", highlight=False)
