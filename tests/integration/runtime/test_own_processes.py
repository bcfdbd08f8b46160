"""Membership as two processes: one has the messages, one the gateway."""

import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import orjson
import pytest

from deploy.local.local_services import LocalServices
from services.membership.records.record import RecordKey
from shared.persistence.database import create_engine
from tests.support.builders import a_member, unique
from tests.support.keys import create_key
from tests.support.waiting import eventually

pytestmark = pytest.mark.servers
CLUSTER = "numelink"


@pytest.fixture(scope="module")
def parts(stack: LocalServices) -> Iterator[dict[str, str]]:
    """Both, beside the services that run: their addresses by what they are."""
    names = {only: stack.start_replica("membership", only=only) for only in ("messages", "http")}
    yield {only: stack.url(name) for only, name in names.items()}
    for name in names.values():
        stack.stop(name)
        assert stack.exit_code(name) == 0


def asked(url: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, orjson.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, {}


def test_each_is_ready_by_what_it_has(parts: dict[str, str]) -> None:
    assert set(asked(parts["http"] + "/health/ready")[1]["checks"]) == {"database"}
    assert set(asked(parts["messages"] + "/health/ready")[1]["checks"]) == {"database", "broker", "consumers", "relay"}
    assert (asked(parts["http"] + "/members")[0], asked(parts["messages"] + "/members")[0]) == (401, 404)


async def test_what_one_consumes_the_other_shows_and_what_one_asks_the_other_sends(
    parts: dict[str, str], stack: LocalServices, publish_as: Callable[..., Awaitable[str]]
) -> None:
    record_id = unique()
    engine = create_engine(stack.env["TRABOULE_MEMBERSHIP_DATABASE_URL"], application="test", pool_size=1)
    async with engine.begin() as connection:
        key = await create_key(connection, "parts", "admin", 1)
    await engine.dispose()
    # The process that is both is away, so nobody but the two can have done it.
    stack.stop("membership")
    try:
        async with httpx2.AsyncClient(base_url=parts["http"], headers={"authorization": f"Bearer {key}"}) as client:
            await publish_as(f"{CLUSTER}.membership", a_member(record_id=record_id))
            address = f"/members/{RecordKey(CLUSTER, record_id).own_id}"

            async def shown() -> bool:
                return (await client.get(address)).status_code == 200

            await eventually(shown, 30)
            asked_at = time.monotonic()
            answer = await client.post("/cutover/backups", json={"note": "parts"})
            assert (answer.status_code, time.monotonic() - asked_at < 4) == (200, True), answer.text
    finally:
        stack.start("membership")
