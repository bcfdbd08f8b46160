"""Attendance as a page for funders: headcounts by cluster and by département, and the list, with room to sign."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from services.common.typeset import typeset
from services.common.words import clock, local_moment
from services.events.attendance.csv_files import COUNTS, STATES, UNKNOWN, AttendanceRow, cells_of
from services.events.attendance.headcounts import NOTE, Headcount, Headcounts

_PAGE: Final = Path(__file__).with_name("page.typ")
_ENDED: Final = frozenset({"cancelled", "declined", "lapsed"})
"""They are on no sheet: nobody expects them, and they did not come."""
_HEADS: Final = ("Nom", "Organisation", "Dépt", "Entrée")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHead:
    """What stands above the counts."""

    gathering: str
    title: str | None
    place: str | None
    organiser: str
    zone: str
    starts_at: datetime
    ends_at: datetime | None


def attendance_pdf(
    session: SessionHead,
    counts: Headcounts,
    rows: Iterable[AttendanceRow],
    clusters: Mapping[str, str],
    *,
    signed: bool = False,
) -> bytes:
    """The page, A4, in French. ``clusters`` are their names by code; ``signed`` adds a column to sign in."""
    people = [_person(row, session.zone, signed=signed) for row in rows if row.attendee.state not in _ENDED]
    data: dict[str, Any] = {
        "title": f"Feuille de présence : {session.gathering}",
        "facts": _facts(session, clusters),
        "columns": ["Effectifs", *COUNTS["fr"][2:]],
        "counts": _counts(counts, clusters),
        "note": NOTE["fr"],
        "people": people,
        "heads": [*_HEADS, "Signature"] if signed else _HEADS,
        "signed": signed,
        "footer": session.gathering,
    }
    return typeset(_PAGE, data)


def _facts(session: SessionHead, clusters: Mapping[str, str]) -> list[str]:
    begins = local_moment(session.starts_at, session.zone, "fr")
    ends = "" if session.ends_at is None else f" – {clock(session.ends_at, session.zone, 'fr')}"
    organiser = f"Organisateur : {clusters.get(session.organiser, session.organiser)}"
    return [line for line in (session.title, f"{begins}{ends}", session.place, organiser) if line]


def _counts(counts: Headcounts, clusters: Mapping[str, str]) -> list[dict[str, Any]]:
    unknown = UNKNOWN["fr"]
    lines = [_line("Total, chaque personne une fois", counts.total, main=True)]
    for name, count in counts.by_cluster.items():
        # Under none are people whose record is in no cluster: guests.
        label = "Sans cluster" if name is None else clusters.get(name, name)
        lines.append(_line(label, count))
    for name, count in counts.by_departement.items():
        lines.append(_line(f"Département {name}" if name is not None else f"Département {unknown}", count))
    return lines


def _line(name: str, count: Headcount, *, main: bool = False) -> dict[str, Any]:
    numbers = (count.registered, count.attended, count.walk_ins, count.members)
    return {"main": main, "cells": [name, *map(str, numbers)]}


def _person(row: AttendanceRow, zone: str, *, signed: bool) -> Sequence[str]:
    name, organisation, _, departement, *_, _ = cells_of(row, zone, "fr")
    came = "" if row.checked_in_at is None else clock(row.checked_in_at, zone, "fr")
    shown = came or STATES["fr"].get(row.attendee.state, row.attendee.state)
    return [name, organisation, departement, shown, *([""] if signed else [])]
