"""The review queue, and what staff decide about it."""

import logging
from typing import Any

import pytest

from schemas.billing import InvoiceChanged
from schemas.events import RegistrationChanged
from schemas.membership import MemberRemoved
from services.gateway.bodies import LONGEST, LONGEST_BULK
from services.gateway.cursors import cursor
from services.membership.identity.review import case_id_of
from services.membership.records.record import RecordKey
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest, own_id
from tests.support.builders import a_member, a_registration, an_invoice

_LAST = 2**63 - 1  # a bigint's
PAPER = "Papeteries du Pilat"
FIRST, OTHER = f"{CLUSTR}/12", f"{NUMELINK}/B-1"
DECISIONS = "/duplicates/decisions"


def a_company(name: str = "Forges du Gier", **different: Any) -> Any:
    """Somebody in Saint-Étienne who may be somebody else of that name."""
    return a_member(**{"name": name, "email": None, "postcode": "42000", "city": "Saint-Étienne"} | different)


async def post(gateway: GatewayUnderTest, path: str, body: Any, role: str = "staff", **request: Any) -> Any:
    return await gateway.ask("POST", path, role=role, json=body, **request)


async def decide(gateway: GatewayUnderTest, verdict: str, *records: str, reason: str = "they said so") -> Any:
    return await post(gateway, DECISIONS, {"verdict": verdict, "records": records or (FIRST, OTHER), "reason": reason})


async def queue(gateway: GatewayUnderTest, **parameters: Any) -> Any:
    answer = await gateway.get("/duplicates", role="staff", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def member_of(gateway: GatewayUnderTest, record: str) -> str:
    return (await gateway.get(f"/members/by-source/{record}")).json()["id"]


@pytest.fixture
async def two(gateway):
    """Two members of one name, who may be one company."""
    await gateway.feed(CLUSTR, a_company(record_id="12", phone="0477000001"))
    await gateway.feed(NUMELINK, a_company(record_id="B-1", siren="732829320"))


@pytest.fixture
async def contested(gateway):
    """Three records that look like one company, of which two have SIRENs that differ."""
    same = {"email": "jean@forges.example", "website": "forges.example", "phone": "0477123456"}
    await gateway.feed(CLUSTR, a_company(record_id="12", **same))
    await gateway.feed(NUMELINK, a_company(record_id="B-1", siren="732829320", **same))
    await gateway.feed(NUMELINK, a_company(record_id="B 2/x", siren="552100554", **same))


# --- the queue -----------------------------------------------------------------------------------------------------


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
        assert page["total"] == len(page["items"])
        return {case["members"][0]["name"] for case in page["items"]}

    assert await shown() == {"Forges du Gier", PAPER}
    assert await shown(cluster=NUMELINK) == {"Forges du Gier"}
    assert await shown(kind="contested") == set()
    assert await shown(kind="pair") == {"Forges du Gier", PAPER}
    assert await shown(min_probability=0.9999) == set()


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


# --- deciding ------------------------------------------------------------------------------------------------------


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


# --- many at once --------------------------------------------------------------------------------------------------


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


# --- what cannot be decided ----------------------------------------------------------------------------------------

FINE = {"verdict": "same", "records": [FIRST, OTHER], "reason": "x"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"reason", "verdict", "records"}),
        ([], {"body"}),
        (None, {"body"}),
        ({**FINE, "verdict": "maybe"}, {"verdict"}),
        ({**FINE, "records": [FIRST]}, {"records"}),
        ({**FINE, "records": FIRST}, {"records"}),
        ({**FINE, "records": [FIRST, None]}, {"records.1"}),
        ({**FINE, "records": [FIRST, "numelink"]}, {"records.1"}),
        ({**FINE, "records": [FIRST, "/B-1"]}, {"records.1"}),
        ({**FINE, "records": [FIRST, "numelink/\x00"]}, {"records.1"}),
        ({**FINE, "records": [FIRST, "numelink/" + "x" * 600]}, {"records.1"}),
        ({**FINE, "records": [f"{NUMELINK}/{number}" for number in range(51)]}, {"records"}),
        ({**FINE, "reason": ""}, {"reason"}),
        ({**FINE, "reason": "x" * 1_001}, {"reason"}),
        ({**FINE, "reason": 7}, {"reason"}),
        ({**FINE, "author": ""}, {"author"}),
        ({**FINE, "author": "x" * 201}, {"author"}),
        ({**FINE, "because": "x"}, {"because"}),
        ({"parts": [[FIRST], []], "reason": "x"}, {"parts.1"}),
        ({"parts": [], "reason": "x"}, {"parts"}),
        ({"parts": [[FIRST], [OTHER]], "verdict": "same", "reason": "x"}, {"verdict"}),
    ],
)
async def test_a_body_that_does_not_fit_is_told_field_by_field(gateway, two, body, fields):
    answer = await post(gateway, DECISIONS, body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "urn:traboule:problem:invalid-parameters"
    assert {item["field"] for item in answer.json()["errors"]} == fields
    assert (await gateway.get(DECISIONS, role="staff")).json()["items"] == []


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"reason": "\\ud800"}', b"[" * 10_000])
async def test_what_is_no_json_is_told(gateway, two, raw):
    answer = await gateway.ask("POST", DECISIONS, role="staff", content=raw)

    assert answer.status_code == 422
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    ("different", "code", "words"),
    [
        ({"reason": " \n"}, "reason-missing", "Une décision a besoin d'un motif."),
        ({"reason": "a\x00b"}, "reason-unusable", "Le motif est trop long ou n'est pas du texte."),
        ({"author": "\t"}, "author-missing", "Une décision a besoin d'un auteur."),
        ({"records": [FIRST, FIRST]}, "record-twice", "Une décision nomme chaque fiche une seule fois."),
    ],
)
async def test_a_decision_that_cannot_be_taken_says_why(gateway, two, different, code, words):
    answer = await post(gateway, DECISIONS, FINE | different, headers={"accept-language": "fr"})

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:traboule:problem:decision-refused"
    assert (answer.json()["code"], answer.json()["detail"]) == (code, words)


