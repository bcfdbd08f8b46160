"""While the broker is away the door reads on, and whoever asks after the house is told what is missing."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.local_services import LocalServices
from deploy.local.nodes import Nodes
from deploy.local.runs import Run
from deploy.provisioning.provision import Provisioned
from tests.support.builders import a_member
from tests.support.command import traboule
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def own(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership") as own:
        yield own


def asked(url: str, key: str = "") -> tuple[int, Any]:
    """The status, and what was answered."""
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {key}"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


@pytest.mark.faults
async def test_a_door_whose_broker_is_away_is_ready_to_read_and_one_whose_database_is_away_is_not(
    nodes: Nodes, own: OwnService, tmp_path: Path
) -> None:
    with Run() as run, own.environment() as patch:
        services = LocalServices(run, Provisioned(dict(own.env), {}), tmp_path, ["membership"])
        await asyncio.to_thread(services.start, "membership")
        for name, value in services.env.items():
            patch.setenv(name, value)
        gateway = services.url("membership")
        key = (await traboule("keys", "create", "--name", "the website", "--role", "reader", "--json")).json["key"]
        await own.publish_as("numelink.membership", a_member(record_id="1", name="Ateliers Martin"))

        async def read() -> bool:
            status, page = await asyncio.to_thread(asked, f"{gateway}/members", key)
            return status == 200 and [item["name"] for item in page["items"]] == ["Ateliers Martin"]

        await eventually(read)
        await asyncio.to_thread(nodes.broker.kill)
        try:

            async def told() -> bool:
                status, body = await asyncio.to_thread(asked, f"{gateway}/health/ready")
                assert (status, body["status"]) == (200, "ready")
                return body["checks"]["database"] and not body["checks"]["broker"]

            await eventually(told)
            assert await read()
            assert not services.ready("membership"), "who waits for all of its parts still waits"
            assert "membership: its broker check fails" in (await traboule("status")).out
        finally:
            await asyncio.to_thread(nodes.broker.start)
        await eventually(lambda: asyncio.to_thread(services.ready, "membership"), 30)

        await asyncio.to_thread(nodes.database.kill)
        try:

            async def turned_away() -> bool:
                status, body = await asyncio.to_thread(asked, f"{gateway}/health/ready")
                return (status, body["checks"]["database"]) == (503, False)

            await eventually(turned_away)
        finally:
            await asyncio.to_thread(nodes.database.start)
        await eventually(lambda: asyncio.to_thread(services.ready, "membership"), 30)
        services.close()
