"""The door while every consumer waits for its turn, as during a rebuild."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from time import monotonic

import asyncpg
import httpx2
import pytest

from deploy.local.nodes import Nodes
from services.membership.records.repository import LOCK
from shared.process.service import Service
from tests.integration.gateway.gateways import NUMELINK, lifespan, own_id
from tests.support.builders import a_member
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.keys import create_key
from tests.support.waiting import eventually

READY, DECISIONS, FIRST = "/health/ready", "/duplicates/decisions", f"/members/{own_id(NUMELINK, 'B-1')}"


@pytest.fixture
def own_membership(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership") as own:
        yield own


@asynccontextmanager
async def somebody_has_the_turn(own: OwnService) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(own.env["TRABOULE_MEMBERSHIP_DATABASE_URL"], timeout=10)
    try:
        async with connection.transaction():
            await connection.execute(LOCK)
            yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def every_lane_waits(service: Service, holder: asyncpg.Connection) -> AsyncIterator[None]:
    async def wait() -> None:
        async with service.engine.begin() as connection:
            await connection.exec_driver_sql(LOCK)

    async def all_wait() -> bool:
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        return await holder.fetchval(waiting) >= len(service.bus.lanes)

    lanes = [asyncio.create_task(wait()) for _ in service.bus.lanes]
    try:
        await eventually(all_wait)
        yield
    finally:
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


@asynccontextmanager
async def a_client(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    async with service.engine.begin() as connection:
        key = await create_key(connection, "a test", "staff", 10)
    headers = {"authorization": f"Bearer {key}"}
    transport = httpx2.ASGITransport(service.http)
    async with (
        lifespan(service.http),
        httpx2.AsyncClient(transport=transport, base_url="http://door", headers=headers) as client,
    ):
        yield client


async def test_the_service_stays_ready_and_readable_and_says_that_changes_must_wait(own_membership: OwnService) -> None:
    body = {"verdict": "same", "records": ["numelink/B-1", "clustr-numerique/12"], "reason": "one office"}
    async with own_membership.running() as service, a_client(service) as client:
        await own_membership.publish_as("numelink.membership", a_member(record_id="B-1"))

        async def exists() -> bool:
            return (await client.get(FIRST)).status_code == 200

        await eventually(exists)
        async with somebody_has_the_turn(own_membership) as holder, every_lane_waits(service, holder):
            ready = await client.get(READY)
            assert (ready.status_code, ready.json()["checks"]["database"]) == (200, True), ready.text
            assert (await client.get(FIRST)).status_code == 200

            began = monotonic()
            answers = await asyncio.gather(*(client.post(DECISIONS, json=body) for _ in range(8)))
            assert monotonic() - began < 5.5
            for answer in answers:
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
                assert answer.json()["type"] == "urn:traboule:problem:changes-under-way"
            assert (await client.get(READY)).status_code == 200
            assert (await client.get(FIRST)).status_code == 200

            (first, second) = (
                await client.post(DECISIONS, json={"decisions": [body, body | {"verdict": "different"}]})
            ).json()["results"]
            assert {first["status"], second["status"]} == {503}
        assert (await client.post(DECISIONS, json=body)).status_code == 422  # the other record is not there
