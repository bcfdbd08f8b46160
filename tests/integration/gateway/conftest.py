import asyncio
from collections.abc import AsyncIterator, Iterator
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import migrations_folder
from services.gateway.public import checkin, gatherings, links, unsubscribe
from services.gateway.public.limits import RateLimit
from shared.persistence.migrations import upgrade
from tests.integration.gateway.gateways import GatewayUnderTest, open_gateway
from tests.support.emptying import EMPTY


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def database_url(nodes: Nodes) -> Iterator[str]:
    """A migrated database of membership alone."""
    name = f"door_{token_hex(4)}"
    asyncio.run(_run(nodes.database.url, f"create database {name}"))
    url = urlunsplit(urlsplit(nodes.database.url)._replace(path=f"/{name}"))
    upgrade(migrations_folder("membership"), url)
    yield url
    asyncio.run(_run(nodes.database.url, f"drop database {name} with (force)"))


@pytest.fixture
async def gateway(database_url: str) -> AsyncIterator[GatewayUnderTest]:
    """The door over an empty house."""
    await _run(database_url, EMPTY)
    async with open_gateway(database_url) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def rested_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test uses up the room of the next: they all come from one address, and some by one link."""
    for pages in (checkin, gatherings, links, unsubscribe):
        limits = {name: limit for name, limit in vars(pages).items() if isinstance(limit, RateLimit)}
        for name, limit in limits.items():
            monkeypatch.setattr(pages, name, RateLimit(limit.burst, limit.per_second))
