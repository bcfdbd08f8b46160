"""What comparisons found, over HTTP: listed by what it is, accepted and opened again, given to somebody."""

from typing import Any

from tests.integration.cutover.differences import a_difference, compared, id_of
from tests.integration.cutover.staff import BILLING, Staff, problem

PARITY = f"/cutover/{BILLING}/parity"
FIRST, SECOND, THIRD = map(id_of, ("F1", "F2", "P1"))


async def found(staff: Staff) -> None:
    """An invoice that differs, one that is missing, a payment that somebody has."""
    payment = a_difference("P1", kind="payment", fields=["amount", "paid_on"], owner="trésorerie")
    await compared(staff.billing, a_difference("F1"), a_difference("F2", "missing-here", fields=[], here=None), payment)


async def listed(staff: Staff, query: str, role: str = "staff") -> list[str]:
    answer = await staff.get(f"{PARITY}?{query}", role=role)
    assert answer.status_code == 200, answer.text
    return [each["item_id"] for each in answer.json()["differences"]]


async def decide(staff: Staff, way: str, *ids: str, role: str = "treasurer", **rest: Any) -> Any:
    headers = {"idempotency_key": rest.pop("key")} if "key" in rest else {}
    reason = {} if way == "assign" else {"reason": "rounded there"}
    return await staff.ask("POST", f"{PARITY}/{way}", {"differences": ids, **reason, **rest}, role=role, **headers)


async def test_differences_are_filtered_and_come_page_by_page(staff: Staff) -> None:
    await found(staff)
    whole = (await staff.get(PARITY, role="staff")).json()
    assert (whole["open"], whole["accepted"], whole["matching"], whole["clean"]) == (3, 0, 3, False)
    assert whole["choices"] == {
        "kinds": ["invoice", "payment"], "fields": ["amount", "label", "paid_on"], "owners": ["trésorerie"],
    }  # fmt: skip
    assert [each["id"] for each in whole["differences"]] == [SECOND, FIRST, THIRD]

    assert await listed(staff, "kind=payment") == ["P1"]
    assert await listed(staff, "what=missing-here") == ["F2"]
    assert await listed(staff, "field=paid_on") == ["P1"]
    assert await listed(staff, "owner=tr%C3%A9sorerie") == ["P1"]
    assert await listed(staff, "unowned=true") == ["F2", "F1"]
    assert await listed(staff, "state=accepted") == []
    assert await listed(staff, "kind=payment&what=missing-here") == []
    assert problem(await staff.get(f"{PARITY}?what=strange")) == (422, "invalid-parameters")

    page = (await staff.get(f"{PARITY}?limit=2")).json()
    assert (len(page["differences"]), page["matching"], page["next"]) == (2, 3, 2)
    rest = (await staff.get(f"{PARITY}?limit=2&after=2")).json()
    assert ([each["item_id"] for each in rest["differences"]], rest["next"]) == (["P1"], None)
    beyond = (await staff.get(f"{PARITY}?after=50")).json()
    assert (beyond["differences"], beyond["matching"], beyond["next"]) == ([], 3, None)


async def test_values_are_for_whom_may_read_persons(staff: Staff) -> None:
    await found(staff)
    (seen,) = (await staff.get(f"{PARITY}?what=different&kind=invoice", role="staff")).json()["differences"]
    assert (seen["there"], seen["here"]) == ({"label": "there"}, {"label": "here"})
    (blind,) = (await staff.get(f"{PARITY}?what=different&kind=invoice", role="operator")).json()["differences"]
    assert (blind["there"], blind["here"], blind["fields"]) == (None, None, ["label"])


async def test_many_are_accepted_and_opened_again_with_a_reason(staff: Staff) -> None:
    await found(staff)
    accepted = (await decide(staff, "accept", FIRST, SECOND[:6], author=None)).json()
    assert (sorted(accepted["changed"]), accepted["open"], accepted["accepted"]) == (sorted((FIRST, SECOND)), 1, 2)
    assert await listed(staff, "state=open") == ["P1"]
    shown = (await staff.get(f"{PARITY}?state=accepted", role="staff")).json()["differences"]
    assert {each["accepted"]["reason"] for each in shown} == {"rounded there"}
    assert {each["accepted"]["by"] for each in shown} == {"a treasurer"}

    # The other one is open, and stays so: they were decided together.
    refused = await decide(staff, "accept", FIRST, THIRD)
    assert problem(refused) == (409, "difference-not-open")
    assert FIRST in refused.json()["detail"]
    assert THIRD not in refused.json()["detail"]
    assert await listed(staff, "state=open") == ["P1"]

    back = (await decide(staff, "take-back", FIRST)).json()
    assert (back["changed"], back["open"], back["accepted"]) == ([FIRST], 2, 1)
    assert problem(await decide(staff, "take-back", FIRST)) == (409, "difference-not-accepted")
    kept = await staff.billing.column("select taken_back_by from parity_acceptances where taken_back_at is not null")
    assert kept == ["a treasurer"]
    kept = await staff.stack.query(
        "select permission, about, cluster, outcome, reason from access_audit where about like $1 order by at",
        "operation:billing:%",
    )
    assert kept[0] == {
        "permission": "decide-late-billing", "about": "operation:billing:accept-differences", "cluster": "numelink",
        "outcome": "asked", "reason": "rounded there",
    }  # fmt: skip
    assert [each["about"].rpartition(":")[2] for each in kept[1:3]] == ["accept-differences", "take-back-acceptances"]


