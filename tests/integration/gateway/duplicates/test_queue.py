"""The review queue: what is asked about, in which order, and with which evidence."""

from typing import Any

import pytest

from schemas.billing import InvoiceChanged
from schemas.events import RegistrationChanged
from services.gateway.cursors import cursor
from services.membership.identity.review import case_id_of
from services.membership.records.record import RecordKey
from tests.integration.gateway.duplicates.decisions import DECISIONS, FIRST, OTHER, PAPER, a_company, decide, queue
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, own_id
from tests.support.builders import a_registration, an_invoice


async def test_a_case_shows_both_sides_and_the_evidence(gateway, two):
    (case,) = (await queue(gateway))["items"]

    assert (case["kind"], case["id"]) == ("pair", case_id_of((RecordKey(CLUSTR, "12"), RecordKey(NUMELINK, "B-1"))))
    assert [(item["name"], item["siren"], item["city"], item["clusters"]) for item in case["members"]] == [
        ("Forges du Gier", None, "Saint-Étienne", [CLUSTR]),
        ("Forges du Gier", "732829320", "Saint-Étienne", [NUMELINK]),
    ]
    ours, theirs = (member["records"][0] for member in case["members"])
    assert (ours["record"], ours["written"]["phone"]) == (FIRST, "0477000001")
    assert (theirs["record"], theirs["written"]["siren"]) == (OTHER, "732829320")
    (question,) = case["questions"]
    assert question["records"] == [FIRST, OTHER]
    assert question["members"] == [own_id(CLUSTR, "12"), own_id(NUMELINK, "B-1")]
    published = {item["field"]: item for item in question["evidence"]}
    assert published["name"]["words"] == "Même nom"
    assert published["name"]["weight"] > 0
    assert round(question["prior"] + sum(item["weight"] for item in question["evidence"]), 2) == question["score"]
    assert question["not_merged"]["code"] == "name-alone"


@pytest.mark.parametrize(
    ("asked", "headers", "language", "name", "why"),
    [
        ({}, {}, "fr", "Même nom", "Le nom seul ne suffit pas"),
        ({"lang": "en"}, {}, "en", "Same name", "The name alone is not enough"),
        ({}, {"accept-language": "en"}, "en", "Same name", "The name alone is not enough"),
    ],
)
async def test_it_is_told_in_french_or_english(gateway, two, asked, headers, language, name, why):
    answer = await gateway.get("/duplicates", role="staff", headers=headers, **asked)

    (case,) = answer.json()["items"]
    assert answer.headers["content-language"] == language
    assert case["questions"][0]["evidence"][0]["words"] == name
    assert case["questions"][0]["not_merged"]["words"].startswith(why)
    response = await gateway.get(f"/duplicates/{case['id']}", role="staff", headers=headers, **asked)
    assert response.json() == case


async def test_what_saves_most_comes_first(gateway):
    names = ["Forges du Gier", PAPER, "Tissages du Rhône"]
    for number, name in enumerate(names):
        status = "active" if number else "ended"
        await gateway.feed(CLUSTR, a_company(name, record_id=f"{number}", status=status))
        await gateway.feed(NUMELINK, a_company(name, record_id=f"{number}", status=status))
    for cluster in (CLUSTR, NUMELINK):
        invoice, seat = an_invoice(record_id="2"), a_registration(record_id="2")
        await gateway.feed(cluster, InvoiceChanged(**invoice.model_dump(), cluster=cluster))
        await gateway.feed(cluster, RegistrationChanged(**seat.model_dump(), cluster=cluster))
    # One side alone saves nothing.
    await gateway.feed(CLUSTR, InvoiceChanged(**an_invoice(record_id="0").model_dump(), cluster=CLUSTR))

    items = (await queue(gateway))["items"]

    assert [case["members"][0]["name"] for case in items] == names[::-1]
    twice = [[item["code"] for item in case["questions"][0]["twice"]] for case in items]
    assert twice == [["active", "invoiced", "registered"], ["active"], []]
    probability = items[0]["probability"]
    assert [case["gain"] for case in items] == [pytest.approx(probability * times, abs=1e-3) for times in (4, 2, 1)]


async def test_pages_hold_every_case_once(gateway):
    # Two of each gain, so that some pages end between equals.
    for number in range(6):
        for cluster in (CLUSTR, NUMELINK):
            status = "active" if number % 2 else "ended"
            name = ("Forges Gier", PAPER, "Tissages Rhône", "Verrerie Lumo", "Tannerie Morel", "Brasserie Ost")[number]
            await gateway.feed(cluster, a_company(name, record_id=str(number), status=status))
    whole = await queue(gateway)
    assert (len(whole["items"]), whole["total"], whole["next"]) == (6, 6, None)

    for limit in (1, 2, 4):
        items, after = [], {}
        while True:
            page = await queue(gateway, limit=limit, **after)
            assert page["total"] == 6
            items += page["items"]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert items == whole["items"]


