"""``traboule billing remind``: whoever owes a document that is overdue."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.billing.asking import ask, command, show
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json

app = typer.Typer()


@app.command()
def remind(
    issuer: Annotated[str, typer.Option("--issuer", help="a legal body, as `traboule billing issuers` lists it")],
    every: Annotated[
        int, typer.Option("--every", min=1, max=365, help="days between two reminders of one document")
    ] = 15,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show which documents, and remind nobody")] = False,
    reason: Reason = "relance",
    by: By = "",
    json: Json = False,
) -> None:
    """Remind whoever owes a document that is overdue, three times at the most. Look with --dry-run first.

    Example: [bold]traboule billing remind --issuer merged --dry-run[/]
    """
    wanted = {"issuer": issuer, "every": every}
    answer = ask("overdue-documents", wanted) if dry_run else command("remind-overdue", wanted, by, reason)
    if json:
        as_json(answer)
        return
    show({"documents": answer["items"]}, json=False)
    verb = "would be reminded of" if dry_run else "were reminded of"
    typer.echo(f"{answer['count']} documents {verb}, {answer['owed']} € in all")
    if without := sum(item["by_post"] for item in answer["items"]):
        typer.secho(f"{without} of them have no e-mail address: write by post", fg="yellow", err=True)
