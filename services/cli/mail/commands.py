"""``traboule mail``: what mail goes out, and to whom none may go."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.asking import Asking, show
from services.cli.mail import files, records
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json, refuse

app = typer.Typer(
    no_args_is_help=True,
    help="What mail goes out, comes back, and to whom none may go (le courrier, et les oppositions).",
)
app.add_typer(records.app)
app.add_typer(files.app)

_MAIL = Asking("communications")
Record = Annotated[str | None, typer.Option("--record", metavar="CLUSTER/ID", help="a source record")]
_SHOWN = ("created_at", "kind", "name", "address", "state", "attempt", "code", "answer", "delivery_id")


@app.command()
def status(json: Json = False) -> None:
    """Show what waits, what went out, and what wants a decision. Exit code 1 if something does.

    Example: [bold]traboule mail status[/]
    """
    answer = _MAIL.ask("mail-status", {})
    show(answer, json=json)
    uncertain = sum(item["count"] for item in answer["counts"] if item["state"] == "uncertain")
    aside = sum(answer["set_aside"].values())
    if not answer["sends"] and not json:
        typer.secho("no mail goes out: set TRABOULE_COMMUNICATIONS_MAIL_FILE", fg="yellow", err=True)
    if answer["paused"] or uncertain or aside:
        if not json:
            wanting = f"{uncertain} uncertain mails, {len(answer['paused'])} paused domains, {aside} facts set aside"
            typer.secho(wanting, fg="yellow", err=True)
        raise typer.Exit(1)


@app.command()
def deliveries(
    state: Annotated[str | None, typer.Option("--state", help="due, accepted, refused, uncertain, suppressed…")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="such as invoice")] = None,
    cause: Annotated[str | None, typer.Option("--cause", help="the fact or campaign that they went out for")] = None,
    record: Record = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200)] = 50,
    json: Json = False,
) -> None:
    """Show what was sent to whom, when, and what was answered; the newest first.

    Example: [bold]traboule mail deliveries --state refused --record numelink/1042[/]
    """
    wanted = {"state": state, "kind": kind, "cause": cause, "record": record, "limit": limit}
    answer = _MAIL.ask("deliveries", {name: value for name, value in wanted.items() if value is not None})
    if json:
        as_json(answer)
        return
    show({"deliveries": [{name: item[name] for name in _SHOWN} for item in answer["items"]]}, json=False)


@app.command()
def suppressed(
    record: Record = None,
    delivery: Annotated[str | None, typer.Option("--delivery", metavar="ID", help="of a mail that went there")] = None,
    json: Json = False,
) -> None:
    """Say why somebody gets no mail.

    Example: [bold]traboule mail suppressed --record numelink/1042[/]
    """
    if (record is None) == (delivery is None):
        refuse("give --record or --delivery")
    wanted = {"record": record} if record is not None else {"delivery_id": delivery}
    show(_MAIL.ask("suppressions", wanted), json=json)


@app.command()
def suppress(
    reason: Reason,
    address: Annotated[str | None, typer.Option("--address", help="an e-mail address")] = None,
    record: Record = None,
    purpose: Annotated[str, typer.Option("--purpose", help="of bulk mail; * is every purpose")] = "*",
    by: By = "",
    json: Json = False,
) -> None:
    """Write no more bulk mail to somebody who asked staff for that.

    Example: [bold]traboule mail suppress --record numelink/1042 --reason "demande par téléphone"[/]
    """
    if address is None and record is None:
        refuse("give --address, --record, or both")
    wanted = {"address": address, "record": record, "purpose": purpose}
    given = {name: value for name, value in wanted.items() if value is not None}
    show(_MAIL.command("suppress", given, by, reason), json=json)


@app.command()
def lift(
    suppression: Annotated[int, typer.Argument(metavar="NUMBER", help="as `traboule mail suppressed` lists it")],
    reason: Reason,
    proof: Annotated[str, typer.Option("--proof", help="where the proof is kept that the person asked for it")],
    by: By = "",
    json: Json = False,
) -> None:
    """Write to somebody again, who asked for it; the proof's place is kept (RGPD art. 7).

    Example: [bold]traboule mail lift 17 --proof "courriel du 3 mai, dossier 12" --reason "à sa demande"[/]
    """
    show(_MAIL.command("lift-suppression", {"suppression_id": suppression, "proof": proof}, by, reason), json=json)


@app.command()
def resume(
    domain: Annotated[str, typer.Argument(help="as `traboule mail status` lists it")],
    reason: Reason,
    by: By = "",
    json: Json = False,
) -> None:
    """Send to a domain again whose servers refused us, once that is mended.

    Example: [bold]traboule mail resume orange.fr --reason "retirés de la liste noire"[/]
    """
    show(_MAIL.command("resume-domain", {"domain": domain}, by, reason), json=json)


@app.command()
def uncertain(
    cause: Annotated[
        str, typer.Argument(help="as `traboule mail deliveries --state uncertain` lists it; * is every one")
    ],
    decision: Annotated[str, typer.Option("--decision", help="leave, or send-again: somebody may get one twice")],
    reason: Reason,
    delivery: Annotated[str | None, typer.Option("--delivery", metavar="ID", help="only this mail")] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Decide about mails of which nobody knows whether they arrived.

    Example: [bold]traboule mail uncertain campaign-12 --decision leave --reason "une lettre de plus gênerait"[/]
    """
    given = {"cause": cause, "decision": decision} | ({"delivery_id": delivery} if delivery else {})
    show(_MAIL.command("decide-uncertain", given, by, reason), json=json)


@app.command("test")
def send_test(
    address: Annotated[str, typer.Argument(help="yours: look at what arrives")],
    brand: Annotated[str, typer.Option("--brand", help="as the mail file names it")],
    reason: Reason = "essai",
    by: By = "",
    json: Json = False,
) -> None:
    """Send a mail to yourself, by the same way as all others.

    Example: [bold]traboule mail test vous@exemple.fr --brand numelink[/]
    """
    show(_MAIL.command("send-test-mail", {"address": address, "brand": brand}, by, reason), json=json)


@app.command()
def seen(
    code: Annotated[str, typer.Argument(help="as it stands in the mail")],
    reason: Reason = "essai",
    by: By = "",
    json: Json = False,
) -> None:
    """Say that a test mail arrived; before its brand's communications are switched, somebody must have seen one.

    Example: [bold]traboule mail seen k3xq7abc[/]
    """
    show(_MAIL.command("confirm-test-mail", {"code": code}, by, reason), json=json)


@app.command()
def inform(
    brand: Annotated[str, typer.Option("--brand", help="of the mail file; it writes to its clusters, or to all")],
    controller: Annotated[str, typer.Option("--controller", help="the legal body that holds the data now")],
    merged_on: Annotated[str, typer.Option("--merged-on", metavar="DAY", help="since when, such as 2027-01-01")],
    policy: Annotated[str, typer.Option("--policy", metavar="URL", help="recipients, durations, whom to ask")],
    reason: Reason,
    by: By = "",
    json: Json = False,
) -> None:
    """Tell everybody where their data came from, once for each address (RGPD art. 14: within a month).

    Example: [bold]traboule mail inform --brand traboule --controller "Traboule Numérique" --merged-on 2027-01-01
    --policy https://traboule.example/donnees --reason "fusion"[/]
    """
    given = {"brand": brand, "controller": controller, "merged_on": merged_on, "policy": policy}
    show(_MAIL.command("send-information-letter", given, by, reason), json=json)
