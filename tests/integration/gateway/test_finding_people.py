"""Members by e-mail, phone, former id and contact's name: for those alone who may read persons' data."""

from datetime import date
from typing import Any

import pytest

from services.membership.identity.decisions import Signature
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.override_record import set_field
from services.membership.usecases.rebuild import rebuild
from services.membership.views.lists import Filters, members
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest, own_id
from tests.support.builders import a_member
from tests.support.in_memory import POLICY

FORGES, NEON, SUD = "Forges du Gier", "Néon Conseil", "Sud Réunion Énergie"


@pytest.fixture
async def gateway(gateway: GatewayUnderTest) -> GatewayUnderTest:
    """Three companies, the second with a person of its own."""
    forges = a_member(record_id="B-7", name=FORGES, email="Atelier@Forges-Gier.fr", phone="04 77 12 34 56")
    forges = forges.model_copy(update={"contact_first_name": "Hélène", "contact_last_name": "D’Œuvre-Lefèvre"})
    await gateway.feed(NUMELINK, forges)
    reached = {"email": "bonjour@neon.example.com", "mobile": "+33 6 12 34 56 78"}
    neon = a_member(record_id="12", name=NEON, brand="Lumière", siren="732829320", city="Oullins", **reached)
    own = {"email": "paul@neon.example.com", "mobile": "06 11 22 33 44", "city": "Roanne", "brand": "Conseil en solo"}
    person = a_member(record_id="13", name="Paul Martin-Dupuis", works_for="12", **own)
    await gateway.feed(CLUSTR, neon, person)
    await gateway.feed(CLUSTR, a_member(record_id="a/9", name=SUD, postcode="97400", phone="0262 20 12 34", email=None))
    return gateway


@pytest.mark.parametrize(
    ("typed", "name", "matched"),
    [
        ("atelier@forges-gier.fr", FORGES, "email"),
        (" ATELIER@FORGES-GIER.FR ", FORGES, "email"),
        ("atelier@for", FORGES, "email"),
        ("paul@neon.example.com", NEON, "email"),
        ("0477123456", FORGES, "phone"),
        ("04.77.12.34.56", FORGES, "phone"),
        ("+33 (0)4 77 12 34 56", FORGES, "phone"),
        ("0033477123456", FORGES, "phone"),
        ("477123456", FORGES, "phone"),
        ("06 12 34 56 78", NEON, "phone"),
        ("0262-20-12-34", SUD, "phone"),
        ("B-7", FORGES, "record"),
        (f"{NUMELINK}/B-7", FORGES, "record"),
        ("12", NEON, "record"),
        ("a/9", SUD, "record"),
        ("helene", FORGES, "contact"),
        ("LEFÈVRE Hélène", FORGES, "contact"),
        ("d'oeuvre", FORGES, "contact"),
        ("dup mart", NEON, "contact"),
    ],
)
async def test_staff_find_it_by(gateway: GatewayUnderTest, typed: str, name: str, matched: str) -> None:
    answer = (await gateway.get("/members", role="staff", search=typed, total="true")).json()

    assert [(item["name"], item["matched"]) for item in answer["items"]] == [(name, matched)]
    assert answer["total"] == 1
    assert answer.get("exact") == (answer["items"] if matched != "contact" else None)


@pytest.mark.parametrize(
    "typed",
    [
        "elene", "he", "telier@forges-gier.fr", "0477123457", "b-7", f"{CLUSTR}/B-7", "%@%",
        "_telier@forges-gier.fr",
        "helene paul", "@", "'; drop table views; --",
    ],
)  # fmt: skip
async def test_what_is_nobodys_finds_nobody(gateway: GatewayUnderTest, typed: str) -> None:
    answer = (await gateway.get("/members", role="staff", search=typed)).json()

    assert answer["items"] == []


PERSONAL = [
    "atelier@forges-gier.fr", "0477123456", "helene", "lefevre",
    # Somebody whose own record belongs to a company, by name, by brand, by town, by address, by number.
    "martin", "Paul Martin-Dupuis", "dupuis", "neon martin", "Conseil en solo", "Roanne", "paul@neon.example.com",
    "0611223344",
]  # fmt: skip
"""What is known of contacts and of people; nothing of it is in a company's name, brand, town or SIREN."""


