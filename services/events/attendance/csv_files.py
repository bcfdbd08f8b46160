"""Attendance and headcounts as files for a spreadsheet: UTF-8, separated by semicolons, in French or English."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.events.attendance.headcounts import Attendee, Headcount, Headcounts
from services.events.gatherings.local_time import local_of
from services.events.translated import Language
from shared.importing.cells import harmless

_LIST: Final[Mapping[Language, tuple[str, ...]]] = {
    "fr": ("Nom", "Organisation", "Clusters", "Département", "État", "Venu sans inscription", "Entrée"),
    "en": ("Name", "Organisation", "Clusters", "Département", "State", "Came without registration", "Checked in"),
}
COUNTS: Final[Mapping[Language, tuple[str, ...]]] = {
    "fr": ("Périmètre", "Nom", "Personnes inscrites", "Personnes présentes", "dont sans inscription",
           "Adhérents présents"),
    "en": ("Scope", "Name", "People registered", "People present", "of whom without registration", "Members present"),
}  # fmt: skip
_SCOPES: Final[Mapping[Language, tuple[str, str, str]]] = {
    "fr": ("Total", "Cluster", "Département"),
    "en": ("Total", "Cluster", "Département"),
}
UNKNOWN: Final[Mapping[Language, str]] = {"fr": "non renseigné", "en": "not known"}
_YES_NO: Final[Mapping[Language, tuple[str, str]]] = {"fr": ("oui", "non"), "en": ("yes", "no")}
STATES: Final[Mapping[Language, Mapping[str, str]]] = {
    "fr": {
        "registered": "inscrit",
        "waiting": "en attente",
        "offered": "place proposée",
        "asked": "à décider",
        "attended": "présent",
        "absent": "absent",
        "cancelled": "annulé",
        "declined": "place refusée",
        "lapsed": "proposition échue",
    },
    "en": {"attended": "present", "offered": "place offered", "asked": "to be decided"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceRow:
    """A line of the list: who, and when they came in."""

    name: str = field(repr=False)
    organisation: str
    attendee: Attendee
    checked_in_at: datetime | None = None


def attendance_csv(rows: Iterable[AttendanceRow], zone: str, language: Language = "fr") -> bytes:
    """The list of people, in the order given, with times of a zone. Raises UnknownZoneError."""
    return _file(_LIST[language], (cells_of(row, zone, language) for row in rows))


def headcounts_csv(counts: Headcounts, language: Language = "fr") -> bytes:
    """The counts: a line for all, one for each cluster, one for each département."""
    total, cluster, departement = _SCOPES[language]
    groups = [(cluster, name, count) for name, count in counts.by_cluster.items()]
    groups += [(departement, name, count) for name, count in counts.by_departement.items()]
    lines = [(scope, name or UNKNOWN[language], *_numbers(count)) for scope, name, count in groups]
    return _file(COUNTS[language], [(total, "", *_numbers(counts.total)), *lines])


def cells_of(row: AttendanceRow, zone: str, language: Language) -> Sequence[str]:
    """A line of the list, as text. Raises UnknownZoneError."""
    attendee = row.attendee
    yes, no = _YES_NO[language]
    return (
        row.name,
        row.organisation,
        ", ".join(sorted(attendee.clusters)),
        attendee.departement or "",
        STATES[language].get(attendee.state, attendee.state),
        yes if attendee.walk_in else no,
        "" if row.checked_in_at is None else local_of(row.checked_in_at, zone)[0].replace("T", " "),
    )


def _numbers(count: Headcount) -> Sequence[str]:
    return tuple(map(str, (count.registered, count.attended, count.walk_ins, count.members)))


def _file(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows([*map(harmless, row)] for row in rows)
    return text.getvalue().encode("utf-8-sig")
