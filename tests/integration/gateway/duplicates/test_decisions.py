"""Decisions about two records or a group: made, taken back, listed."""

import pytest

from schemas.membership import MemberRemoved
from services.gateway.bodies import LONGEST, LONGEST_BULK
from tests.integration.gateway.duplicates.decisions import (
    DECISIONS,
    FIRST,
    OTHER,
    PAPER,
    a_company,
    decide,
    post,
    queue,
)
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest, own_id
from tests.support.builders import a_member


async def member_of(gateway: GatewayUnderTest, record: str) -> str:
    return (await gateway.get(f"/members/by-source/{record}")).json()["id"]


@pytest.fixture
async def contested(gateway):
    """Three records that look like one company, of which two have SIRENs that differ."""
    same = {"email": "jean@forges.example", "website": "forges.example", "phone": "0477123456"}
    await gateway.feed(CLUSTR, a_company(record_id="12", **same))
    await gateway.feed(NUMELINK, a_company(record_id="B-1", siren="732829320", **same))
    await gateway.feed(NUMELINK, a_company(record_id="B 2/x", siren="552100554", **same))


async def test_two_that_are_the_same_are_merged_at_once(gateway, two):
    (case,) = (await queue(gateway))["items"]

    answer = await decide(gateway, "same")

    assert answer.status_code == 201
    assert answer.headers["location"] == f"{DECISIONS}/{answer.json()['decision']}"
    member = own_id(CLUSTR, "12")
    assert answer.json()["members"] == {FIRST: member, OTHER: member}
    assert await member_of(gateway, OTHER) == member
    assert (await queue(gateway))["items"] == []
    assert (await gateway.get(f"/duplicates/{case['id']}", role="staff")).status_code == 404


async def test_two_that_differ_are_not_asked_about_again(gateway, two):
    answer = await decide(gateway, "different")

    assert answer.status_code == 201
    assert len(set(answer.json()["members"].values())) == 2
    assert (await queue(gateway))["total"] == 0


async def test_saying_it_again_changes_nothing(gateway, two):
    first = await decide(gateway, "same")
    again = await decide(gateway, "same", OTHER, FIRST, reason="and again")

    assert (again.status_code, again.json()["repeated"]) == (200, True)
    assert again.json()["decision"] == first.json()["decision"]
    assert again.headers["location"] == first.headers["location"]
    assert len((await gateway.get(DECISIONS, role="staff")).json()["items"]) == 1


@pytest.mark.parametrize("verdict", ["same", "different"])
async def test_a_decision_survives_the_next_import(gateway, two, verdict):
    members = (await decide(gateway, verdict)).json()["members"]

    await gateway.feed(CLUSTR, a_company(record_id="12", version=2, phone="0477000002", city="St Etienne"))
    await gateway.feed(NUMELINK, a_company(record_id="B-1", version=2, siren="732829320", brand="Gier"))
    await gateway.feed(NUMELINK, MemberRemoved(record_id="B-1", version=3))
    await gateway.feed(NUMELINK, a_company(record_id="B-1", version=4, siren="732829320"))

    assert {record: await member_of(gateway, record) for record in (FIRST, OTHER)} == members
    assert (await queue(gateway))["total"] == 0


async def test_a_decision_that_is_taken_back_counts_no_more(gateway, two):
    before = (await queue(gateway))["items"]
    number = (await decide(gateway, "same")).json()["decision"]

    answer = await post(gateway, f"{DECISIONS}/{number}/take-back", {"reason": "the wrong one", "author": "m.durand"})

    assert answer.status_code == 200
    assert answer.json()["members"] == {FIRST: own_id(CLUSTR, "12"), OTHER: own_id(NUMELINK, "B-1")}
    assert (await queue(gateway))["items"] == before
    again = await post(gateway, f"{DECISIONS}/{number}/take-back", {"reason": "once more"})
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    kept = (await gateway.get(f"{DECISIONS}/{number}", role="staff")).json()
    assert kept["taken_back"]["author"] == "m.durand"
    assert kept["taken_back"]["reason"] == "the wrong one"


async def test_decisions_are_listed_newest_first_with_who_and_why(gateway, two):
    await decide(gateway, "same", reason="same director")
    body = {
        "verdict": "different",
        "records": [FIRST, OTHER],
        "reason": "two branches\nafter all",
        "author": "m.durand",
    }
    second = (await post(gateway, DECISIONS, body)).json()["decision"]

    listed = (await gateway.get(DECISIONS, role="staff")).json()

    assert [(item["author"], item["reason"]) for item in listed["items"]] == [
        ("m.durand", "two branches\nafter all"),
        ("a staff", "same director"),
    ]
    assert listed["items"][0]["pairs"] == [{"records": [FIRST, OTHER], "verdict": "different"}]
    assert listed["items"][0]["taken_back"] is None
    assert (await gateway.get(f"{DECISIONS}/{second}", role="staff")).json() == listed["items"][0]
    first_page = (await gateway.get(DECISIONS, role="staff", limit=1)).json()
    second_page = (await gateway.get(DECISIONS, role="staff", limit=1, after=first_page["next"])).json()
    assert [*first_page["items"], *second_page["items"]] == listed["items"]
    assert second_page["next"] is None


