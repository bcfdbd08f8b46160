import asyncio
from collections.abc import AsyncIterator, Iterator
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import migrations_folder
from services.membership.tables import metadata
from shared.persistence.migrations import upgrade
from tests.integration.gateway.doors import GatewayContext, open_door

TABLES = ", ".join(table.name for table in metadata.sorted_tables)
"""All of membership's: what one test left must recognise, decide or announce nothing in the next."""


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
async def door(database_url: str) -> AsyncIterator[GatewayContext]:
    """The door over an empty house."""
    await _run(database_url, f"truncate {TABLES} restart identity")
    async with open_door(database_url) as door:
        yield door
