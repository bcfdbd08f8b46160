"""``traboule events``: gatherings that are organised here."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

import typer

from services.cli.asking import given
from services.cli.events.asking import ask, command, show
from services.cli.events.checkin import add_checkin
from services.cli.events.passes import add_passes
from services.cli.events.registrations import add_registrations
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json

app = typer.Typer(
    no_args_is_help=True, help="Gatherings, seats and who registers (les rencontres, les places, les inscriptions)."
)

GatheringId = Annotated[
    str, typer.Argument(metavar="GATHERING", help="a gathering's id, as `traboule events list` lists it")
]
SessionId = Annotated[str, typer.Argument(metavar="SESSION", help="a session's id, as `traboule events list` lists it")]
_SEATS = ("capacity", "overbooked", "held", "offered", "waiting", "asked", "attended")


@app.command("list")
def list_gatherings(
    cluster: Annotated[str | None, typer.Option("--cluster", help="only this one's")] = None,
    past: Annotated[bool, typer.Option("--past", help="also those that are over")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="so many of them")] = 100,
    after: Annotated[str | None, typer.Option("--after", help="the id of the gathering after which to begin")] = None,
    json: Json = False,
) -> None:
    """List gatherings with their sessions and seats, the next one first.

    Example: [bold]traboule events list --cluster numelink[/]
    """
    which: dict[str, Any] = {"past": past, "limit": limit}
    answer = ask("gatherings", which | given(cluster=cluster, after=after))
    if json:
        as_json(answer)
        return
    rows = [
        {"session": session["session_id"], "starts": session["local_start"], "title": session["title"] or each["title"]}
        | {"cluster": each["cluster"], "state": each["state"]}
        | {name: session[name] for name in _SEATS}
        for each in answer["items"]
        for session in each["sessions"]
    ]
    show({"sessions": rows}, json=False)
    more = f"; go on with --after {answer['next']}" if answer["next"] else ""
    typer.echo(f"{len(answer['items'])} gatherings{more}")


@app.command("show")
def show_gathering(gathering: GatheringId, json: Json = False) -> None:
    """Show one gathering: when, where, its prices, and the seats of its sessions.

    Example: [bold]traboule events show GATHERING[/]
    """
    show(ask("gathering", {"gathering_id": gathering}), json=json)


@app.command()
def plan(
    cluster: Annotated[str, typer.Argument(metavar="CLUSTER", help="whose gathering it is")],
    starts: Annotated[str, typer.Argument(metavar="YYYY-MM-DDTHH:MM", help="when it begins, local time")],
    reason: Reason,
    title: Annotated[str | None, typer.Option("--title", help="what it is called")] = None,
    key: Annotated[str, typer.Option("--key", help="under one key it is planned once")] = "",
    capacity: Annotated[int | None, typer.Option("--capacity", min=0, help="seats; without, nobody waits")] = None,
    minutes: Annotated[int | None, typer.Option("--minutes", min=1, help="how long it takes")] = None,
    zone: Annotated[str, typer.Option("--zone", help="time zone of the place")] = "Europe/Paris",
    offset: Annotated[str | None, typer.Option("--offset", help="such as +02:00, where clocks show it twice")] = None,
    closes_at: Annotated[
        str | None, typer.Option("--closes-at", help="last moment, such as 2027-01-27T18:00+01:00")
    ] = None,
    place: Annotated[str | None, typer.Option("--place", help="where it is")] = None,
    link: Annotated[str | None, typer.Option("--link", help="where it is, if it is on line")] = None,
    member_price: Annotated[str | None, typer.Option("--member-price", help="euros for a member")] = None,
    guest_price: Annotated[str | None, typer.Option("--guest-price", help="euros for a guest")] = None,
    like: Annotated[str | None, typer.Option("--like", help="an earlier gathering that lends what is left out")] = None,
    allotment: Annotated[
        bool,
        typer.Option("--allotment", help="seats apart from those of another form for it"),
    ] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """Plan a gathering of one session. A local time that does not exist is refused.

    Example: [bold]traboule events plan numelink 2027-03-25T08:30 --title "Petit-déjeuner" --capacity 40 --reason "CA"[/]
    """  # noqa: E501 - a command stays on one line
    session = {"starts": starts, "zone": zone}
    session |= given(offset=offset, capacity=capacity, minutes=minutes, closes_at=closes_at)
    more = given(title=title, place=place, link=link, member_price=member_price, guest_price=guest_price, like=like)
    what = {"cluster": cluster, "key": key or f"plan {uuid4()}", "sessions": [session], "allotment": allotment}
    show(command("plan-gathering", what | more, by, reason), json=json)


@app.command()
def change(
    session: SessionId,
    reason: Reason,
    starts: Annotated[str | None, typer.Option("--starts", metavar="YYYY-MM-DDTHH:MM", help="local time")] = None,
    offset: Annotated[str | None, typer.Option("--offset", help="such as +02:00, where clocks show it twice")] = None,
    capacity: Annotated[int | None, typer.Option("--capacity", min=0, help="seats")] = None,
    overbooked: Annotated[int | None, typer.Option("--overbooked", min=0, help="seats above the capacity")] = None,
    closes_at: Annotated[str | None, typer.Option("--closes-at", help="last moment to register")] = None,
    no_capacity: Annotated[bool, typer.Option("--no-capacity", help="as many as come: nobody waits")] = False,
    no_closes_at: Annotated[bool, typer.Option("--no-closes-at", help="one may register until it begins")] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """Change when a session is, or how many it holds. A larger one offers its seats to those who wait.

    Where it begins or its list closes earlier, offers end earlier too, and people are written to.

    Example: [bold]traboule events change SESSION --capacity 60 --reason "salle B"[/]
    """
    what = given(starts=starts, offset=offset, capacity=capacity, overbooked=overbooked, closes_at=closes_at)
    flags = {"capacity": no_capacity, "closes_at": no_closes_at}
    without = [name for name, removed in flags.items() if removed]
    if any(name in what for name in without):
        raise typer.BadParameter("give a value, or remove it: not both")
    asked = {"session_id": session, "key": f"change {uuid4()}", "without": without} | what
    show(command("change-session", asked, by, reason), json=json)


@app.command("call-off")
def call_off(gathering: GatheringId, reason: Reason, by: By = "", json: Json = False) -> None:
    """Cancel a gathering. Everybody who has a seat is written to.

    Example: [bold]traboule events call-off GATHERING --reason "salle fermée"[/]
    """
    show(command("cancel-gathering", {"gathering_id": gathering}, by, reason), json=json)


@app.command("take-over")
def take_over(
    cluster: Annotated[str, typer.Argument(metavar="CLUSTER", help="whose former system was moved over")],
    reason: Reason,
    by: By = "",
    json: Json = False,
) -> None:
    """Go on at once with the gatherings of a former system that was moved over. The service does so by itself too.

    Example: [bold]traboule events take-over clustr-numerique --reason "bascule"[/]
    """
    show(command("take-over-gatherings", {"cluster": cluster}, by, reason), json=json)


add_registrations(app)
add_checkin(app)
add_passes(app)
