"""Who a member is and was, and undoing a merge."""

from datetime import datetime
from typing import Any

import pytest

from schemas.membership import MemberRemoved
from tests.integration.gateway.duplicates.decisions import DECISIONS, FIRST, OTHER, a_company, decide, post, queue
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest, own_id

MEMBER, SECOND = own_id(CLUSTR, "12"), own_id(NUMELINK, "B-1")


async def identity(gateway: GatewayUnderTest, member: str = MEMBER, **parameters: Any) -> Any:
    answer = await gateway.get(f"/members/{member}/identity", role="staff", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def separate(
    gateway: GatewayUnderTest, *records: str, member: str = MEMBER, reason: str = "two companies"
) -> Any:
    return await post(gateway, f"/members/{member}/separations", {"records": records, "reason": reason})


@pytest.fixture
async def by_evidence(gateway):
    """Two records that are merged by what they say."""
    same = {"email": "jean@forges.example", "website": "forges.example", "phone": "0477123456"}
    await gateway.feed(CLUSTR, a_company(record_id="12", **same))
    await gateway.feed(NUMELINK, a_company(record_id="B-1", **same))


@pytest.fixture
async def two(gateway):
    """Two members who may be one company."""
    await gateway.feed(CLUSTR, a_company(record_id="12"))
    await gateway.feed(NUMELINK, a_company(record_id="B-1"))


@pytest.mark.parametrize(("language", "words"), [("fr", "Même nom"), ("en", "Same name")])
async def test_what_holds_a_member_together_is_explained(gateway, by_evidence, language, words):
    published = await identity(gateway, lang=language)

    assert published["records"] == [FIRST, OTHER]
    (link,) = published["links"]
    assert (link["records"], link["by"]) == ([FIRST, OTHER], "evidence")
    assert link["evidence"][0]["words"] == words
    (merged,) = published["items"]
    assert (merged["what"], merged["records"], merged["member_id"]) == ("merged", [FIRST, OTHER], MEMBER)
    assert merged["cause"] == {"by": "records", "records": [OTHER]}
    assert merged["links"] == [link]


async def test_the_id_that_was_merged_away_has_the_same_history(gateway, by_evidence):
    assert await identity(gateway, SECOND) == await identity(gateway)


async def test_decisions_stand_in_the_history_with_author_and_reason(gateway, two):
    number = (await decide(gateway, "same", reason="one director")).json()["decision"]
    await post(gateway, f"{DECISIONS}/{number}/take-back", {"reason": "his sister", "author": "m.durand"})
    back = await identity(gateway)
    assert [item["what"] for item in back["items"]] == ["separated", "taken-back", "merged", "decided"]
    separated, taken_back, merged, decided = back["items"]
    assert (decided["author"], decided["reason"]) == ("a staff", "one director")
    assert decided["pairs"] == [{"records": [FIRST, OTHER], "verdict": "same"}]
    assert merged["cause"]["by"] == "decision"
    assert merged["cause"]["reason"] == "one director"
    assert merged["links"][0]["decision"] == number
    assert taken_back["taken_back"]["author"] == "m.durand"
    assert (separated["cause"]["by"], separated["cause"]["reason"]) == ("taken-back", "his sister")
    assert [part["records"] for part in separated["parts"]] == [[FIRST], [OTHER]]
    assert back["links"] == []
    # Both know of it, now that they are two.
    assert (await identity(gateway, SECOND))["items"] == back["items"]


async def test_a_decision_holds_together_instead_of_the_evidence(gateway, by_evidence):
    await decide(gateway, "same", reason="we checked")

    (link,) = (await identity(gateway))["links"]

    assert (link["by"], link["author"], link["reason"]) == ("decision", "a staff", "we checked")


async def test_what_happened_to_a_record_comes_along(gateway, two):
    await gateway.feed(NUMELINK, a_company("Papeteries du Pilat", record_id="3"))
    wrong = (await decide(gateway, "same", OTHER, "numelink/3")).json()["decision"]
    await post(gateway, f"{DECISIONS}/{wrong}/take-back", {"reason": "not at all"})
    await decide(gateway, "same")

    published = (await identity(gateway))["items"]

    assert [item["what"] for item in published] == ["merged", "decided", "separated", "taken-back", "merged", "decided"]
    assert published[4]["records"] == ["numelink/3", OTHER]


async def test_pages_hold_every_turn_once(gateway, two):
    for verdict in ("same", "different", "same"):
        await decide(gateway, verdict)
    whole = (await identity(gateway))["items"]
    assert len(whole) == 6
    moments = [datetime.fromisoformat(item["at"]) for item in whole]
    assert moments == sorted(moments, reverse=True)

    for limit in (1, 2, 4, 5):
        items, after = [], {}
        while True:
            page = await identity(gateway, limit=limit, **after)
            items += page["items"]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert items == whole


async def test_a_merge_is_undone(gateway, by_evidence):
    answer = await separate(gateway, OTHER)

    assert answer.status_code == 201
    assert answer.json()["members"] == {FIRST: MEMBER, OTHER: SECOND}
    assert answer.headers["location"].startswith(DECISIONS)
    for member, record in ((MEMBER, FIRST), (SECOND, OTHER)):
        assert (await identity(gateway, member))["records"] == [record]
        view = (await gateway.get(f"/members/{member}")).json()
        assert (view["id"], view["former_ids"]) == (member, [])
    assert (await queue(gateway))["total"] == 0


async def test_an_undone_merge_stays_undone_until_it_is_taken_back(gateway, by_evidence):
    number = (await separate(gateway, OTHER)).json()["decision"]
    same = {"email": "jean@forges.example", "website": "forges.example", "phone": "0477123456"}
    await gateway.feed(NUMELINK, a_company(record_id="B-1", version=2, siren="732829320", **same))
    await gateway.feed(CLUSTR, a_company(record_id="12", version=2, siren="732829320", **same))
    assert (await identity(gateway))["records"] == [FIRST]

    await post(gateway, f"{DECISIONS}/{number}/take-back", {"reason": "one after all"})

    assert (await identity(gateway, SECOND))["records"] == [FIRST, OTHER]


async def test_a_merge_can_be_undone_by_any_id_of_the_member(gateway, by_evidence):
    assert (await separate(gateway, FIRST, member=SECOND)).status_code == 201
    assert (await identity(gateway, SECOND))["records"] == [OTHER]


async def test_what_cannot_be_separated(gateway, by_evidence):
    await gateway.feed(NUMELINK, a_company("Papeteries du Pilat", record_id="3"))

    async def code(*records: str, member: str = MEMBER) -> tuple[int, str]:
        answer = await separate(gateway, *records, member=member)
        return answer.status_code, answer.json().get("code") or answer.json()["type"].rpartition(":")[2]

    assert await code(FIRST, OTHER) == (422, "nothing-to-separate")
    assert await code("numelink/3") == (422, "not-this-member")
    assert await code(FIRST, "numelink/3") == (422, "not-this-member")
    assert await code("numelink/nobody") == (422, "record-unknown")
    assert await code(OTHER, member="nobody") == (404, "member-unknown")
    assert await code() == (422, "invalid-parameters")
    assert (await separate(gateway, OTHER, reason=" ")).json()["code"] == "reason-missing"
    assert (await identity(gateway))["records"] == [FIRST, OTHER]


async def test_a_removed_record_is_told_apart(gateway, by_evidence):
    await gateway.feed(NUMELINK, MemberRemoved(record_id="B-1", version=2))

    published = await identity(gateway)

    assert (published["records"], published["removed"], published["links"]) == ([FIRST], [OTHER], [])
    assert [item["what"] for item in published["items"]] == ["merged"], "it stays with its member, and is not shown"
    await gateway.feed(CLUSTR, MemberRemoved(record_id="12", version=2))
    assert (await gateway.get(f"/members/{MEMBER}/identity", role="staff")).status_code == 410


async def test_a_member_that_nobody_knows_has_no_history(gateway):
    for name in ("x", MEMBER, "%00"):
        assert (await gateway.get(f"/members/{name}/identity", role="staff")).status_code == 404


@pytest.mark.parametrize("written", ["urn:uuid:{}", "{{{}}}"])
async def test_an_id_may_be_written_in_any_way_of_writing_one(gateway, by_evidence, written):
    for record in ((CLUSTR, "12"), (NUMELINK, "B-1")):
        plain = own_id(*record)
        for path in ("", "/identity", "/timeline", "/sources", "/overrides"):
            usual = await gateway.get(f"/members/{plain}{path}", role="staff")
            answer = await gateway.get(f"/members/{written.format(plain)}{path}", role="staff")
            assert (answer.status_code, answer.json()) == (200, usual.json()), path
        body = {"value": "Givors", "reason": "moved"}
        assert (await gateway.ask("PUT", f"/members/{written.format(plain)}/fields/city", json=body)).status_code == 200