async def _seen_with(gateway: GatewayUnderTest, role: str, typed: str) -> tuple[list[str], int, int, str]:
    """The names that a list shows, its total, the sum of a facet, and the page, all for one text."""
    listed = (await gateway.get("/members", role=role, search=typed, total="true")).json()
    counted = (await gateway.get("/members", role=role, search=typed, facets="true")).json()
    page = await gateway.get("/console/membres", role=role, q=typed)
    active = counted["facets"]["active"]
    assert listed["total"] == counted["total"] == active["yes"] + active["no"]
    return [item["name"] for item in listed["items"]], listed["total"], active["yes"] + active["no"], page.text


@pytest.mark.parametrize("typed", PERSONAL)
async def test_a_reader_finds_nobody_by_a_persons_data(gateway: GatewayUnderTest, typed: str) -> None:
    names, total, counted, page = await _seen_with(gateway, "reader", typed)
    assert (names, total, counted) == ([], 0, 0)
    assert not any(name in page for name in (FORGES, NEON, SUD))

    (name,), total, counted, page = await _seen_with(gateway, "staff", typed)
    assert (total, counted) == (1, 1)
    assert name in page
    export = await gateway.get("/members.csv", role="staff", search=typed)
    assert len(export.text.splitlines()) == 2


@pytest.mark.parametrize("typed", ["B-7", f"{NUMELINK}/B-7"])
async def test_a_reader_finds_nobody_by_a_former_id(gateway: GatewayUnderTest, typed: str) -> None:
    answer = (await gateway.get("/members", role="reader", search=typed, total="true")).json()

    assert answer == {"items": [], "next": None, "total": 0}


@pytest.mark.parametrize(
    ("typed", "name"),
    [("neon", NEON), ("conseil neon", NEON), ("lumiere", NEON), ("732829320", NEON), ("oullins", NEON)],
)
async def test_a_reader_finds_a_company_with_people_by_what_it_says_itself(
    gateway: GatewayUnderTest, typed: str, name: str
) -> None:
    asked: dict[str, Any] = {"search": typed, "total": "true", "facets": "true"}
    staff, reader = [(await gateway.get("/members", role=role, **asked)).json() for role in ("staff", "reader")]

    assert [item["name"] for item in reader["items"]] == [name]
    assert reader == staff


async def test_a_reader_finds_what_staff_set_and_not_by_its_people(gateway: GatewayUnderTest) -> None:
    async with gateway.engine.begin() as connection:
        uow = MembershipUnitOfWork(connection, POLICY)
        await set_field(uow, RecordKey(CLUSTR, "12"), "brand", "Enseigne Vive", Signature("a test", "so"))

    for role in ("reader", "staff"):
        assert await gateway.names(role=role, search="enseigne vive") == [NEON]
    assert await gateway.names(role="reader", search="vive martin") == []


async def test_until_it_is_computed_anew_a_reader_finds_by_the_shown_name_alone(gateway: GatewayUnderTest) -> None:
    """As the version before wrote it, which knew no persons in what is searched."""
    changed = "select max(updated_at) as at from views"
    (before,) = await gateway.rows(changed)
    await gateway.sql("update views set search = replace(search, chr(31), ' ')")

    assert await gateway.names(role="reader", search="martin") == []
    assert await gateway.names(role="reader", search="neon") == [NEON]
    assert await gateway.names(role="reader", search="oullins") == []

    async with gateway.engine.begin() as connection:
        await rebuild(MembershipUnitOfWork(connection, POLICY), lambda *_: None)
    assert await gateway.names(role="reader", search="oullins") == [NEON]
    assert await gateway.names(role="reader", search="martin") == []
    assert await gateway.rows(changed) == [before], "nothing that is shown of a member changed"


class _Asked:
    """What a list asks the database."""

    def __init__(self) -> None:
        self.sql, self.values = "", ()

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        self.sql, self.values = sql, values
        return []


@pytest.mark.parametrize("of_companies", [False, True])
async def test_words_are_found_by_the_index_for_everybody(gateway: GatewayUnderTest, of_companies: bool) -> None:
    asked = _Asked()
    filters = Filters("neon", of_companies=of_companies)
    await members(asked, filters, date(2026, 11, 23), after=None, limit=2)

    assert asked.sql.count(" like ") == (2 if of_companies else 1)
    async with gateway.engine.begin() as connection:
        await connection.exec_driver_sql("set local enable_seqscan = off")
        await connection.exec_driver_sql("set local enable_indexscan = off")
        plan = (await connection.exec_driver_sql(f"explain {asked.sql}", asked.values)).scalars().all()
    assert any("Bitmap Index Scan on views_search" in line for line in plan), plan


