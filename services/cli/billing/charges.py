"""``traboule billing``: seats of gatherings that cost something."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.asking import given
from services.cli.billing.asking import ask, command, show
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json

app = typer.Typer()

_COLUMNS = (
    "day",
    "title",
    "record",
    "name",
    "seats",
    "amount",
    "billed",
    "references",
    "todo",
    "registration_id",
)


@app.command()
def charges(
    organiser: Annotated[str | None, typer.Option("--organiser", help="only of gatherings of this cluster")] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="to-invoice, to-credit, by-hand or done; else all but done")
    ] = None,
    json: Json = False,
) -> None:
    """List seats that cost something: what is to be invoiced, credited, or done by hand.

    Example: [bold]traboule billing charges --state by-hand[/]
    """
    answer = ask("charges", given(organiser=organiser, state=state))
    if json:
        as_json(answer)
        return
    items = [{**item, "references": ", ".join(item["references"])} for item in answer["items"]]
    show({"charges": [{name: item[name] for name in _COLUMNS} for item in items]}, json=False)
    if answer["more"]:
        typer.secho(f"{answer['more']} more: choose a cluster or a state", fg="yellow", err=True)


@app.command("bill-charges")
def bill_charges(
    issuer: Annotated[str, typer.Option("--issuer", help="a legal body, as `traboule billing issuers` lists it")],
    reason: Reason,
    registrations: Annotated[
        list[str] | None, typer.Option("--registration", help="only this one; may be given again")
    ] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Issue the invoices of seats, and credit notes for those that were given up. Look with `charges` first.

    Example: [bold]traboule billing bill-charges --issuer merged --by tresoriere --reason "dîner du 12 mars"[/]
    """
    answer = command("bill-charges", {"issuer": issuer, "registrations": registrations or []}, by, reason)
    if json:
        as_json(answer)
        return
    typer.echo(f"{answer['documents']} documents, {answer['total']} € in all: {', '.join(answer['numbers'])}")
    if answer["held_back"]:
        show({"not billed": answer["held_back"]}, json=False)


@app.command("settle-charge")
def settle_charge(
    registration: Annotated[str, typer.Argument(metavar="REGISTRATION", help="its id, as `charges` lists it")],
    reference: Annotated[str, typer.Option("--reference", help="where it was billed, or paid back")],
    reason: Reason = "saisie",
    by: By = "",
    json: Json = False,
) -> None:
    """Enter that seats were billed, or paid back, elsewhere: by a former system, or in cash.

    Example: [bold]traboule billing settle-charge REGISTRATION --reference "FA-2027-31 (Dolibarr)"[/]
    """
    arguments = {"registration_id": registration, "reference": reference}
    show(command("settle-charge", arguments, by, reason), json=json)
