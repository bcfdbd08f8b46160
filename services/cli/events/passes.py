"""``traboule events``: check-in passes, with which phones let people in without an API key."""

from __future__ import annotations

import secrets
from base64 import b32encode
from typing import Annotated

import typer

from schemas.objections import TOKEN_LENGTH, link_digest
from services.cli.asking import given
from services.cli.events.asking import ask, command, show
from services.cli.events.registrations import SessionId
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json


def check_in_pass(
    session: SessionId,
    reason: Reason,
    device: Annotated[
        str | None, typer.Option("--device", help="whose phone it is for; shown with who came in")
    ] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Make a check-in pass for a phone, and print its address once. It ends six hours after the session.

    Whoever has the address sees the names of this session, and lets people in. Make one for each phone.

    Example: [bold]traboule events check-in-pass SESSION --device "Accueil 1" --reason "accueil"[/]
    """
    # Made here, so that the token itself crosses no broker and stands in no database.
    token = b32encode(secrets.token_bytes(20)).decode().lower()[:TOKEN_LENGTH]
    asked = {"session_id": session, "digest": link_digest(token)} | given(device=device)
    answer = command("check-in-pass", asked, by, reason)
    address = f"{answer['path']}{token}"
    if json:
        as_json(answer | {"address": address})
        return
    typer.echo(address)
    typer.echo(f"until {answer['ends_at']}; to end it before: traboule events end-check-in-pass {answer['pass_id']}")
    if not address.startswith("https://"):
        typer.echo("put the gateway's address in front: TRABOULE_EVENTS_PUBLIC_URL is not set")


def check_in_passes(session: SessionId, json: Json = False) -> None:
    """List the check-in passes of a session, also those that ended. Addresses are not kept.

    Example: [bold]traboule events check-in-passes SESSION[/]
    """
    answer = ask("check-in-passes", {"session_id": session})
    if json:
        as_json(answer)
        return
    listed = ("pass_id", "device", "author", "made_at", "ends_at", "ended_at")
    show({"passes": [{name: item[name] for name in listed} for item in answer["items"]]}, json=False)


def end_check_in_pass(
    pass_id: Annotated[
        str, typer.Argument(metavar="PASS", help="its id, as `traboule events check-in-passes` lists it")
    ],
    reason: Reason,
    by: By = "",
    json: Json = False,
) -> None:
    """End a check-in pass at once: its address shows nothing any more.

    Example: [bold]traboule events end-check-in-pass PASS --reason "téléphone perdu"[/]
    """
    show(command("end-check-in-pass", {"pass_id": pass_id}, by, reason), json=json)


def add_passes(app: typer.Typer) -> None:
    """Name these commands in the group."""
    for function in (check_in_pass, check_in_passes, end_check_in_pass):
        app.command(function.__name__.replace("_", "-"))(function)
