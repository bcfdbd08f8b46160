import csv
import io

import pytest

from services.membership.api import lists
from tests.integration.membership_api.doors import CLUSTR, NUMELINK, own_id
from tests.support.builders import a_member


def rows(answer):
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


async def test_a_spreadsheet_reads_it(door):
    name = 'Forges "du Gier" ; Électricité\nGénérale'
    await door.tell(NUMELINK, a_member(record_id="1", name=name, siren="732829320", paid_until="2026-12-31"))

    answer = await door.get("/members.csv", role="staff")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="membres.csv"'
    assert rows(answer) == [
        {
            "Identifiant": own_id(NUMELINK, "1"),
            "Nom": name,
            "Enseigne": "",
            "SIREN": "732829320",
            "Ville": "Lyon",
            "Département": "69",
            "Clusters": NUMELINK,
            "Origines": "",
            "Cotisation payée jusqu'au": "2026-12-31",
            "À jour de cotisation": "oui",
            "Actif": "oui",
        }
    ]


async def test_it_speaks_english_too(door):
    await door.tell(NUMELINK, a_member())

    (row,) = rows(await door.get("/members.csv", role="staff", lang="en"))

    assert row["Town"] == "Lyon"
    assert row["Paid up"] == "no"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
async def test_no_cell_is_a_formula(door, start):
    poison = f'{start}HYPERLINK("http://exemple.fr")'
    await door.tell(NUMELINK, a_member(name="Atelier", brand=poison, city=poison, lineage=poison))

    answer = await door.get("/members.csv", role="staff")

    (row,) = rows(answer)
    assert row["Enseigne"] == row["Ville"] == row["Origines"] == f"'{poison}"


async def test_it_holds_the_same_members_as_the_list(door):
    await door.tell_together(NUMELINK, [a_member(name=f"Atelier {number % 7}") for number in range(1203)])
    await door.tell_together(CLUSTR, [a_member(name=f"Moulin {number}") for number in range(5)])

    everyone = rows(await door.get("/members.csv"))
    mills = rows(await door.get("/members.csv", search="moulin", cluster=CLUSTR))

    assert len(everyone) == len({row["Identifiant"] for row in everyone}) == 1208
    assert [row["Nom"] for row in mills] == [f"Moulin {number}" for number in range(5)]


async def test_nobody_found_leaves_the_headings(door):
    answer = await door.get("/members.csv", search="personne")

    assert rows(answer) == []
    assert answer.text.startswith("\ufeffIdentifiant;Nom;")


async def test_exports_never_take_all_connections(door, monkeypatch):
    await door.tell(NUMELINK, a_member())
    monkeypatch.setattr(lists.queries, "stream_members", _broken)

    # An export that breaks gives its place and its connection back.
    for _ in range(10):
        assert (await door.get("/members.csv")).status_code == 500

    monkeypatch.undo()
    assert len(rows(await door.get("/members.csv"))) == 1


async def _broken(*_):
    raise RuntimeError
    yield  # pragma: no cover