async def test_a_contested_group_is_one_case_and_is_decided_as_one(gateway, contested):
    (case,) = (await queue(gateway))["items"]

    third = f"{NUMELINK}/B 2/x"
    assert case["kind"] == "contested"
    assert len(case["members"]) == 3
    assert [(item["code"], item["records"]) for item in case["contradictions"]] == [("sirens-differ", [third, OTHER])]
    assert "SIREN" in case["contradictions"][0]["words"]
    assert case["held_back"] == [[FIRST, third], [FIRST, OTHER]]
    assert {item["not_merged"]["code"] for item in case["questions"]} >= {"contradiction"}
    assert (await queue(gateway, kind="contested"))["total"] == 1
    assert (await queue(gateway, kind="pair"))["total"] == 0

    answer = await post(
        gateway, DECISIONS, {"parts": [[third], [FIRST, OTHER]], "reason": "the SIREN was on the letter"}
    )

    assert answer.status_code == 201
    assert answer.json()["members"] == {
        FIRST: own_id(CLUSTR, "12"),
        OTHER: own_id(CLUSTR, "12"),
        third: own_id(NUMELINK, "B 2/x"),
    }
    assert (await queue(gateway))["total"] == 0


async def test_decisions_that_contradict_each_other_are_asked_about(gateway):
    for number, name in enumerate(("Forges du Gier", PAPER, "Tissages du Rhône")):
        await gateway.feed(CLUSTR, a_member(record_id=str(number), name=name, email=None, city=None, postcode=None))
    a, b, c = (f"{CLUSTR}/{number}" for number in range(3))
    for pair in ((a, b), (b, c)):
        await decide(gateway, "same", *pair)
    assert (await queue(gateway))["total"] == 0
    number = (await decide(gateway, "different", a, c)).json()["decision"]

    (case,) = (await queue(gateway))["items"]

    assert (case["kind"], case["held_back"]) == ("contested", [[a, b]])
    assert [(item["code"], item["records"]) for item in case["contradictions"]] == [("rejected", [a, c])]
    await post(gateway, f"{DECISIONS}/{number}/take-back", {"reason": "they are one"})
    assert (await queue(gateway))["total"] == 0


async def test_one_bad_decision_of_many_does_not_stop_the_rest(gateway, two):
    await gateway.feed(CLUSTR, a_company(PAPER, record_id="3"), a_company(PAPER, record_id="4"))
    same = {"verdict": "same", "records": [FIRST, OTHER], "reason": "x"}
    many = [
        {"verdict": "same", "records": [FIRST, f"{NUMELINK}/nobody"], "reason": "x"},
        {"verdict": "perhaps", "records": [FIRST, 7], "reason": "x"},
        "what?",
        same,
        {**same, "reason": " "},
        {"parts": [[f"{CLUSTR}/3"], [f"{CLUSTR}/4"]], "reason": "two"},
        same,
    ]

    answer = await post(gateway, DECISIONS, {"decisions": many})

    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [422, 422, 422, 201, 422, 201, 200]
    assert results[0]["problem"]["type"] == "urn:traboule:problem:record-unknown"
    assert results[0]["problem"]["records"] == [f"{NUMELINK}/nobody"]
    assert {item["field"] for item in results[1]["problem"]["errors"]} == {"verdict", "records.1"}
    assert results[4]["problem"]["code"] == "reason-missing"
    assert await member_of(gateway, OTHER) == own_id(CLUSTR, "12")
    assert (await queue(gateway))["total"] == 0


@pytest.mark.parametrize("many", [[], [{}] * 101, None, {}])
async def test_too_few_or_too_many_are_none(gateway, many):
    answer = await post(gateway, DECISIONS, {"decisions": many})

    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["errors"]] == ["decisions"]


async def test_a_hundred_decisions_may_each_have_a_long_reason_and_nothing_else_may_be_so_long(gateway):
    reason = "é" * 1_000
    item = {"verdict": "same", "records": [FIRST, f"{NUMELINK}/nobody"], "reason": reason, "author": "m.durand"}

    taken = await post(gateway, DECISIONS, {"decisions": [item] * 100})
    too_long = await gateway.ask("POST", DECISIONS, content=b" " * (LONGEST_BULK + 1))
    alone = await gateway.ask("POST", f"{DECISIONS}/1/take-back", content=b" " * (LONGEST + 1))

    assert [result["problem"]["status"] for result in taken.json()["results"]] == [422] * 100
    for answer in (too_long, alone):
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:traboule:problem:body-too-long")
