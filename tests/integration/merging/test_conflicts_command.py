"""What staff do with conflicts, by the command that they type."""

import getpass
from typing import Any

import pytest

from tests.support.command import traboule
from tests.support.in_process import OwnService
from tests.support.merging import Speaker, a_conflict, member, year

pytestmark = pytest.mark.parametrize("any_stack", ["billing"], indirect=True)
FIRST, SECOND = "aaaa0123456789abcdef", "aabb0123456789abcdef"


@pytest.fixture
async def billing(membership: Speaker) -> OwnService:
    """Two conflicts are open."""
    await membership.publishes(*(a_conflict(1, year(2026), conflict_id=name) for name in (FIRST, SECOND)))
    await membership.stack.heard(2)
    return membership.stack


async def answers(billing: OwnService, count: int = 1) -> list[tuple[str, str, str]]:
    published = [event["data"] for event in await billing.heard(count)]
    return sorted((data["conflict_id"], data["owner"], data["state"]) for data in published)


async def test_the_list_shows_what_is_there_twice_and_names_each(billing: OwnService) -> None:
    rows = (await traboule("conflicts", "list", "--json")).json
    assert [row["id"] for row in rows] == [f"billing:{FIRST[:12]}", f"billing:{SECOND[:12]}"]
    assert {"service": "billing", "kind": "paid-twice", "state": "open", "owner": "tresorerie"}.items() <= rows[
        0
    ].items()
    printed = (await traboule("conflicts", "list")).out
    for words in (rows[0]["id"], "tresorerie", "numelink/1042", "2026-01-01 to 2026-12-31"):
        assert words in printed


async def test_the_list_can_be_of_one_owner_or_state(billing: OwnService) -> None:
    await traboule("conflicts", "assign", f"billing:{FIRST}", "--to", "Loire")
    await traboule("conflicts", "settle", f"billing:{SECOND}", "--reason", "refunded")

    async def ids(*options: str) -> list[str]:
        return [row["conflict_id"] for row in (await traboule("conflicts", "list", "--json", *options)).json]

    assert await ids() == [FIRST]
    assert await ids("--owner", "Loire") == [FIRST]
    assert await ids("--owner", "Isère") == []
    assert await ids("--state", "settled") == [SECOND]
    assert await ids("--state", "all", "--service", "billing") == [FIRST, SECOND]
    assert "no gone conflicts" in (await traboule("conflicts", "list", "--state", "gone")).out


async def test_one_is_shown_with_its_history(billing: OwnService) -> None:
    await traboule("conflicts", "assign", "billing:aaaa", "--to", "Loire", "--by", "Max")
    await traboule("conflicts", "settle", "billing:aaaa", "--reason", "remboursé le 3", "--by", "Zoé")
    shown = (await traboule("conflicts", "show", "billing:aaaa", "--json")).json
    assert (shown["conflict_id"], shown["state"], shown["settled_by"]) == (FIRST, "settled", "Zoé")
    assert shown["member_id"] == member("X")
    assert [step["what"] for step in shown["history"]] == ["raised", "assigned", "settled"]
    printed = (await traboule("conflicts", "show", "billing:aaaa")).out
    for words in ("invoice F1-2026 of clustr-numerique/cn-118", "assigned · to Loire · by Max", "remboursé le 3"):
        assert words in printed


async def test_each_decision_is_announced_and_written_with_its_author(billing: OwnService) -> None:
    assigned = await traboule("conflicts", "assign", "billing:aaaa", "billing:aabb", "--to", "Loire")
    assert (assigned.exit_code, assigned.out) == (0, f"billing:{FIRST[:12]} assigned\nbilling:{SECOND[:12]} assigned\n")
    assert await answers(billing, 2) == [(FIRST, "Loire", "open"), (SECOND, "Loire", "open")]

    settled = await traboule("conflicts", "settle", "billing:aaaa", "--reason", "refunded", "--json")
    assert settled.json == {"settled": [f"billing:{FIRST[:12]}"]}
    assert await answers(billing) == [(FIRST, "Loire", "settled")]
    assert await billing.column("select settled_by from merge_conflicts where state = 'settled'") == [getpass.getuser()]

    reopened = await traboule("conflicts", "reopen", "billing:aaaa", "--reason", "it bounced", "--by", "Zoé")
    assert (reopened.exit_code, reopened.out) == (0, f"billing:{FIRST[:12]} reopened\n")
    assert await answers(billing) == [(FIRST, "Loire", "open")]
    (history,) = await billing.column("select history->-1 from merge_conflicts where conflict_id = $1", FIRST)
    assert '"by": "Zoé"' in history


