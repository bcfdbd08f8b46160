"""Questions while the broker is away, and after it came back. Its broker is its own: a killed one may lose queues."""

import asyncio
from collections.abc import Iterator

import pytest

from deploy.local.nodes import Nodes, local_nodes
from tests.integration.cutover.queries.questions import MIRROR, answers
from tests.integration.cutover.staff import Staff, problem

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with local_nodes(synced=False) as nodes:
        yield nodes


async def test_questions_are_answered_again_after_the_broker_was_away(nodes: Nodes, staff: Staff) -> None:
    if not nodes.owned:
        pytest.skip("the environment names the servers: they are not ours to kill")
    await asyncio.to_thread(nodes.broker.kill)
    try:
        away = await staff.get(MIRROR)
        assert (problem(away), away.json()["service"]) == ((503, "broker-unavailable"), "billing")
    finally:
        await asyncio.to_thread(nodes.broker.start)
    await answers(staff)
