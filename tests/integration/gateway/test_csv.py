import asyncio
import csv
import io

import pytest
from prometheus_client import REGISTRY

from services.gateway.api import export
from services.gateway.api.export_columns import COLUMNS, USUAL
from services.membership import connections
from services.membership.connections import DatabaseUnavailableError, ReadPool
from shared.process.http_server import HttpLimits, build_server, serve
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, own_id
from tests.support.builders import a_member
from tests.support.waiting import eventually


def rows(answer):
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


async def test_a_spreadsheet_reads_it(gateway):
    name = 'Forges "du Gier" ; Électricité\nGénérale'
    await gateway.feed(NUMELINK, a_member(record_id="1", name=name, siren="732829320", paid_until="2026-12-31"))

    answer = await gateway.get("/members.csv", role="staff")

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


async def test_it_speaks_english_too(gateway):
    await gateway.feed(NUMELINK, a_member())

    (row,) = rows(await gateway.get("/members.csv", role="staff", lang="en"))

    assert row["Town"] == "Lyon"
    assert row["Paid up"] == "no"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
async def test_no_cell_is_a_formula(gateway, start):
    poison = f'{start}HYPERLINK("http://exemple.fr")'
    await gateway.feed(NUMELINK, a_member(name="Atelier", brand=poison, city=poison, lineage=poison))

    answer = await gateway.get("/members.csv", role="staff")

    (row,) = rows(answer)
    assert row["Enseigne"] == row["Ville"] == row["Origines"] == f"'{poison}"


async def test_it_holds_the_same_members_as_the_list(gateway):
    await gateway.feed_together(NUMELINK, [a_member(name=f"Atelier {number % 7}") for number in range(1203)])
    await gateway.feed_together(CLUSTR, [a_member(name=f"Moulin {number}") for number in range(5)])

    everyone = rows(await gateway.get("/members.csv"))
    mills = rows(await gateway.get("/members.csv", search="moulin", cluster=CLUSTR))

    assert len(everyone) == len({row["Identifiant"] for row in everyone}) == 1208
    assert [row["Nom"] for row in mills] == [f"Moulin {number}" for number in range(5)]


async def test_nobody_found_leaves_the_headings(gateway):
    answer = await gateway.get("/members.csv", search="personne")

    assert rows(answer) == []
    assert answer.text.startswith('\ufeff"Identifiant";"Nom";')


FULL = a_member(
    record_id="B-7",
    name="Forges du Gier",
    siret="73282932000074",
    street="1 rue des Forges",
    email="contact@forges.example",
    phone="04 77 00 00 00",
    mobile="+49 30 123456",
    contact_first_name="Jeanne",
    contact_last_name="=1+1",
    opt_outs=["bulk-email"],
)


async def test_columns_are_chosen_and_come_in_the_order_that_is_asked_for(gateway):
    await gateway.feed(NUMELINK, FULL)
    wanted = ["name", "contact_last_name", "contact_first_name", "phone", "street", "siret", "records", "owed"]

    answer = await gateway.get("/members.csv", columns=wanted)

    (row,) = rows(answer)
    assert row == {
        "Nom": "Forges du Gier",
        "Nom du contact": "'=1+1",
        "Prénom du contact": "Jeanne",
        "Téléphone": "04 77 00 00 00",
        "Adresse": "1 rue des Forges",
        "SIRET": "732 829 320 00074",
        "Fiches": f"{NUMELINK}/B-7",
        "Reste dû (EUR)": "0",
        "Refuse": "envois en nombre (tout usage)",
    }
    assert list(row)[:3] == ["Nom", "Nom du contact", "Prénom du contact"]


@pytest.mark.parametrize("column", ["email", "mobile", "phone", "street"])
async def test_beside_an_address_of_a_person_stands_what_they_refuse(gateway, column):
    await gateway.feed(NUMELINK, FULL, a_member(record_id="B-8", name="Zéphyr", email="z@zephyr.example"))

    refusing, willing = rows(await gateway.get("/members.csv", columns=["name", column]))

    assert refusing["Refuse"] == "envois en nombre (tout usage)"
    assert willing["Refuse"] == ""
    written = {
        "email": "contact@forges.example",
        "mobile": "00 49 30 123456",
        "phone": "04 77 00 00 00",
        "street": "1 rue des Forges",
    }
    assert refusing[COLUMNS[column].french] == written[column]
    (english, _) = rows(await gateway.get("/members.csv", columns=[column], lang="en"))
    assert english["Refuses"] == "bulk e-mail (any purpose)"


