"""Dolibarr: attendees of its projects' gatherings, and those gatherings out of everybody's agenda.

The gathering is the project, by its reference: that alone stands in both files. Source: Dolibarr 22,
``modEventOrganization`` and ``modAgenda`` with ``langs/fr_FR``.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from schemas.events import EventRecorded, EventSession, RegistrationRecorded
from services.events.legacy.rows import (
    NOBODY_NAMED,
    Facts,
    Source,
    gathering,
    guest,
    line_of,
    moment,
    translated,
)
from services.events.legacy.statuses import Vocabulary, decided
from services.events.mirror.undated import UNDATED
from shared.importing.named_cells import CellError, Cells, made, rows_of
from shared.importing.outcomes import Accepted, NoFact, Notice, Outcome, Rejection, Repeated
from shared.importing.table import Table

HAS_ATTENDEES: Final = frozenset({"id technique", "e-mail du participant", "date d'inscription"})
ATTENDEES_NEED: Final = (("État",), ("Ref projet",))
ATTENDEES_LACK: Final = (
    "cette liste ne dit pas quand a lieu le rassemblement : importez aussi la liste des événements de l'agenda, ou la "
    "table des rassemblements (event_id;title;starts_at, event_id étant « Ref projet »)",
    "this list does not say when the gathering is: import the list of the agenda's events as well, or a table of "
    'gatherings (event_id;title;starts_at, where event_id is "Ref projet")',
)
_AGENDA_ID: Final = "ID évènement"
_STARTS: Final = ("Date début événément", "Date début évènement", "Date début événement")
HAS_AGENDA: Final = frozenset({"id évènement", "titre", "code", "date de fin"})
AGENDA_NEEDS: Final = (("Ref projet",), _STARTS)
AGENDA_LACKS: Final = (
    "l'agenda ne dit ni la capacité ni qui s'inscrit : importez aussi la liste des participants",
    "the agenda says neither the capacity nor who registers: import the list of attendees as well",
)
_STATUSES: Final = Vocabulary({
    "0": "none", "Brouillon": "none", "1": "registered", "Inscrit": "registered",
    "5": "attended", "S'est présenté": "attended", "9": "cancelled", "Annulé": "cancelled",
})  # fmt: skip
_CONFERENCES: Final = frozenset({"AC_EO_ONLINECONF", "AC_EO_INDOORCONF"})
"""The agenda's own entries for what people attend; booths, calls and automatic entries are none."""


def translate_attendees(table: Table, source: Source) -> Iterator[Outcome[Any]]:
    """A registration for each attendee."""
    return translated(table, lambda cells: _attendee(cells, source), "ID technique")


def _attendee(cells: Cells, source: Source) -> Facts:
    """Raises CellError."""
    status = decided(cells, "État", cells.text("État"), _STATUSES, source.words)
    if isinstance(status, NoFact):
        return status
    item, company = cells.text("ID technique"), cells.text("Identifiant tiers")
    record_id = company if company and company != "0" and source.is_member_id("dolibarr") else None
    registrant = guest(f"{cells.text('Prénom')} {cells.text('Nom')}", cells.text("E-mail du participant"))
    registration = made(
        RegistrationRecorded,
        version=source.version,
        registration_id=item,
        event_id=line_of(cells.text("Ref projet")),
        record_id=record_id,
        registered_at=moment(cells, "Date d'inscription", "Date création") or UNDATED,
        status=status,
        registrant=registrant,
    )
    named = registrant.name or registrant.email
    return [registration] if named else [registration, Notice(cells.line, item, "Nom", "", NOBODY_NAMED)]


def translate_agenda(table: Table, source: Source) -> Iterator[Outcome[EventRecorded]]:
    """A gathering for each project that has conferences; every other entry of the agenda makes none."""
    table.covered.update({"event_id", "title", "starts_at", "ends_at", "place", "sessions"})
    projects: dict[str, dict[str, Cells]] = {}
    for cells in rows_of(table):
        if isinstance(cells, Rejection):
            yield cells
            continue
        item, project = cells.text(_AGENDA_ID), line_of(cells.text("Ref projet"))
        if cells.text("Code") not in _CONFERENCES:
            yield NoFact(cells.line, "an entry of the agenda that nobody registers for")
        elif not project:
            yield NoFact(cells.line, "a conference without its project, which nobody can register for")
        elif item in (conferences := projects.setdefault(project, {})):
            yield Repeated(cells.line, conferences[item].line)
        else:
            conferences[item] = cells
    for project, conferences in projects.items():
        yield from _project(project, list(conferences.values()), source)


def _project(project: str, rows: Sequence[Cells], source: Source) -> Iterator[Outcome[EventRecorded]]:
    lines = tuple(cells.line for cells in rows)
    try:
        fact = _gathering(project, rows, source)
    except CellError as error:
        yield from (error.rejection(line, project) for line in lines)
    else:
        yield Accepted(lines, fact)


def _gathering(project: str, rows: Sequence[Cells], source: Source) -> EventRecorded:
    """The conferences of a project: their title and place where there is but one. Raises CellError."""
    sessions = sorted((_session(cells) for cells in rows), key=lambda session: (session.starts_at, session.session_id))
    ends = [session.ends_at for session in sessions if session.ends_at is not None]
    places = {line_of(cells.text("Lieu")) for cells in rows}
    return gathering(
        source.version,
        project,
        sessions[0].title or project if len(sessions) == 1 else project,
        starts_at=sessions[0].starts_at,
        ends_at=max(ends, default=None),
        place=places.pop() if len(places) == 1 else None,
        sessions=sessions if len(sessions) > 1 else (),
    )


def _session(cells: Cells) -> EventSession:
    """Raises CellError."""
    starts_at = moment(cells, *_STARTS)
    if starts_at is None:
        raise CellError(_STARTS[0], "", "a conference without its day: nobody knows when to come")
    title, ends_at = line_of(cells.text("Titre")), moment(cells, "Date de fin")
    return made(EventSession, session_id=cells.text(_AGENDA_ID), title=title, starts_at=starts_at, ends_at=ends_at)
