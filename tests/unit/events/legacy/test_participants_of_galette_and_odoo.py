"""Bookings of Galette's plugin, as a list and as its tables, and registrations of Odoo."""

from pathlib import Path

import pytest

from schemas.events import Registrant
from services.events.mirror.undated import UNDATED
from shared.importing.outcomes import UnreadableError
from tests.unit.events.legacy.exports import BOOKINGS, ODOO, OTHER, Read, at, read, row

TABLE = "id_booking;id_event;id_adh;booking_date;is_paid;payment_amount;number_people;creation_date"
EVENTS = "id_event;name;address;zip;town;country;begin_date;end_date;creation_date;is_open;id_group"


def a_booking(**cells: str) -> str:
    usual = {
        "EVENEMENT": "Pique-nique", "NOM": "Müller", "PRENOM": "Zoé", "COURRIEL": "Zoe@gier.example",
        "NOMBRE DE PERSONNES": "3", "Déjeuner": "Oui",
    }  # fmt: skip
    return row(BOOKINGS, usual | cells)


def a_registration(number: int, status: str, **cells: str) -> str:
    usual = {
        "External ID": f"__export__.event_registration_{number}_ab", "Attendee Name": "Zoé Müller",
        "Email": "zoe@gier.example", "Event": "Apéro", "Booked by": "Ateliers du Gier", "Status": status,
        "Barcode": f"1234567890123456789{number}",
    }  # fmt: skip
    return row(ODOO, usual | cells, ",")


def odoo(folder: Path, *rows: str, header: str = ODOO) -> Read:
    return read(folder, "registrations.csv", header, *rows)


def test_galette_a_booking_is_so_many_people_under_an_id_that_stays(tmp_path: Path) -> None:
    result = read(
        tmp_path, "bookings.csv", BOOKINGS, a_booking(), a_booking(COURRIEL="", **{"NOMBRE DE PERSONNES": ""})
    )
    first, second = result.registrations
    assert (first.event_id, first.seats, first.registered_at) == ("Pique-nique", 3, UNDATED)
    assert first.registrant == Registrant(kind="guest", name="Zoé Müller", email="Zoe@gier.example")
    assert second.seats == 1
    assert first.registration_id != second.registration_id
    again = read(tmp_path, "bookings.csv", BOOKINGS, a_booking(COURRIEL="zoe@GIER.example", NOM="Müller-Roux"))
    assert again.registrations[0].registration_id == first.registration_id
    assert result.report.seats == {"registered": 4}
    assert "the order of bookings is not known" in result.report.lacks


def test_galette_a_booking_of_nobody_and_a_second_one_of_an_address_are_set_aside(tmp_path: Path) -> None:
    rows = [a_booking(), a_booking(NOM="Roux"), a_booking(NOM="", PRENOM="", COURRIEL=""),
            a_booking(EVENEMENT="Autre", **{"NOMBRE DE PERSONNES": "beaucoup"})]  # fmt: skip
    result = read(tmp_path, "bookings.csv", BOOKINGS, *rows)
    assert [line for line, _, _ in result.reasons] == [3, 4, 5]
    assert "nobody knows whose booking it is" in result.reasons[1][2]


def test_galette_the_table_of_bookings_names_members_and_days(tmp_path: Path) -> None:
    rows = ("3;7;12;2026-10-01;1;10.00;2;2026-09-30", "4;7;13;1901-01-01;0;;NULL;2026-09-30")
    first, undated = read(tmp_path, "galette_events_bookings_full.csv", TABLE, *rows).registrations
    assert (first.registration_id, first.event_id, first.record_id, first.seats) == ("3", "7", "12", 2)
    assert first.registered_at == at(2026, 9, 30, 22)
    assert (undated.registered_at, undated.seats) == (UNDATED, 1)
    (other, _) = read(tmp_path, "galette_events_bookings_full.csv", TABLE, *rows, system=OTHER).registrations
    assert other.record_id is None, "this cluster's members are in Dolibarr"


def test_galette_the_table_of_events_has_days_and_no_hours(tmp_path: Path) -> None:
    rows = ('7;"Pique-nique";"1 rue";42000;"Saint-Étienne";;2026-11-05;2026-11-06;2026-01-01;1;',
            "8;Sans jour;;;;;1901-01-01;1901-01-01;2026-01-01;1;")  # fmt: skip
    result = read(tmp_path, "galette_events_events_full.csv", EVENTS, *rows, rows[0], rows[0].replace("rue", "quai"))
    (event,) = result.events
    assert (event.event_id, event.title, event.place) == ("7", "Pique-nique", "1 rue, 42000, Saint-Étienne")
    assert (event.starts_at, event.ends_at) == (at(2026, 11, 4, 23), at(2026, 11, 6, 22, 59))
    assert (result.report.rows, result.report.accepted, result.report.repeated) == (4, 2, 1)
    assert [(line, field) for line, field, _ in result.reasons] == [(3, "begin_date"), (5, "event_id")]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("Unconfirmed", "Confirmed", "Attended", "Cancelled", "Inscrit"), 6),
        (("draft", "open", "done", "cancel", "brouillon"), 6),
    ],
)
def test_odoo_statuses_in_english_and_by_their_technical_names(
    tmp_path: Path, words: tuple[str, ...], line: int
) -> None:
    result = odoo(tmp_path, *(a_registration(number, word) for number, word in enumerate(words)))
    assert list(result.statuses.values()) == ["registered", "attended", "cancelled"]
    assert result.report.without_fact == 1
    assert [(at_line, field) for at_line, field, _ in result.reasons] == [(line, "Status")]


def test_odoo_who_comes_is_not_who_booked_and_the_gathering_is_its_name(tmp_path: Path) -> None:
    (fact,) = odoo(tmp_path, a_registration(1, "Confirmed")).registrations
    assert (fact.registration_id, fact.event_id) == ("__export__.event_registration_1_ab", "Apéro")
    assert fact.registrant == Registrant(kind="guest", name="Zoé Müller", email="zoe@gier.example")
    assert fact.registered_at == UNDATED


def test_odoo_a_barcode_that_excel_rounded_is_no_id(tmp_path: Path) -> None:
    header = ODOO.replace("External ID,", "")
    rows = [row(header, {"Attendee Name": "Zoé", "Event": "Apéro", "Status": "open", "Barcode": code}, ",")
            for code in ("12345678901234567890", "1,23457E+19", "1.2e+19", "")]  # fmt: skip
    result = odoo(tmp_path, *rows, header=header)
    assert list(result.statuses) == ["12345678901234567890"]
    assert [line for line, _, _ in result.reasons] == [3, 4, 5]
    with pytest.raises(UnreadableError, match='without the column "External ID" or "id" or "Barcode"'):
        odoo(tmp_path, header="Attendee Name,Email,Event,Status,Booked by")


def test_odoo_technical_names_and_the_gathering_s_day_make_a_gathering(tmp_path: Path) -> None:
    header = "id,name,email,event_id/id,event_id,state,create_date,event_begin_date,event_end_date,barcode"
    line = "r.1,Zoé,zoe@gier.example,e.7,Apéro,open,2026-10-01 07:15:00,2026-11-05 17:30:00,2026-11-05 20:00:00,1"
    result = odoo(tmp_path, line, header=header)
    (event,), (fact,) = result.events, result.registrations
    assert (event.event_id, event.title, event.starts_at) == ("e.7", "Apéro", at(2026, 11, 5, 17, 30))
    assert (fact.event_id, fact.registered_at) == ("e.7", at(2026, 10, 1, 7, 15))