async def test_every_column_can_be_had(gateway):
    await gateway.feed(NUMELINK, FULL, a_member(record_id="B-8", name="Zéphyr"))

    full, bare = rows(await gateway.get("/members.csv", columns=list(COLUMNS)))

    assert list(full) == [column.french for column in COLUMNS.values()]
    assert full["Modifié le"] == bare["Modifié le"] != ""


async def test_a_column_that_there_is_not_is_refused_by_its_name(gateway):
    answer = await gateway.get("/members.csv", columns=["name", "age"])

    assert answer.status_code == 422
    assert "'age'" in answer.text
    assert "contact_role" in answer.text


async def test_the_spreadsheet_is_in_the_order_of_the_list(gateway):
    await gateway.feed(
        NUMELINK,
        a_member(record_id="1", name="A", paid_until="2027-12-31"),
        a_member(record_id="2", name="B", paid_until="2025-12-31"),
        a_member(record_id="3", name="C"),
    )

    listed = [item["name"] for item in (await gateway.get("/members", sort="paid_until")).json()["items"]]

    assert [row["Nom"] for row in rows(await gateway.get("/members.csv", sort="paid_until"))] == listed
    assert listed == ["B", "A", "C"]


async def test_exports_never_take_all_connections(gateway, monkeypatch):
    await gateway.feed(NUMELINK, a_member())
    monkeypatch.setattr(export, "stream_members", _broken)

    # An export that breaks gives its place and its connection back.
    for _ in range(10):
        assert (await gateway.get("/members.csv")).status_code == 500

    monkeypatch.undo()
    assert len(rows(await gateway.get("/members.csv"))) == 1


async def _broken(*_, **__):
    raise RuntimeError
    yield  # pragma: no cover


async def test_a_reader_who_stops_reading_keeps_neither_a_place_nor_a_connection(gateway, monkeypatch):
    await gateway.feed(NUMELINK, a_member())
    key, began = await gateway.key("staff"), asyncio.Event()

    async def endless(connection, *_, **__):
        async with connection.transaction(readonly=True):
            while True:
                await connection.fetch("select 1")
                began.set()
                yield [dict.fromkeys(USUAL, "x" * 500)] * 500

    server = build_server(gateway.app, "127.0.0.1", 0, limits=HttpLimits(answer_seconds=2), stop_seconds=1)
    monkeypatch.setattr(server.config, "lifespan", "off")
    serving = asyncio.create_task(serve(server))
    try:
        await eventually(_yes(lambda: server.started))
        port = server.servers[0].sockets[0].getsockname()[1]
        with monkeypatch.context() as patch:
            patch.setattr(export, "stream_members", endless)
            stopped = [await asyncio.open_connection("127.0.0.1", port, limit=1_000) for _ in range(2)]
            for _, writer in stopped:
                writer.write(f"GET /members.csv HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n\r\n".encode())
            await began.wait()
            await eventually(_yes(lambda: pool_in_use() == 2))
            await eventually(_yes(lambda: pool_in_use() == 0), timeout=20)
        assert len(rows(await gateway.get("/members.csv"))) == 1
        for _, writer in stopped:
            writer.transport.abort()
    finally:
        server.should_exit = True
        await serving


def pool_in_use():
    return REGISTRY.get_sample_value("traboule_database_connections", {"pool": "http reading"})


def _yes(look):
    async def looked():
        return look()

    return looked


async def _read_late(pool):
    async with pool.snapshot() as rows:
        await asyncio.sleep(1)
        await rows.fetch("select 1")


async def test_a_snapshot_that_nobody_reads_from_ends(database_url, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_IN_TRANSACTION", "300ms")
    pool = ReadPool(database_url, application="test")
    try:
        with pytest.raises(DatabaseUnavailableError):
            await _read_late(pool)
        assert await pool.fetch("select 1")
    finally:
        await pool.close()