async def test_the_same_request_twice_is_done_once(staff: Staff) -> None:
    await found(staff)
    first = await decide(staff, "accept", FIRST, key="once")
    again = await decide(staff, "accept", FIRST, key="once")
    assert (first.status_code, again.json()) == (200, first.json())
    assert len(await staff.billing.column("select digest from parity_acceptances")) == 1
    assert problem(await decide(staff, "accept", SECOND, key="once")) == (422, "idempotency-key-reused")


async def test_what_is_not_there_or_not_clear_is_refused(staff: Staff) -> None:
    assert problem(await decide(staff, "accept", FIRST)) == (404, "never-compared")
    assert problem(await decide(staff, "accept", FIRST, subject="rehearsal")) == (404, "never-rehearsed")
    assert problem(await staff.get(f"{PARITY}?subject=rehearsal")) == (404, "never-rehearsed")
    await found(staff)
    assert problem(await decide(staff, "accept", FIRST, "00000000")) == (404, "difference-unknown")
    for wrong in ("xyz", "F1", "a" * 33):
        assert problem(await decide(staff, "accept", wrong)) == (422, "invalid-parameters")
    assert problem(await decide(staff, "accept")) == (422, "invalid-parameters")
    assert problem(await decide(staff, "assign", FIRST, owner="\n")) == (422, "invalid-parameters")
    assert problem(await decide(staff, "assign", FIRST)) == (422, "invalid-parameters")
    await staff.billing.query(
        "update parity_differences set digest = 'abcd' || substr(digest, 5) where kind = 'invoice'"
    )
    ambiguous = await decide(staff, "accept", "abcd")
    assert problem(ambiguous) == (409, "difference-ambiguous")
    # What an older comparison found is decided no more.
    await compared(staff.billing, a_difference("F9"))
    assert problem(await decide(staff, "accept", FIRST)) == (404, "difference-unknown")
    assert await staff.billing.column("select digest from parity_acceptances") == []


async def test_billings_are_the_treasurers_and_only_of_the_own_cluster(staff: Staff) -> None:
    await found(staff)
    for role in ("staff", "operator", "reader"):
        for way, rest in (("accept", {}), ("take-back", {}), ("assign", {"owner": "me"})):
            assert problem(await decide(staff, way, FIRST, role=role, **rest)) == (403, "right-missing")
    elsewhere = await decide(staff, "accept", FIRST, role="treasurer@clustr-numerique")
    assert problem(elsewhere) == (403, "cluster-not-yours")
    assert (await decide(staff, "accept", FIRST, role="treasurer@numelink")).status_code == 200
    others = await staff.ask("POST", PARITY.replace("billing", "membership") + "/accept",
                             {"differences": [FIRST], "reason": "x"}, role="treasurer")  # fmt: skip
    assert problem(others) == (403, "right-missing")
    assert problem(await staff.get(f"{PARITY}/runs", role="reader")) == (403, "right-missing")


async def test_somebody_sees_to_differences_and_then_nobody(staff: Staff) -> None:
    await found(staff)
    mine = (await decide(staff, "assign", FIRST, SECOND, owner="me")).json()
    assert sorted(mine["changed"]) == sorted((FIRST, SECOND))
    assert await listed(staff, "owner=a%20treasurer") == ["F2", "F1"]
    assert (await decide(staff, "assign", FIRST, owner="a treasurer")).json()["changed"] == []
    # A name is a name, whatever it looks like.
    await decide(staff, "assign", SECOND, owner="Zoé <b>")
    assert await listed(staff, "owner=Zo%C3%A9%20%3Cb%3E") == ["F2"]
    assert (await decide(staff, "assign", FIRST, SECOND, THIRD, owner=None)).json()["open"] == 3
    assert await listed(staff, "unowned=true") == ["F2", "F1", "P1"]


async def test_the_rehearsals_differences_are_their_own(staff: Staff) -> None:
    await found(staff)
    await compared(staff.billing, a_difference("R1", kind="periods"), subject="rehearsal")
    shown = (await staff.get(f"{PARITY}?subject=rehearsal", role="staff")).json()
    assert ([each["item_id"] for each in shown["differences"]], shown["subject"]) == (["R1"], "rehearsal")
    assert problem(await decide(staff, "accept", id_of("R1"))) == (404, "difference-unknown")
    accepted = (await decide(staff, "accept", id_of("R1"), subject="rehearsal")).json()
    assert (accepted["subject"], accepted["open"], accepted["accepted"]) == ("rehearsal", 0, 1)
    assert len(await listed(staff, "state=open")) == 3


async def test_comparisons_over_time_by_subject(staff: Staff) -> None:
    assert (await staff.get(f"{PARITY}/runs")).json()["items"] == []
    for days_ago, counts in ((120, (9, 9)), (60, (4, 0)), (3, (1, 3))):
        await compared(staff.billing, days_ago=days_ago, counts=counts)
    await compared(staff.billing, subject="rehearsal", counts=(7, 0))
    told = (await staff.get(f"{PARITY}/runs", role="operator")).json()
    assert (told["system"], told["subject"]) == (BILLING, "mirror")
    assert [(each["open"], each["accepted"]) for each in told["items"]] == [(1, 3), (4, 0)]
    assert (told["items"][0]["by"], told["items"][0]["source"]) == ("zoé", ["export.csv"])
    assert len((await staff.get(f"{PARITY}/runs?days=365")).json()["items"]) == 3
    assert len((await staff.get(f"{PARITY}/runs?limit=1")).json()["items"]) == 1
    rehearsed = (await staff.get(f"{PARITY}/runs?subject=rehearsal")).json()
    assert [each["open"] for each in rehearsed["items"]] == [7]
    assert problem(await staff.get(f"{PARITY}/runs?days=0")) == (422, "invalid-parameters")
    assert problem(await staff.get(f"{PARITY}/runs?colour=red")) == (422, "invalid-parameters")
