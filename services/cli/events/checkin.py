"""``traboule events``: who is expected, who came in, and the headcounts that funders ask for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from schemas.events_public import PublicSession
from services.cli.environment import configured
from services.cli.events.asking import ask, command, show
from services.cli.events.registrations import SessionId
from services.events.attendance.csv_files import AttendanceRow, attendance_csv, headcounts_csv
from services.events.attendance.headcounts import Attendee, Headcount, Headcounts
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json
from shared.runtime.clusters import load_clusters

_LISTED = ("attendee_id", "name", "organisation", "state", "attended_at", "walk_in")


def expected(
    session: SessionId,
    csv: Annotated[Path | None, typer.Option("--csv", help="write the list into this file")] = None,
    zone: Annotated[str, typer.Option("--zone", help="time zone of the file's times")] = "Europe/Paris",
    json: Json = False,
) -> None:
    """List who is expected at a session, and who came in.

    Example: [bold]traboule events expected SESSION --csv presence.csv[/]
    """
    answer = ask("expected", {"session_id": session})
    if csv is not None:
        csv.write_bytes(attendance_csv([_row(item) for item in answer["items"]], zone))
        typer.echo(f"{csv}: {len(answer['items'])} people")
    elif json:
        as_json(answer)
    else:
        show({"people": [{name: item[name] for name in _LISTED} for item in answer["items"]]}, json=False)
        for attendee_id in answer["twice"]:
            typer.echo(f"two devices let {attendee_id} in: was a ticket copied?")


def attendance(
    session: SessionId,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="write counts and list into this file, A4")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="write the counts into this file")] = None,
    signatures: Annotated[bool, typer.Option("--signatures", help="in the PDF a column to sign in")] = False,
    json: Json = False,
) -> None:
    """Count who registered and who came: in all, by cluster and by département, each person once.

    Example: [bold]traboule events attendance SESSION --pdf presence.pdf[/]
    """
    answer = ask("attendance", {"session_id": session})
    if csv is not None:
        csv.write_bytes(headcounts_csv(_counts(answer)))
        typer.echo(f"{csv}: {answer['total']['attended']} people came")
    if pdf is not None:
        people = ask("expected", {"session_id": session})["items"]
        pdf.write_bytes(_pdf(answer, people, signed=signatures))
        typer.echo(f"{pdf}: {answer['total']['attended']} people came")
    if pdf is None and csv is None:
        show(answer, json=json)


def check_in(
    session: SessionId,
    reason: Reason,
    attendees: Annotated[list[str] | None, typer.Option("--attendee", help="somebody on the list; repeatable")] = None,
    tickets: Annotated[list[str] | None, typer.Option("--ticket", help="a ticket's code; repeatable")] = None,
    names: Annotated[list[str] | None, typer.Option("--walk-in", help="somebody who is on no list; repeatable")] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Let people in. Who did not register is added and counted; who is in already stays in.

    Example: [bold]traboule events check-in SESSION --attendee ATTENDEE --walk-in "Paul Roux" --reason "accueil"[/]
    """
    given = [("attendee_id", attendees), ("ticket", tickets), ("name", names)]
    entries: list[dict[str, Any]] = [{field: value} for field, values in given for value in values or ()]
    if not entries:
        raise typer.BadParameter("name at least one: --attendee, --ticket or --walk-in")
    entries = [entry | {"key": f"desk {uuid4()}"} for entry in entries]
    show(command("check-in", {"session_id": session, "entries": entries}, by, reason), json=json)


def undo_check_in(
    attendee: Annotated[str, typer.Argument(metavar="ATTENDEE", help="as `traboule events expected` lists them")],
    reason: Reason,
    by: By = "",
    json: Json = False,
) -> None:
    """Take back that somebody came in.

    Example: [bold]traboule events undo-check-in ATTENDEE --reason "erreur"[/]
    """
    show(command("undo-check-in", {"attendee_id": attendee}, by, reason), json=json)


def add_checkin(app: typer.Typer) -> None:
    """Name these commands in the group."""
    for function in (expected, attendance, check_in, undo_check_in):
        app.command(function.__name__.replace("_", "-"))(function)


def _pdf(answer: dict[str, Any], people: list[dict[str, Any]], *, signed: bool) -> bytes:
    # Here, because the typesetter takes long to import.
    from services.events.attendance.page import SessionHead, attendance_pdf

    shown = PublicSession.model_validate(answer["session"])
    head = SessionHead(
        gathering=shown.gathering,
        title=shown.title,
        place=shown.place,
        organiser=shown.cluster,
        zone=shown.zone,
        starts_at=shown.starts_at,
        ends_at=shown.ends_at,
    )
    clusters = load_clusters(configured("events")["events"].clusters_file)
    names = {code: cluster.name for code, cluster in clusters.items()}
    return attendance_pdf(head, _counts(answer), [_row(item) for item in people], names, signed=signed)


def _counts(answer: dict[str, Any]) -> Headcounts:
    def by_name(groups: list[dict[str, Any]]) -> dict[str | None, Headcount]:
        return {group["name"]: _count(group) for group in groups}

    return Headcounts(
        total=_count(answer["total"]),
        by_cluster=by_name(answer["clusters"]),
        by_departement=by_name(answer["departements"]),
    )


def _count(heads: dict[str, Any]) -> Headcount:
    return Headcount(**{name: heads[name] for name in Headcount.__dataclass_fields__})


def _row(item: dict[str, Any]) -> AttendanceRow:
    at = item["attended_at"]
    attendee = Attendee(
        person=None,
        clusters=frozenset(item["clusters"]),
        departement=item["departement"],
        state=item["state"],
        walk_in=item["walk_in"],
    )
    return AttendanceRow(
        name=item["name"],
        organisation=item["organisation"] or "",
        attendee=attendee,
        checked_in_at=None if at is None else datetime.fromisoformat(at),
    )
