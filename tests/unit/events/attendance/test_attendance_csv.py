"""Attendance and headcounts as CSV: what a spreadsheet shows, and that it runs nothing."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.events.attendance.csv_files import AttendanceRow, attendance_csv, headcounts_csv
from services.events.attendance.headcounts import Attendee, headcounts_of
from services.events.gatherings.local_time import UnknownZoneError
from shared.importing.cells import former
from shared.importing.delimited import read_delimited

LEA = Attendee(
    person="M1 lea@example.org",
    member="M1",
    clusters=frozenset({"numelink", "clustr-numerique"}),
    departement="42",
    state="attended",
)


def a_row(name: str = "Léa Martin", **different: Any) -> AttendanceRow:
    at = datetime(2027, 7, 8, 6, 41, tzinfo=UTC)
    return AttendanceRow(**{"name": name, "organisation": "Æther", "attendee": LEA, "checked_in_at": at} | different)


def cells(content: bytes) -> list[list[str]]:
    return [*csv.reader(content.decode("utf-8-sig").splitlines(), delimiter=";")]


def test_the_list_has_a_line_a_person_in_french_with_local_times() -> None:
    walk_in = Attendee(person=None, state="attended", walk_in=True)
    rows = [a_row(), a_row("Une personne", organisation="", attendee=walk_in, checked_in_at=None)]
    assert cells(attendance_csv(rows, "Europe/Paris")) == [
        ["Nom", "Organisation", "Clusters", "Département", "État", "Venu sans inscription", "Entrée"],
        ["Léa Martin", "Æther", "clustr-numerique, numelink", "42", "présent", "non", "2027-07-08 08:41"],
        ["Une personne", "", "", "", "présent", "oui", ""],
    ]


def test_the_list_in_english_and_a_state_without_a_word_as_it_is() -> None:
    attendee = Attendee(person="x", state="waiting-on-staff")
    _, first, second = cells(attendance_csv([a_row(), a_row(attendee=attendee)], "UTC", "en"))
    assert first[4:] == ["present", "no", "2027-07-08 06:41"]
    assert second[4:6] == ["waiting-on-staff", "no"]


@pytest.mark.parametrize(
    "name", ['=HYPERLINK("http://x.example";"Léa")', "+33 4", "-1", "@SUM(A1)", "'=1", "\t=1", "a;=1"]
)
def test_no_cell_is_a_formula_and_each_is_read_back(name: str, tmp_path: Path) -> None:
    content = attendance_csv([a_row(name, organisation=name)], "Europe/Paris")
    _, row = csv.reader(content.decode("utf-8-sig").splitlines(keepends=True), delimiter=";")
    assert not row[0].startswith(tuple("=+-@\t"))
    assert (former(row[0]), former(row[1])) == (name, name)
    assert len([*read_delimited(tmp_path / "list.csv", content, None).rows]) == 1


def test_a_line_break_or_a_quote_in_a_name_stays_in_its_cell(tmp_path: Path) -> None:
    content = attendance_csv([a_row('Léa "L"\r\nMartin;x'), a_row("Max")], "Europe/Paris")
    table = read_delimited(tmp_path / "list.csv", content, None)
    assert [former(row.cells[0]) for row in table.rows] == ['Léa "L"\r\nMartin;x', "Max"]
    assert content.startswith(b"\xef\xbb\xbf")  # or Excel takes it for Windows-1252


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(UnknownZoneError):
        attendance_csv([a_row()], "Paris")


def test_counts_have_a_line_for_all_and_one_for_each_group() -> None:
    counts = headcounts_of([LEA, Attendee(person=None, state="attended", walk_in=True)])
    assert cells(headcounts_csv(counts)) == [
        [
            "Périmètre",
            "Nom",
            "Personnes inscrites",
            "Personnes présentes",
            "dont sans inscription",
            "Adhérents présents",
        ],
        ["Total", "", "1", "2", "1", "1"],
        ["Cluster", "clustr-numerique", "1", "1", "0", "1"],
        ["Cluster", "numelink", "1", "1", "0", "1"],
        ["Cluster", "non renseigné", "0", "1", "1", "0"],
        ["Département", "42", "1", "1", "0", "1"],
        ["Département", "non renseigné", "0", "1", "1", "0"],
    ]  # fmt: skip
    assert cells(headcounts_csv(counts, "en"))[0][2] == "People registered"
