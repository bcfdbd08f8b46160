"""The demo's chapter about events: gatherings go on here with their seats, and somebody who waited gets one."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.demo.operating import counted, differences, move, run
from deploy.errors import NodeError

SYSTEM = "clustr-numerique/events"
SECONDS = 30.0
"""The longest that taking over may take here."""


def show_events(console: Console, files: Sequence[Path]) -> None:
    """Move a cluster's events over while gatherings are open, and pass a seat on."""
    console.print(f"\n[bold]Moving {SYSTEM} over[/] (traboule events)")
    run("cutover", "mirror", SYSTEM, "--reason", "its export is in")
    different = differences(SYSTEM, *map(str, files))
    console.print(f"  compared with its export: {counted(different)}", highlight=False)
    for what in different:
        run("differences", "accept", "--as", SYSTEM, "--what", what, "--reason", "sent back to be corrected there")
    rehearsed = json.loads(run("rehearse", SYSTEM, "--json", codes=(0, 1)))["differences"]
    if rehearsed:
        run("differences", "accept", "--as", SYSTEM, "--rehearsal", "--kind", "place", "--reason", "their order stays")
    console.print(f"  rehearsed who would have had a place: {len(rehearsed)} otherwise", highlight=False)
    run("cutover", "note-backup", "--note", "none: this is the demo")
    move(lambda step: console.print(f"  {step}", highlight=False), SYSTEM, "switch", "the board decided")
    sessions = _taken_over()
    seats = Counter[str]()
    for session in sessions:
        seats.update({name: session[name] for name in ("registered", "offered", "waiting")})
    console.print(
        f"  gatherings that are open go on here ({len(sessions)}): {seats['registered']} seats are kept, "
        f"{seats['waiting']} people wait in the order in which they came",
        highlight=False,
    )
    console.print(_passed_on(sessions))


def _taken_over() -> list[dict[str, Any]]:
    """The sessions that go on here, once the service took them over by itself."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        listed = json.loads(run("events", "list", "--cluster", "clustr-numerique", "--json"))["items"]
        if listed:
            return [session | {"title": each["title"]} for each in listed for session in each["sessions"]]
        time.sleep(0.5)
    raise NodeError(f"no gathering of {SYSTEM} was taken over within {SECONDS:.0f} s")


def _passed_on(sessions: Sequence[Mapping[str, Any]]) -> Table:
    """A larger room for all who wait, a seat for one more, who falls ill: the next is offered it at once."""
    session = max(sessions, key=lambda each: each["held"])
    session_id, asked_for = session["session_id"], session["held"] + session["waiting"]
    run("events", "change", session_id, "--capacity", str(asked_for + 1), "--reason", "a larger room")
    people = ("Léa Martin=lea@example.fr", "Paul Roux=paul@example.fr", "Zoé Petit=zoe@example.fr")
    placed = [
        json.loads(run("events", "register", session_id, person, "--reason", "by phone", "--json"))["items"][0]
        for person in people
    ]
    run("events", "cancel", placed[0]["registration_id"], "--reason", "ill")
    table = Table(
        "Who", "Was", "Is now", "Until", title=f"A seat is passed on: {session['title']}", title_justify="left"
    )
    for before in placed:
        now = json.loads(run("events", "registration", before["registration_id"], "--json"))
        table.add_row(before["name"], before["state"], now["state"], (now["offered_until"] or "")[:16])
    return table
