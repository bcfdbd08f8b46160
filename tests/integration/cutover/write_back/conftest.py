from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.nodes import Nodes
from tests.integration.cutover.write_back.stories import SYSTEM, USER, cutover, switch, written
from tests.support.builders import a_member
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def own(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership") as own:
        yield own


@pytest.fixture
async def stack(own: OwnService) -> AsyncIterator[OwnService]:
    """Membership runs, and holds one record of Numelink's."""
    await own.empty()
    async with own.running():
        await own.publish_as(USER, a_member(record_id="B-1", name="Forges du Gier", city="Givors", version=7))
        await eventually(lambda: written(own, "B-1", city="Givors"))
        yield own


@pytest.fixture
async def live(stack: OwnService) -> OwnService:
    assert (await cutover("mirror", SYSTEM, "--reason", "a test")).exit_code == 0
    await switch()
    # What the service logs while a command runs in this process would stand in the command's answer.
    await eventually(lambda: stack.column("select true from former_systems where stage = 'live'"))
    return stack