async def test_records_and_decisions_that_nobody_knows(gateway, two):
    unknown = await decide(gateway, "same", FIRST, "numelink/nobody")
    assert (unknown.status_code, unknown.json()["records"]) == (422, ["numelink/nobody"])
    assert unknown.json()["type"] == "urn:traboule:problem:record-unknown"

    for number in (1, _LAST):
        for answer in (
            await gateway.get(f"{DECISIONS}/{number}", role="staff"),
            await post(gateway, f"{DECISIONS}/{number}/take-back", {"reason": "x"}),
        ):
            assert answer.status_code == 404
            assert answer.json()["type"] == "urn:traboule:problem:decision-unknown"
    for number in ("0", "x", str(_LAST + 1)):
        assert (await gateway.get(f"{DECISIONS}/{number}", role="staff")).status_code == 422


async def test_readers_and_strangers_decide_nothing(gateway, two):
    paths = [DECISIONS, f"{DECISIONS}/1/take-back", f"/members/{own_id(CLUSTR, '12')}/separations"]
    for path in paths:
        assert (await post(gateway, path, FINE, role="reader")).status_code == 403
        assert (await gateway.client.post(path, json=FINE)).status_code == 401
    for path in ("/duplicates", "/duplicates/x", f"{DECISIONS}/1"):
        assert (await gateway.get(path, role="reader")).status_code == 403


async def test_logs_say_who_decided_by_number_and_never_what(gateway, two, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    number = (await decide(gateway, "same", reason="Dupont said so")).json()["decision"]
    await post(gateway, f"{DECISIONS}/{number}/take-back", {"reason": "Dupont erred", "author": "Durand"})

    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    answer = ours + "".join(capfd.readouterr())
    assert "duplicates.decided" in answer
    assert "duplicates.taken_back" in answer
    assert f"decision={number}" in answer
    assert all(secret not in answer for secret in ("Dupont", "Durand", "B-1", "Forges"))
