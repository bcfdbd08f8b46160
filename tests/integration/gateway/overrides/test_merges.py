"""Values that staff set, when members merge and separate, and when two people set them at once."""

import asyncio

from schemas.membership import MemberRemoved
from services.membership.identity.decisions import Signature, confirm
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest, own_id
from tests.integration.gateway.overrides.commands import OURS, THEIRS, history, put, take_back, view
from tests.support.builders import a_member
from tests.support.in_memory import POLICY


async def merge(gateway: GatewayUnderTest) -> int:
    """Say that both are one company; returns the decision's number."""
    async with gateway.engine.begin() as connection:
        uow = MembershipUnitOfWork(connection, POLICY)
        return (await decide.decide(uow, confirm([OURS, THEIRS]), Signature("a test", "because"))).number


async def separate(gateway: GatewayUnderTest, decision: int) -> None:
    async with gateway.engine.begin() as connection:
        await decide.take_back(MembershipUnitOfWork(connection, POLICY), decision, Signature("a test", "because"))


async def test_it_goes_with_its_record_when_members_merge_and_separate(gateway, two):
    ours, theirs = two
    await put(gateway, theirs, "city", "Feurs")
    parted = await view(gateway, ours), await view(gateway, theirs)

    decision = await merge(gateway)

    merged = await view(gateway, ours)
    assert (merged["id"], merged["city"]["value"]) == (ours, "Feurs")
    assert merged["city"]["override"]["on"] == f"{NUMELINK}/B"
    assert [item["value"] for item in await history(gateway, theirs)] == ["Feurs"]
    await separate(gateway, decision)
    assert (await view(gateway, ours), await view(gateway, theirs)) == parted


async def test_it_hangs_on_the_members_first_record_or_on_the_one_that_is_named(gateway, two):
    ours, theirs = two
    decision = await merge(gateway)
    # By the id that was merged away, which still leads there.
    first = await put(gateway, theirs, "city", "Givors")
    named = await put(gateway, theirs, "brand", "Néon+", record=f"{NUMELINK}/B")
    assert (first.json()["member_id"], first.json()["override"]["on"]) == (ours, f"{CLUSTR}/A")
    assert named.json()["override"]["on"] == f"{NUMELINK}/B"

    await separate(gateway, decision)

    assert (await view(gateway, ours))["city"]["value"] == "Givors"
    assert "brand" not in await view(gateway, ours)
    assert (await view(gateway, theirs))["brand"]["value"] == "Néon+"
    assert "override" not in (await view(gateway, theirs))["city"]


async def test_two_that_met_are_taken_back_together_or_one_by_one(gateway, two):
    ours, theirs = two
    await put(gateway, ours, "city", "Givors")
    await put(gateway, theirs, "city", "Feurs")
    await merge(gateway)
    assert (await view(gateway, ours))["city"]["value"] == "Feurs"

    # The older one set anew, so that it is the newest.
    assert (await put(gateway, ours, "city", "Givors")).json()["value"] == "Givors"
    assert (await take_back(gateway, ours, "city", record=f"{CLUSTR}/A")).json()["value"] == "Feurs"
    assert (await take_back(gateway, ours, "city", record=f"{CLUSTR}/A")).status_code == 404

    await put(gateway, ours, "city", "Givors")
    assert "override" not in (await take_back(gateway, ours, "city")).json()
    assert all(item["taken_back"] for item in await history(gateway, ours))


async def test_a_record_of_another_member_is_refused(gateway, two):
    for answer in (
        await put(gateway, two[0], "city", "Givors", record=f"{NUMELINK}/B"),
        await put(gateway, two[0], "city", "Givors", record=f"{NUMELINK}/nobody"),
        await take_back(gateway, two[0], "city", record=f"{NUMELINK}/B"),
    ):
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:traboule:problem:record-not-of-member"
    assert await history(gateway, two[0]) == await history(gateway, two[1]) == []


async def test_a_value_outlives_the_record_that_it_was_set_on_and_goes_with_it_when_it_returns(gateway, two):
    ours, theirs = two
    decision = await merge(gateway)
    await put(gateway, ours, "brand", "Néon+", record=f"{NUMELINK}/B")
    await gateway.feed(NUMELINK, MemberRemoved(record_id="B", version=2))
    assert (await view(gateway, ours))["brand"]["value"] == "Néon+", "it stays until it is taken back"

    await gateway.feed(NUMELINK, a_member(record_id="B", version=3, name="Ateliers Néon"))
    await separate(gateway, decision)

    assert (await view(gateway, theirs))["brand"]["value"] == "Néon+"


async def test_who_is_not_there_or_gone_has_no_fields(gateway, two):
    await gateway.feed(NUMELINK, MemberRemoved(record_id="B", version=2))
    for member, status in ((two[1], 410), (own_id(NUMELINK, "nobody"), 404), ("x", 404)):
        for answer in (
            await put(gateway, member, "city", "Givors"),
            await take_back(gateway, member, "city"),
            await gateway.get(f"/members/{member}/overrides", role="staff"),
        ):
            assert answer.status_code == status, member


async def test_if_match_keeps_what_somebody_else_wrote_meanwhile(gateway, two):
    path = f"/members/{two[0]}/fields/city"
    seen = (await gateway.get(f"/members/{two[0]}")).headers["etag"]
    body = {"value": "Givors", "reason": "moved"}

    first = await gateway.ask("PUT", path, json=body, headers={"if-match": f'"other", {seen}'})
    late = await gateway.ask("PUT", path, json=body | {"value": "Feurs"}, headers={"if-match": seen})
    undone = await gateway.ask("POST", f"{path}/take-back", json={"reason": "back"}, headers={"if-match": seen})

    assert first.status_code == 200
    for refused in (late, undone):
        assert refused.status_code == 412
        assert refused.json()["type"] == "urn:traboule:problem:changed-meanwhile"
        assert refused.headers["etag"] == first.headers["etag"] != seen
    assert (await view(gateway, two[0]))["city"]["value"] == "Givors"
    again = await gateway.ask("PUT", path, json=body | {"value": "Feurs"}, headers={"if-match": first.headers["etag"]})
    assert again.status_code == 200
    back = await gateway.ask("POST", f"{path}/take-back", json={"reason": "back"}, headers={"if-match": "*"})
    assert back.status_code == 200


async def test_a_weak_etag_never_matches(gateway, two):
    seen = (await gateway.get(f"/members/{two[0]}")).headers["etag"]
    answer = await gateway.ask(
        "PUT",
        f"/members/{two[0]}/fields/city",
        json={"value": "Givors", "reason": "moved"},
        headers={"if-match": f"W/{seen}"},
    )
    assert answer.status_code == 412


async def test_of_many_who_saw_the_same_one_wins(gateway, two):
    seen = (await gateway.get(f"/members/{two[0]}")).headers["etag"]

    async def write(number: int) -> int:
        answer = await gateway.ask(
            "PUT",
            f"/members/{two[0]}/fields/city",
            json={"value": f"Ville {number}", "reason": "race"},
            headers={"if-match": seen},
        )
        return answer.status_code

    statuses = await asyncio.gather(*map(write, range(6)))

    assert sorted(statuses) == [200, *[412] * 5]
    assert len(await history(gateway, two[0])) == 1
