"""A merge raises a conflict to the service that must resolve it, and that service answers."""

from typing import Any

import pytest

from schemas.membership import Overlap
from tests.support.command import traboule
from tests.support.in_process import OwnService
from tests.support.merging import Speaker, a_conflict, gathering, year
from tests.support.waiting import eventually

pytestmark = pytest.mark.parametrize("any_stack", ["billing", "events"], indirect=True)
OWNERS = {"billing": "tresorerie", "events": "evenements"}


def twice(stack: OwnService, which: int = 1) -> Overlap:
    return year(2025 + which) if stack.name == "billing" else gathering("Apéro", registration=f"R{which}")


async def text(membership: Speaker, version: int, *overlaps: Overlap) -> None:
    await membership.publishes(a_conflict(version, *overlaps, service=membership.stack.name))


async def answer(stack: OwnService) -> dict[str, Any]:
    """The next answer, without the time."""
    (event,) = await stack.heard(1)
    assert event["type"] == f"fr.traboule.{stack.name}.conflict-answered.v1"
    assert event["source"] == f"/traboule/{stack.name}"
    del event["data"]["changed_at"], event["data"]["conflict_id"]
    return event["data"]


async def held(stack: OwnService, **expected: Any) -> None:
    async def so() -> bool:
        rows = await stack.query(f"select {', '.join(expected)} from merge_conflicts")
        assert rows == [expected]
        return True

    await eventually(so)


async def test_a_conflict_is_raised_with_its_owner_and_is_gone_after_the_unmerge(membership: Speaker) -> None:
    service, owner = membership.stack, OWNERS[membership.stack.name]
    await text(membership, 1, twice(service))
    assert await answer(service) == {"version": 1, "owner": owner, "state": "open"}
    await text(membership, 2)
    assert await answer(service) == {"version": 2, "owner": owner, "state": "gone"}
    await held(service, state="gone", owner=owner, version=2, held_twice="[]")


async def test_another_owner_may_be_configured(silent: Speaker) -> None:
    async with silent.stack.running(conflict_owner="la Loire"):
        await text(silent, 1, twice(silent.stack))
        assert (await answer(silent.stack))["owner"] == "la Loire"


async def test_what_is_for_another_service_is_none_of_this_ones_business(membership: Speaker) -> None:
    service = membership.stack
    other = "events" if service.name == "billing" else "billing"
    await membership.publishes(a_conflict(1, twice(service), service=other, conflict_id="other"))
    await text(membership, 1, twice(service))
    await answer(service)
    assert await service.column("select conflict_id from merge_conflicts") != ["other"]


async def test_the_same_again_after_settling_stays_settled_and_something_else_opens_it(membership: Speaker) -> None:
    service = membership.stack
    await text(membership, 1, twice(service))
    await answer(service)
    settled = await traboule(
        "conflicts", "settle", f"{service.name}:{service.name}", "--reason", "remboursé", "--by", "Zoé"
    )
    assert (settled.exit_code, settled.err) == (0, "")
    assert (await answer(service))["state"] == "settled"

    await text(membership, 2)
    assert (await answer(service))["state"] == "gone"
    await text(membership, 3, twice(service))
    assert await answer(service) == {"version": 4, "owner": OWNERS[service.name], "state": "settled"}
    await held(service, settled_by="Zoé", settled_reason="remboursé", state="settled")

    await text(membership, 4, twice(service), twice(service, 2))
    assert await answer(service) == {"version": 5, "owner": OWNERS[service.name], "state": "open"}


async def test_an_owner_outlives_the_conflict(membership: Speaker) -> None:
    service = membership.stack
    await text(membership, 1, twice(service))
    await answer(service)
    await traboule("conflicts", "assign", f"{service.name}:{service.name}", "--to", "Loire")
    assert (await answer(service))["owner"] == "Loire"
    await text(membership, 2)
    assert (await answer(service))["owner"] == "Loire"
    await text(membership, 3, twice(service))
    assert await answer(service) == {"version": 4, "owner": "Loire", "state": "open"}


async def test_an_older_fact_that_comes_late_is_not_answered(membership: Speaker) -> None:
    service = membership.stack
    await text(membership, 2)
    assert (await answer(service))["state"] == "gone"
    await text(membership, 1, twice(service))

    async def both_came() -> bool:
        return await service.column("select count(*) from inbox") == [2]

    await eventually(both_came)
    await held(service, version=2, state="gone", answers=1)
    assert await service.column("select count(*) from outbox") == [0]