async def test_a_name_is_searched_as_before_and_says_no_match(gateway: GatewayUnderTest) -> None:
    staff, reader = [(await gateway.get("/members", role=role, search="forges")).json() for role in ("staff", "reader")]

    assert staff == reader
    assert "matched" not in staff["items"][0]


async def test_filters_hold_for_what_matches_exactly_too(gateway: GatewayUnderTest) -> None:
    answer = (await gateway.get("/members", role="staff", search="B-7", cluster=CLUSTR)).json()

    assert (answer["items"], answer["exact"]) == ([], [])


async def test_an_exact_one_is_on_the_first_page_wherever_it_stands(gateway: GatewayUnderTest) -> None:
    for number in range(3):
        await gateway.feed(NUMELINK, a_member(name=f"Agence 12 rue {number}"))

    first = (await gateway.get("/members", role="staff", search="12", limit=2)).json()
    second = (await gateway.get("/members", role="staff", search="12", limit=2, after=first["next"])).json()

    assert [item["name"] for item in first["exact"]] == [NEON]
    assert [item["name"] for item in first["items"] + second["items"]] == [
        *(f"Agence 12 rue {n}" for n in range(3)),
        NEON,
    ]
    assert "exact" not in second


async def test_of_very_many_those_are_found_that_were_meant_most(
    gateway: GatewayUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        person = a_member(record_id=f"H-{number}", name=f"Atelier {number}").model_copy(
            update={"contact_last_name": "Helene", "email": f"{number}@forges.example.com"}
        )
        await gateway.feed(NUMELINK, person)
    await gateway.feed(NUMELINK, a_member(record_id="helene", name="Zinc"))
    monkeypatch.setattr("services.membership.views.matches.MOST", 2)

    answer = (await gateway.get("/members", role="staff", search="helene", total="true")).json()
    pages = [(await gateway.get("/members", role="staff", search="helene", limit=1)).json()]
    pages.append((await gateway.get("/members", role="staff", search="helene", limit=1, after=pages[0]["next"])).json())

    assert (answer["total"], answer["items"][-1]["matched"]) == (2, "record")
    assert [item["name"] for item in answer["exact"]] == ["Zinc"]
    assert [page["items"][0] for page in pages] == answer["items"]
    assert pages[1]["next"] is None


async def test_an_export_holds_what_the_list_shows(gateway: GatewayUnderTest) -> None:
    lines = (await gateway.get("/members.csv", role="staff", search="helene")).text.splitlines()

    assert len(lines) == 2
    assert FORGES in lines[1]


async def test_what_staff_set_is_searched_too_until_it_is_taken_back(gateway: GatewayUnderTest) -> None:
    record = RecordKey(NUMELINK, "B-7")
    values = {"phone": "04 77 99 88 77", "email": "neuf@forges-gier.fr", "contact_last_name": "Roux-Besson"}
    async with gateway.engine.begin() as connection:
        for field, value in values.items():
            await set_field(MembershipUnitOfWork(connection, POLICY), record, field, value, Signature("a test", "so"))

    for typed, matched in (("0477998877", "phone"), ("neuf@forges-gier.fr", "email"), ("besson", "contact")):
        (item,) = (await gateway.get("/members", role="staff", search=typed)).json()["items"]
        assert (item["id"], item["matched"]) == (own_id(NUMELINK, "B-7"), matched)

    await gateway.sql("update overrides set taken_back_at = now()")
    for typed in ("0477998877", "neuf@forges-gier.fr", "besson"):
        assert (await gateway.get("/members", role="staff", search=typed)).json()["items"] == []


async def test_a_change_of_a_record_is_found_at_once_and_what_it_said_before_no_more(gateway: GatewayUnderTest) -> None:
    changed = a_member(record_id="B-7", name=FORGES, version=2, email="contact@forges.example.com")
    await gateway.feed(NUMELINK, changed.model_copy(update={"paid_until": date(2026, 12, 31)}))

    assert await gateway.names(search="contact@forges.example.com") == [FORGES]
    assert await gateway.names(search="atelier@forges-gier.fr") == []
    assert await gateway.names(search="0477123456") == []
