"""Dolibarr's attendees and the gatherings of its agenda, which both name the project by its reference."""

from datetime import datetime
from pathlib import Path

import pytest

from schemas.events import EventSession, Registrant
from shared.importing.outcomes import UnreadableError
from tests.unit.events.legacy.exports import AGENDA, ATTENDEES, OTHER, Read, at, read, row


def an_attendee(number: int, state: str, **cells: str) -> str:
    usual = {
        "ID technique": str(number),
        "E-mail du participant": "zoe@gier.example",
        "Prénom": "Zoé",
        "Nom": "Müller",
        "E-mail de l'entreprise": "compta@gier.example",
        "Date d'inscription": "2026-10-01 09:15:00",
        "État": state,
        "Id projet": "12",
        "Ref projet": "PJ2601-0012",
        "Identifiant tiers": "77",
    }
    return row(ATTENDEES, usual | cells, ",")


def a_diary_entry(number: int, code: str = "AC_EO_INDOORCONF", **cells: str) -> str:
    usual = {
        "ID évènement": str(number),
        "Date début événément": "2026-11-05 14:00:00",
        "Date de fin": "2026-11-05 15:00:00",
        "Lieu": "Saint-Étienne",
        "Titre": "Atelier",
        "Code": code,
        "Ref projet": "PJ2601-0012",
    }
    return row(AGENDA, usual | cells, ",")


def a_session(session_id: str, title: str, starts_at: datetime, ends_at: datetime) -> EventSession:
    return EventSession(session_id=session_id, title=title, starts_at=starts_at, ends_at=ends_at)


def attendees(folder: Path, *rows: str) -> Read:
    # Its headers have the typographical apostrophe in some versions.
    header = ATTENDEES.replace("Date d'inscription", "Date d’inscription")
    return read(folder, "attendees.csv", header, *rows, system=OTHER)


def test_states_are_numbers_or_words_and_who_did_not_finish_is_no_registration(tmp_path: Path) -> None:
    states = ("0", "1", "5", "9", "Brouillon", "Inscrit", "S’est présenté", "Annulé", "7")
    result = attendees(tmp_path, *(an_attendee(number, state) for number, state in enumerate(states)))
    assert result.statuses == {
        "1": "registered", "2": "attended", "3": "cancelled",
        "5": "registered", "6": "attended", "7": "cancelled",
    }  # fmt: skip
    assert result.report.without_fact == 2
    [(line, field, reason)] = result.reasons
    assert (line, field) == (10, "État")
    assert reason.startswith('"7" is none of 0, Brouillon, 1, Inscrit, 5,')


def test_an_attendee_is_a_person_of_the_third_party(tmp_path: Path) -> None:
    (fact, guest) = attendees(
        tmp_path, an_attendee(1, "1"), an_attendee(2, "1", **{"Identifiant tiers": ""})
    ).registrations
    assert (fact.event_id, fact.record_id) == ("PJ2601-0012", "77")
    assert fact.registrant == Registrant(kind="guest", name="Zoé Müller", email="zoe@gier.example")
    assert fact.registered_at == at(2026, 10, 1, 7, 15)
    assert guest.record_id is None


def test_a_column_that_was_not_ticked_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match='without the column "État" and "Ref projet"'):
        read(tmp_path, "attendees.csv", "ID technique,E-mail du participant,Date d'inscription", system=OTHER)


def test_conferences_of_a_project_are_one_gathering_with_sessions(tmp_path: Path) -> None:
    later = {
        "Date début événément": "2026-11-05 16:00:00",
        "Date de fin": "2026-11-05 17:30:00",
        "Titre": "Table ronde",
    }
    result = read(
        tmp_path, "agenda.csv", AGENDA,
        a_diary_entry(4, **later), a_diary_entry(3), a_diary_entry(3), a_diary_entry(5, "AC_OTH_AUTO"),
        a_diary_entry(6, "AC_EO_INDOORBOOTH"), a_diary_entry(8, **{"Ref projet": ""}),
    )  # fmt: skip
    (event,) = result.events
    assert (event.event_id, event.title, event.place) == ("PJ2601-0012", "PJ2601-0012", "Saint-Étienne")
    assert (event.starts_at, event.ends_at) == (at(2026, 11, 5, 13), at(2026, 11, 5, 16, 30))
    assert event.sessions == (
        a_session("3", "Atelier", at(2026, 11, 5, 13), at(2026, 11, 5, 14)),
        a_session("4", "Table ronde", at(2026, 11, 5, 15), at(2026, 11, 5, 16, 30)),
    )
    assert (result.report.without_fact, result.report.repeated, result.reasons) == (3, 1, [])


def test_a_project_with_one_conference_is_called_like_it(tmp_path: Path) -> None:
    result = read(
        tmp_path, "agenda.csv", AGENDA, a_diary_entry(3),
        a_diary_entry(4, **{"Ref projet": "PJ2", "Date début événément": ""}),
    )  # fmt: skip
    (event,) = result.events
    assert (event.title, event.sessions) == ("Atelier", ())
    assert [reason for _, _, reason in result.reasons] == ["a conference without its day: nobody knows when to come"]
