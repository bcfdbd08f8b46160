"""The attendance of a session as a page: counts, the list, and room to sign."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pypdf
import pytest

from services.events.attendance.csv_files import AttendanceRow
from services.events.attendance.headcounts import Attendee, headcounts_of
from services.events.attendance.page import SessionHead, attendance_pdf

SESSION = SessionHead(
    gathering="Petit-déjeuner cyber", title=None, place="Saint-Étienne", organiser="numelink", zone="Europe/Paris",
    starts_at=datetime(2027, 3, 25, 7, 30, tzinfo=UTC), ends_at=datetime(2027, 3, 25, 9, 0, tzinfo=UTC),
)  # fmt: skip
NAMES = {"numelink": "Numelink", "clustr-numerique": "Clust'R Numérique"}


def a_row(name: str, state: str = "registered", departement: str | None = None, **more: Any) -> AttendanceRow:
    came = datetime(2027, 3, 25, 7, 41, tzinfo=UTC) if state == "attended" else None
    attendee = Attendee(person=name, state=state, departement=departement, **more)
    return AttendanceRow(name=name, organisation="Ateliers", attendee=attendee, checked_in_at=came)


BOTH = frozenset({"numelink", "clustr-numerique"})
ROWS = [
    a_row("Ada Martin", "attended", "42", clusters=BOTH, member="m"),
    a_row("Blaise Petit", "registered", "69", clusters=frozenset({"numelink"}), member="n"),
    a_row("Chloé Été", "cancelled", "69", clusters=frozenset({"numelink"})),
    a_row("Zoé Guest", "attended", walk_in=True),
]


def text_of(rows: list[AttendanceRow], *, signed: bool = False) -> str:
    pdf = attendance_pdf(SESSION, headcounts_of(row.attendee for row in rows), rows, NAMES, signed=signed)
    reader = pypdf.PdfReader(BytesIO(pdf))
    # A4 in points.
    assert [round(float(each)) for each in reader.pages[0].mediabox[2:]] == [595, 842]
    return "\n".join(page.extract_text() for page in reader.pages)


def test_it_counts_people_once_in_all_and_once_in_each_cluster_and_departement() -> None:
    lines = text_of(ROWS).splitlines()

    def numbers(name: str) -> list[str]:
        return next(line for line in lines if line.startswith(name)).removeprefix(name).split()

    assert numbers("Total, chaque personne une fois") == ["2", "2", "1", "1"]
    assert numbers("Numelink") == ["2", "1", "0", "1"]
    assert numbers("Clust'R Numérique") == ["1", "1", "0", "1"]
    assert numbers("Sans cluster") == ["0", "1", "1", "0"]
    assert numbers("Département 42") == ["1", "1", "0", "1"]
    assert numbers("Département 69") == ["1", "0", "0", "0"]
    assert numbers("Département non renseigné") == ["0", "1", "1", "0"]


def test_it_lists_who_was_expected_and_who_came_by_local_time() -> None:
    text = text_of(ROWS).replace("\u00a0", " ")

    assert "Feuille de présence : Petit-déjeuner cyber" in text
    assert "jeudi 25 mars 2027 à 8 h 30 – 10 h 00" in text
    assert "8 h 41" in text
    assert "inscrit" in text
    assert "Chloé" not in text
    assert "Signature" not in text


def test_a_column_to_sign_in_is_there_where_it_is_wanted() -> None:
    assert "Signature" in text_of(ROWS, signed=True)


@pytest.mark.parametrize("name", ['#read("page.typ") *x*', "株式会社", "=HYPERLINK(1)"])
def test_a_name_is_text_whatever_it_holds(name: str) -> None:
    text = text_of([a_row(name)])
    assert "Ateliers" in text
    assert "#let" not in text


def test_a_session_to_which_nobody_came_is_a_page_too() -> None:
    assert "Total, chaque personne une fois" in text_of([])


def test_many_people_fill_several_pages_with_the_heads_on_each() -> None:
    assert text_of([a_row(f"Personne {n}") for n in range(120)], signed=True).count("Signature") > 3
