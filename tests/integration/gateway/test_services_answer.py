"""Each service answers the gateway's queries: four processes, one broker, and HTTP at the front."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from deploy.local.local_services import LocalServices
from schemas.base import Fact
from shared.persistence.database import create_engine
from tests.support.builders import a_mailing, an_event, an_invoice
from tests.support.keys import create_key
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def key(stack: LocalServices) -> str:
    return asyncio.run(_made(stack))


async def _made(stack: LocalServices) -> str:
    engine = create_engine(stack.env["TRABOULE_MEMBERSHIP_DATABASE_URL"], application="test", pool_size=1)
    async with engine.begin() as connection:
        made = await create_key(connection, "a test", "staff", 1)
    await engine.dispose()
    return made


@pytest.mark.parametrize(
    ("service", "kind", "fact"),
    [("billing", "invoice", an_invoice()), ("events", "event", an_event()), ("communications", "mailing", a_mailing())],
)
async def test_what_each_service_mirrors_is_told(
    stack: LocalServices, publish_as: Callable[..., Awaitable[str]], key: str, service: str, kind: str, fact: Fact
) -> None:
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(base_url=stack.url("membership"), headers=headers) as client:

        async def counts() -> dict[str, Any]:
            answer = await client.get(f"/{service}/mirror", params={"cluster": "numelink"})
            assert answer.status_code == 200, answer.text
            assert answer.json()["service"] == service
            return {each["cluster"]: each for each in answer.json()["items"]}

        before = (await counts()).get("numelink", {"records": {}})["records"].get(kind, 0)
        await publish_as(f"numelink.{service}", fact)

        async def one_more() -> bool:
            numelink = (await counts()).get("numelink", {"records": {}})
            return numelink["records"].get(kind) == before + 1 and numelink["newest_received_at"] is not None

        await eventually(one_more)
