"""A program that recognises otherwise than the one before waits for the rebuild, and loses nothing meanwhile."""

import asyncio
from collections.abc import Iterator

import pytest

from deploy.local.nodes import Nodes
from tests.support.builders import a_member
from tests.support.command import traboule
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def own(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership") as own:
        yield own


async def test_messages_wait_in_hand_until_everything_is_rebuilt(own: OwnService) -> None:
    await own.empty()

    async def shown() -> list[str]:
        return await own.column("select summary ->> 'name' from views order by 1")

    async with own.running() as service:
        await own.publish_as("numelink.membership", a_member(record_id="1", name="Avant"))
        await eventually(lambda: _is(shown(), ["Avant"]))
        await own.query("update match_state set weights = weights - 1")
        await own.publish_as("numelink.membership", a_member(record_id="2", name="Pendant"))
        await eventually(lambda: _true(any(lane.paused for lane in service.bus.lanes)))
        await asyncio.sleep(2.5)
        assert await shown() == ["Avant"]
        assert await own.parked() == []

        with own.environment():
            answer = await traboule("rebuild", "--if-needed")
        assert "1 source records computed anew" in answer.out
        await eventually(lambda: _is(shown(), ["Avant", "Pendant"]))
        assert await own.parked() == []
        with own.environment():
            assert "is up to date" in (await traboule("rebuild", "--if-needed")).out


async def _is(result: object, wanted: list[str]) -> bool:
    return await result == wanted  # type: ignore[misc]


async def _true(value: bool) -> bool:
    return value
