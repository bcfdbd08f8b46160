"""Who a member is and was, and undoing a merge."""

from datetime import datetime
from typing import Any

import pytest

from schemas.membership import MemberRemoved
from tests.integration.gateway.doors import CLUSTR, NUMELINK, GatewayUnderTest, own_id
from tests.integration.gateway.test_duplicates import DECISIONS, ONE, OTHER, a_company, decide, post, queue

MEMBER, SECOND = own_id(CLUSTR, "12"), own_id(NUMELINK, "B-1")


async def identity(door: GatewayUnderTest, member: str = MEMBER, **parameters: Any) -> Any:
    answer = await door.get(f"/members/{member}/identity", role="staff", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def separate(door: GatewayUnderTest, *records: str, member: str = MEMBER, reason: str = "two companies") -> Any:
    return await post(door, f"/members/{member}/separations", {"records": records, "reason": reason})


@pytest.fixture
async def by_evidence(door):
    """Two records that are merged by what they say."""
    same = {"email": "jean@forges.example", "website": "forges.example", "phone": "0477123456"}
    await door.tell(CLUSTR, a_company(record_id="12", **same))
    await door.tell(NUMELINK, a_company(record_id="B-1", **same))


@pytest.fixture
async def two(door):
    """Two members who may be one company."""
    await door.tell(CLUSTR, a_company(record_id="12"))
    await door.tell(NUMELINK, a_company(record_id="B-1"))


@pytest.mark.parametrize(("language", "words"), [("fr", "Même nom"), ("en", "Same name")])
async def test_what_holds_a_member_together_is_explained(door, by_evidence, language, words):
    published = await identity(door, lang=language)

    assert published["records"] == [ONE, OTHER]
    (link,) = published["links"]
    assert (link["records"], link["by"]) == ([ONE, OTHER], "evidence")
    assert link["evidence"][0]["words"] == words
    (merged,) = published["items"]
    assert (merged["what"], merged["records"], merged["member_id"]) == ("merged", [ONE, OTHER], MEMBER)
    assert merged["cause"] == {"by": "records", "records": [OTHER]}
    assert merged["links"] == [link]


async def test_the_id_that_was_merged_away_has_the_same_history(door, by_evidence):
    assert await identity(door, SECOND) == await identity(door)


async def test_decisions_stand_in_the_history_with_author_and_reason(door, two):
    number = (await decide(door, "same", reason="one director")).json()["decision"]
    await post(door, f"{DECISIONS}/{number}/take-back", {"reason": "his sister", "author": "m.durand"})
    back = await identity(door)
    assert [item["what"] for item in back["items"]] == ["separated", "taken-back", "merged", "decided"]
    separated, taken_back, merged, decided = back["items"]
    assert (decided["author"], decided["reason"]) == ("a staff", "one director")
    assert decided["pairs"] == [{"records": [ONE, OTHER], "verdict": "same"}]
    assert merged["cause"]["by"] == "decision"
    assert merged["cause"]["reason"] == "one director"
    assert merged["links"][0]["decision"] == number
    assert taken_back["taken_back"]["author"] == "m.durand"
    assert (separated["cause"]["by"], separated["cause"]["reason"]) == ("taken-back", "his sister")
    assert [part["records"] for part in separated["parts"]] == [[ONE], [OTHER]]
    assert back["links"] == []
    # Both know of it, now that they are two.
    assert (await identity(door, SECOND))["items"] == back["items"]


async def test_a_decision_holds_together_instead_of_the_evidence(door, by_evidence):
    await decide(door, "same", reason="we checked")

    (link,) = (await identity(door))["links"]

    assert (link["by"], link["author"], link["reason"]) == ("decision", "a staff", "we checked")


async def test_what_happened_to_a_record_comes_along(door, two):
    await door.tell(NUMELINK, a_company("Papeteries du Pilat", record_id="3"))
    wrong = (await decide(door, "same", OTHER, "numelink/3")).json()["decision"]
    await post(door, f"{DECISIONS}/{wrong}/take-back", {"reason": "not at all"})
    await decide(door, "same")

    published = (await identity(door))["items"]

    assert [item["what"] for item in published] == ["merged", "decided", "separated", "taken-back", "merged", "decided"]
    assert published[4]["records"] == ["numelink/3", OTHER]


async def test_pages_hold_every_turn_once(door, two):
    for verdict in ("same", "different", "same"):
        await decide(door, verdict)
    whole = (await identity(door))["items"]
    assert len(whole) == 6
    moments = [datetime.fromisoformat(item["at"]) for item in whole]
    assert moments == sorted(moments, reverse=True)

    for limit in (1, 2, 4, 5):
        items, after = [], {}
        while True:
            page = await identity(door, limit=limit, **after)
            items += page["items"]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert items == whole


async def test_a_merge_is_undone(door, by_evidence):
    answer = await separate(door, OTHER)

    assert answer.status_code == 201
    assert answer.json()["members"] == {ONE: MEMBER, OTHER: SECOND}
    assert answer.headers["location"].startswith(DECISIONS)
    for member, record in ((MEMBER, ONE), (SECOND, OTHER)):
        assert (await identity(door, member))["records"] == [record]
        view = (await door.get(f"/members/{member}")).json()
        assert (view["id"], view["former_ids"]) == (member, [])
    assert (await queue(door))["total"] == 0


async def test_an_undone_merge_stays_undone_until_it_is_taken_back(door, by_evidence):
    number = (await separate(door, OTHER)).json()["decision"]
    same = {"email": "jean@forges.example", "website": "forges.example", "phone": "0477123456"}
    await door.tell(NUMELINK, a_company(record_id="B-1", version=2, siren="732829320", **same))
    await door.tell(CLUSTR, a_company(record_id="12", version=2, siren="732829320", **same))
    assert (await identity(door))["records"] == [ONE]

    await post(door, f"{DECISIONS}/{number}/take-back", {"reason": "one after all"})

    assert (await identity(door, SECOND))["records"] == [ONE, OTHER]


async def test_a_merge_can_be_undone_by_any_id_of_the_member(door, by_evidence):
    assert (await separate(door, ONE, member=SECOND)).status_code == 201
    assert (await identity(door, SECOND))["records"] == [OTHER]


async def test_what_cannot_be_separated(door, by_evidence):
    await door.tell(NUMELINK, a_company("Papeteries du Pilat", record_id="3"))

    async def code(*records: str, member: str = MEMBER) -> tuple[int, str]:
        answer = await separate(door, *records, member=member)
        return answer.status_code, answer.json().get("code") or answer.json()["type"].rpartition(":")[2]

    assert await code(ONE, OTHER) == (422, "nothing-to-separate")
    assert await code("numelink/3") == (422, "not-this-member")
    assert await code(ONE, "numelink/3") == (422, "not-this-member")
    assert await code("numelink/nobody") == (422, "record-unknown")
    assert await code(OTHER, member="nobody") == (404, "member-unknown")
    assert await code() == (422, "invalid-parameters")
    assert (await separate(door, OTHER, reason=" ")).json()["code"] == "reason-missing"
    assert (await identity(door))["records"] == [ONE, OTHER]


async def test_a_removed_record_is_told_apart(door, by_evidence):
    await door.tell(NUMELINK, MemberRemoved(record_id="B-1", version=2))

    published = await identity(door)

    assert (published["records"], published["removed"], published["links"]) == ([ONE], [OTHER], [])
    assert [item["what"] for item in published["items"]] == ["merged"], "it stays with its member, and is not shown"
    await door.tell(CLUSTR, MemberRemoved(record_id="12", version=2))
    assert (await door.get(f"/members/{MEMBER}/identity", role="staff")).status_code == 410


async def test_a_member_that_nobody_knows_has_no_history(door):
    for name in ("x", MEMBER, "%00"):
        assert (await door.get(f"/members/{name}/identity", role="staff")).status_code == 404


@pytest.mark.parametrize("written", ["urn:uuid:{}", "{{{}}}"])
async def test_an_id_may_be_written_in_any_way_of_writing_one(door, by_evidence, written):
    for record in ((CLUSTR, "12"), (NUMELINK, "B-1")):
        plain = own_id(*record)
        for path in ("", "/identity", "/timeline", "/sources", "/overrides"):
            usual = await door.get(f"/members/{plain}{path}", role="staff")
            answer = await door.get(f"/members/{written.format(plain)}{path}", role="staff")
            assert (answer.status_code, answer.json()) == (200, usual.json()), path
        body = {"value": "Givors", "reason": "moved"}
        assert (await door.ask("PUT", f"/members/{written.format(plain)}/fields/city", json=body)).status_code == 200
