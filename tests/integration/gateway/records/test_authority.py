"""Commands on records are taken while we are the authority, and only then."""

import asyncio
import time
from typing import Any

import pytest

from services.cutover import quarantine
from services.cutover.stages import move
from tests.integration.gateway.gateways import CLUSTR, NUMELINK
from tests.integration.gateway.records.commands import RECORD, audit, change, create, moved, problem, view
from tests.support.builders import a_member


@pytest.mark.parametrize(("moves", "stage"), [([], "legacy"), (["mirror"], "mirror")])
async def test_where_the_former_system_is_the_authority_commands_are_refused(gateway, moves, stage):
    await gateway.feed(NUMELINK, a_member(record_id="B-1", city="Givors"))
    await moved(gateway, *moves)
    shown = (await gateway.get(RECORD)).json()
    assert (shown["stage"], shown["changeable"]) == (stage, False)

    for answer in (
        await change(gateway, {"city": "Feurs"}),
        await create(gateway, {"name": "Néon"}),
        await gateway.ask("POST", f"{RECORD}/end", json={"on": "2026-11-20"}, headers={"if-match": "*"}),
        await gateway.ask("PUT", f"{RECORD}/contact", json={}, headers={"if-match": "*"}),
    ):
        assert problem(answer) == (409, "not-the-authority")
        published = answer.json()
        assert (published["cluster"], published["stage"]) == (NUMELINK, stage)
        assert "traboule cutover switch" in published["detail"]
        assert "Numelink" in published["detail"]
    french = await gateway.ask("POST", f"/records/{NUMELINK}", json={"fields": {}}, headers={"accept-language": "fr"})
    assert "fait autorité" in french.json()["detail"]
    assert await audit(gateway) == []


async def test_a_cluster_of_its_own_stage(live):
    await live.feed(CLUSTR, a_member(record_id="A"))

    assert problem(await create(live, {"name": "Néon"}, CLUSTR)) == (409, "not-the-authority")
    assert problem(await create(live, {"name": "Néon"}, "nobody")) == (404, "cluster-unknown")


async def test_after_the_way_back_commands_are_refused_again_and_retired_ones_go_on(live):
    await moved(live, "rollback")
    assert problem(await change(live, {"city": "Feurs"})) == (409, "not-the-authority")

    await moved(live, "switch", "retire")
    assert (await change(live, {"city": "Feurs"})).json()["stage"] == "retired"


async def test_a_late_word_of_the_former_system_goes_to_quarantine(live):
    await change(live, {"city": "Feurs"})

    ahead = time.time_ns() // 1000 + 300 * 86_400_000_000
    await live.feed(NUMELINK, a_member(record_id="B-1", version=ahead, city="Roanne"))

    assert (await view(live))["city"]["value"] == "Feurs"
    async with live.engine.connect() as connection:
        assert [item.cluster for item in await quarantine.listed(connection)] == [NUMELINK]


async def test_commands_and_switches_at_the_same_time_leave_no_second_writer(live):
    """Each change holds the stage until it commits: whatever was applied was applied before the way back."""
    stop = asyncio.Event()
    back: list[Any] = []

    async def command(number: int) -> list[int]:
        statuses: list[int] = []
        while not stop.is_set():
            answer = await change(live, {"city": f"Ville {number}-{len(statuses)}"}, "*")
            statuses.append(answer.status_code)
        return statuses

    async def switch() -> None:
        try:
            for _ in range(6):
                await asyncio.sleep(0.05)
                async with live.engine.begin() as connection:
                    await move(connection, NUMELINK, "rollback", by="Ops", reason="a test")
                    result = await connection.exec_driver_sql("select max(id) from record_changes")
                    before = result.scalar_one()
                await asyncio.sleep(0.05)
                # While it is theirs nothing of ours is written.
                async with live.engine.begin() as connection:
                    result = await connection.exec_driver_sql("select max(id) from record_changes")
                    back.append((before, result.scalar_one()))
                    await move(connection, NUMELINK, "switch", by="Ops", reason="a test")
        finally:
            stop.set()

    *statuses, _ = await asyncio.gather(command(1), command(2), switch())

    assert {status for item in statuses for status in item} == {200, 409}
    assert [before == after for before, after in back] == [True] * 6
    assert len((await live.get(f"{RECORD}/changes", limit=500)).json()["items"]) == sum(
        status.count(200) for status in statuses
    )


async def test_a_command_waits_for_a_switch_that_is_under_way(live):
    async with live.engine.begin() as connection:
        await move(connection, NUMELINK, "rollback", by="Ops", reason="a test")
        asked = asyncio.create_task(change(live, {"city": "Feurs"}, "*"))
        done, _ = await asyncio.wait({asked}, timeout=0.3)
        assert not done

    assert problem(await asked) == (409, "not-the-authority")