async def test_what_too_many_share_is_named_beside_the_cases(gateway):
    crowd = [a_company(record_id=f"{at:02}", postcode=f"{at + 10}000", city=None) for at in range(31)]
    await gateway.feed(CLUSTR, *crowd)
    page = await queue(gateway, lang="en")
    [named] = page["too_many_alike"]
    assert (named["code"], named["shared"], named["records"]) == ("name", "FORGESGIER", 31)
    assert named["examples"] == [f"{CLUSTR}/{at:02}" for at in range(5)]
    assert named["words"].startswith("Too many records have this name")
    assert (await queue(gateway, lang="fr"))["too_many_alike"][0]["words"].startswith("Trop de fiches portent ce nom")
    assert (await queue(gateway, cluster=NUMELINK, lang="en"))["too_many_alike"] == page["too_many_alike"]
    await gateway.feed(CLUSTR, a_company(record_id="00a", postcode="60000", city=None))
    [named] = (await queue(gateway, lang="en"))["too_many_alike"]
    assert (named["records"], named["examples"][:2]) == (32, [f"{CLUSTR}/00", f"{CLUSTR}/00a"])


async def test_filters_leave_what_they_say(gateway, two):
    await gateway.feed(CLUSTR, a_company(PAPER, record_id="3"), a_company(PAPER, record_id="4"))

    async def shown(**parameters: Any) -> set[str]:
        page = await queue(gateway, **parameters)
        count = await gateway.get("/duplicates/count", role="staff", **parameters)
        assert count.json() == {"total": page["total"]} == {"total": len(page["items"])}
        return {case["members"][0]["name"] for case in page["items"]}

    assert await shown() == {"Forges du Gier", PAPER}
    assert await shown(cluster=NUMELINK) == {"Forges du Gier"}
    assert await shown(kind="contested") == set()
    assert await shown(kind="pair") == {"Forges du Gier", PAPER}
    assert await shown(min_probability=0.9999) == set()
    assert await shown(member=own_id(CLUSTR, "12")) == await shown(member=own_id(NUMELINK, "B-1")) == {"Forges du Gier"}
    assert await shown(member=own_id(CLUSTR, "12"), kind="contested") == set()


async def test_questions_of_a_member_are_found_by_an_id_that_was_merged_away(gateway, two):
    await decide(gateway, "same")
    await gateway.feed(CLUSTR, a_company(record_id="9"))

    (case,) = (await queue(gateway, member=own_id(NUMELINK, "B-1")))["items"]

    assert own_id(CLUSTR, "12") in [item["id"] for item in case["members"]]


@pytest.mark.parametrize("path", ["/duplicates", "/duplicates/count"])
async def test_a_member_that_there_is_not_has_no_questions(gateway, path):
    for member in ("x", "00000000-0000-0000-0000-000000000000"):
        answer = await gateway.get(path, role="staff", member=member)

        assert (answer.status_code, answer.json()["type"]) == (404, "urn:traboule:problem:member-unknown")


async def test_the_count_follows_each_decision(gateway, two):
    assert (await gateway.get("/duplicates/count", role="staff")).json() == {"total": 1}

    await decide(gateway, "different")

    assert (await gateway.get("/duplicates/count", role="staff")).json() == {"total": 0}
    assert (await gateway.get("/duplicates/count", role="reader")).status_code == 403


async def test_a_case_compares_field_by_field_by_the_levels_of_the_evidence(gateway, two):
    (listed,) = (await queue(gateway))["items"]
    (question,) = (await gateway.get(f"/duplicates/{listed['id']}", role="staff")).json()["questions"]

    rows = {row["field"]: row for row in question["comparison"]}
    assert {field: row["verdict"] for field, row in rows.items()} == {
        "name": "same",
        "siren": "one",
        "phone": "one",
        "place": "same",
    }
    assert rows["phone"]["left"] == {"phone": "0477000001"}
    assert rows["siren"]["right"] == {"siren": "732829320"}
    weighed = {item["field"]: (item["level"], item["words"]) for item in question["evidence"]}
    judged = {field: (row["level"], row["words"]) for field, row in rows.items() if row["level"]}
    assert judged == {field: of for field, of in weighed.items() if field in rows}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"kind": "triple"}, "kind"),
        ({"cluster": "nobody"}, "cluster"),
        ({"min_probability": 2}, "min_probability"),
        ({"min_probability": "nan"}, "min_probability"),
    ],
)
async def test_parameters_that_do_not_fit_are_named(gateway, wrong, field):
    answer = await gateway.get("/duplicates", role="staff", **wrong)

    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["errors"]] == [field]


IDENTITY = f"/members/{own_id(CLUSTR, '12')}/identity"


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/duplicates", ("a", "b")),
        ("/duplicates", ("nan", "b")),
        (DECISIONS, ("-1", "")),
        (DECISIONS, ("9" * 30, "")),
        (DECISIONS, ("٣", "")),
        (IDENTITY, ("a", "b")),
        (IDENTITY, ("2026-01-01T00:00:00", "1:1")),
        (IDENTITY, ("2026-01-01T00:00:00Z", "1")),
    ],
)
async def test_a_wrong_cursor_is_told(gateway, two, path, parts):
    for after in (cursor(*parts), "x"):
        answer = await gateway.get(path, role="staff", after=after)

        assert answer.status_code == 400, answer.text
        assert answer.json()["type"] == "urn:traboule:problem:cursor-unreadable"


async def test_what_is_not_in_question_is_not_there(gateway, two):
    for name in ("0123456789abcdef", "x", "%00"):
        answer = await gateway.get(f"/duplicates/{name}", role="staff")

        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:traboule:problem:case-unknown"
