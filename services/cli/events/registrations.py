"""``traboule events``: who registers, who waits, and what staff decide about it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

import typer

from services.cli.events.asking import ask, command, show
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json

SessionId = Annotated[str, typer.Argument(metavar="SESSION", help="a session's id, as `traboule events list` lists it")]
RegistrationId = Annotated[
    str,
    typer.Argument(metavar="REGISTRATION", help="its id, as `traboule events registrations` lists it"),
]
_LISTED = ("registration_id", "arrival", "state", "seats", "name", "email", "record", "offered_until")


def registrations(
    session: SessionId,
    state: Annotated[
        str | None,
        typer.Option("--state", help="registered, offered, waiting, asked, cancelled, declined or lapsed"),
    ] = None,
    after: Annotated[int, typer.Option("--after", min=0, help="the arrival number after which to begin")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="so many of them")] = 100,
    json: Json = False,
) -> None:
    """List who registered for a session, in the order of arrival.

    Example: [bold]traboule events registrations SESSION --state waiting[/]
    """
    which: dict[str, Any] = {"session_id": session, "after": after, "limit": limit}
    answer = ask("registrations", which | ({"state": state} if state else {}))
    if json:
        as_json(answer)
        return
    show({"registrations": [{name: item[name] for name in _LISTED} for item in answer["items"]]}, json=False)
    more = f"; go on with --after {answer['next']}" if answer["next"] else ""
    typer.echo(f"{len(answer['items'])} registrations{more}")


def registration(registration: RegistrationId, json: Json = False) -> None:
    """Show one registration: its state, its place in the line, and who comes.

    Example: [bold]traboule events registration REGISTRATION[/]
    """
    show(ask("registration", {"registration_id": registration}), json=json)


def register(
    session: SessionId,
    people: Annotated[
        list[str], typer.Argument(metavar="NAME[=ADDRESS]", help="who comes, and their e-mail; repeatable")
    ],
    reason: Reason,
    record: Annotated[str | None, typer.Option("--record", help="the member's record, such as numelink/1042")] = None,
    email: Annotated[str | None, typer.Option("--email", help="who is answered, for those without an address")] = None,
    key: Annotated[str, typer.Option("--key", help="under one key they are registered once")] = "",
    fewer: Annotated[bool, typer.Option("--fewer", help="seat as many as fit, and let the others wait")] = False,
    overrule: Annotated[bool, typer.Option("--overrule", help="although the list is not open, or closed")] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """Register people, or let them wait. They are seated together or wait together.

    Example: [bold]traboule events register SESSION "Léa Martin=lea@example.fr" --record numelink/1042 --reason "téléphone"[/]
    """  # noqa: E501 - a command stays on one line
    what: dict[str, Any] = {"session_id": session, "key": key or f"order {uuid4()}", "fewer": fewer}
    what |= {"people": [_person(text) for text in people], "overrule": overrule}
    what |= {name: value for name, value in {"record": record, "email": email}.items() if value is not None}
    show(command("register", what, by, reason), json=json)


def cancel(
    registration: RegistrationId,
    reason: Reason,
    attendees: Annotated[
        list[str] | None, typer.Option("--attendee", help="only this one comes no more; repeatable")
    ] = None,
    overrule: Annotated[bool, typer.Option("--overrule", help="although the last moment is over")] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """Cancel a registration, or some of its people. What becomes free is offered to the next at once.

    Example: [bold]traboule events cancel REGISTRATION --reason "malade"[/]
    """
    what = {"registration_id": registration, "attendees": attendees or [], "overrule": overrule}
    show(command("cancel-registration", what, by, reason), json=json)


def answer(
    registration: RegistrationId,
    reason: Reason,
    accept: Annotated[bool, typer.Option("--accept/--decline", help="take the offered seat, or leave it")] = True,
    by: By = "",
    json: Json = False,
) -> None:
    """Answer an offered seat for somebody who telephoned.

    Example: [bold]traboule events answer REGISTRATION --decline --reason "téléphone"[/]
    """
    show(command("answer-offer", {"registration_id": registration, "accept": accept}, by, reason), json=json)


def prefer(
    registration: RegistrationId,
    reason: Reason,
    overrule: Annotated[bool, typer.Option("--overrule", help="above the capacity, where no seat is free")] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """Give somebody who waits a seat, out of turn. The reason is kept.

    Example: [bold]traboule events prefer REGISTRATION --overrule --reason "intervenante"[/]
    """
    what = {"registration_id": registration, "overrule": overrule}
    show(command("prefer-registration", what, by, reason), json=json)


def decide(
    registration: RegistrationId,
    reason: Reason,
    same_people: Annotated[
        bool, typer.Option("--same-people/--other-people", help="is it somebody who is registered already?")
    ],
    by: By = "",
    json: Json = False,
) -> None:
    """Decide about the second registration of a member that is in both clusters.

    Example: [bold]traboule events decide REGISTRATION --other-people --reason "deux équipes"[/]
    """
    what = {"registration_id": registration, "same_people": same_people}
    show(command("decide-registration", what, by, reason), json=json)


def replace(
    attendee: Annotated[
        str, typer.Argument(metavar="ATTENDEE", help="their id, as `traboule events registration` shows it")
    ],
    person: Annotated[str, typer.Argument(metavar="NAME[=ADDRESS]", help="who comes instead")],
    reason: Reason,
    same_person: Annotated[
        bool, typer.Option("--same-person", help="the name was written wrong: their ticket works on")
    ] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """Let somebody else come instead. The seat stays.

    Example: [bold]traboule events replace ATTENDEE "Paul Roux=paul@example.fr" --reason "remplacement"[/]
    """
    what = {"attendee_id": attendee, "same_person": same_person} | _person(person)
    show(command("replace-attendee", what, by, reason), json=json)


def add_registrations(app: typer.Typer) -> None:
    """Name these commands in the group."""
    for function in (registrations, registration, register, cancel, answer, prefer, decide, replace):
        app.command(function.__name__)(function)


def _person(text: str) -> dict[str, str]:
    name, _, email = text.partition("=")
    return {"name": name, "email": email} if email else {"name": name}