async def test_who_has_it_already_keeps_it_and_nothing_is_announced(billing: OwnService) -> None:
    answer = await traboule("conflicts", "assign", "billing:aaaa", "--to", "tresorerie")
    assert (answer.exit_code, answer.out) == (0, "billing: nothing to change\n")
    assert await billing.column("select answers from merge_conflicts where conflict_id = $1", FIRST) == [1]


async def test_of_several_all_are_settled_or_none(billing: OwnService) -> None:
    await traboule("conflicts", "settle", "billing:aabb", "--reason", "refunded", "--by", "Zoé")
    answer = await traboule("conflicts", "settle", "billing:aaaa", "billing:aabb", "--reason", "refunded")
    assert answer.exit_code == 2
    assert f"billing:{SECOND[:12]}: it was settled by Zoé" in answer.err
    assert "Nothing was done" in answer.err
    assert await billing.column("select state from merge_conflicts where conflict_id = $1", FIRST) == ["open"]


async def test_one_that_is_gone_cannot_be_settled_but_can_be_given(billing: OwnService, membership: Speaker) -> None:
    await membership.publishes(a_conflict(2, conflict_id=FIRST))
    assert await answers(billing) == [(FIRST, "tresorerie", "gone")]
    answer = await traboule("conflicts", "settle", "billing:aaaa", "--reason", "refunded")
    assert (answer.exit_code, "it is gone" in answer.err) == (2, True)
    assert (await traboule("conflicts", "assign", "billing:aaaa", "--to", "Loire")).exit_code == 0
    assert await answers(billing) == [(FIRST, "Loire", "gone")]


async def test_an_id_that_begins_another_is_found_by_its_whole_self(billing: OwnService, membership: Speaker) -> None:
    await membership.publishes(a_conflict(1, year(2026), conflict_id=f"{FIRST}0"))
    await billing.heard(1)
    assert (await traboule("conflicts", "show", f"billing:{FIRST}", "--json")).json["conflict_id"] == FIRST


@pytest.mark.parametrize(
    ("arguments", "exit_code", "text"),
    [
        (["settle", "billing:aaaa"], 2, "Missing option '--reason'"),
        (["settle", "billing:aaaa", "--reason", " "], 2, "--reason must be 1 to 2,000 characters"),
        (["assign", "billing:aaaa", "--to", "x" * 201], 2, "--to must be 1 to 200 characters"),
        (["assign", "billing:aaaa", "--to", "a\x1b[31mb"], 2, "--to must be 1 to 200 characters"),
        (["assign", "billing:aaaa", "--to", "Loire", "--by", " "], 2, "--by must be 1 to 200 characters"),
        (["assign", "billing:aaaa", "--to", "\udcff"], 2, "--to must be 1 to 200 characters"),
        (["settle", "billing:aa", "--reason", "r"], 2, f"several conflicts begin with billing:aa: billing:{FIRST}"),
        (["settle", "billing:zz", "--reason", "r"], 1, "there is no conflict billing:zz"),
        (["show", "billing:%"], 1, "there is no conflict billing:%"),
        (["show", "aaaa"], 2, "billing:b3a1c0de5f6a"),
        (["show", "billing:"], 2, "billing:b3a1c0de5f6a"),
        (["show", "membership:aaaa"], 2, "billing:b3a1c0de5f6a"),
        (["reopen", "billing:aaaa"], 2, "it is open"),
        (["list", "--owner", "a\0b"], 2, "--owner must be 1 to 200 characters"),
        (["list", "--state", "lost"], 2, "--state is one of"),
        (["list", "--service", "membership"], 2, "'membership' resolves no conflicts"),
    ],
    ids=lambda value: ascii(" ".join(value))[:40] if isinstance(value, list) else "",
)
async def test_what_cannot_be_done_is_said_clearly_and_changes_nothing(
    billing: OwnService, arguments: list[str], exit_code: int, text: str
) -> None:
    before = await _all(billing)
    answer = await traboule("conflicts", *arguments)
    assert (answer.exit_code, answer.out) == (exit_code, "")
    assert text in " ".join(answer.err.replace("│", " ").split())
    assert await _all(billing) == before


async def _all(billing: OwnService) -> list[dict[str, Any]]:
    return await billing.query("select * from merge_conflicts order by conflict_id")
