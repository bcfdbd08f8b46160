import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import migrations_folder
from shared.persistence.database import create_engine
from shared.persistence.migrations import upgrade
from tests.integration.cutover.late_messages.mirrors import UNITS_OF_WORK, MirrorUnderTest
from tests.support.emptying import EMPTY


@pytest.fixture(scope="module")
def databases(nodes: Nodes) -> Iterator[dict[str, str]]:
    """An empty database of each service."""
    urls: dict[str, str] = {}
    for service in UNITS_OF_WORK:
        name = f"late_{service}_{token_hex(3)}"
        asyncio.run(_execute(nodes.database.url, f"create database {name}"))
        urls[service] = urlunsplit(urlsplit(nodes.database.url)._replace(path=f"/{name}"))
        upgrade(migrations_folder(service), urls[service])
    yield urls
    for url in urls.values():
        name = urlsplit(url).path.removeprefix("/")
        asyncio.run(_execute(nodes.database.url, f"drop database {name} with (force)"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
async def stack_of(databases: dict[str, str]) -> AsyncIterator[Callable[[str], Any]]:
    """An empty house of one service."""
    engines: list[AsyncEngine] = []

    async def make(service: str) -> MirrorUnderTest:
        engine = create_engine(databases[service], application="test", pool_size=2)
        engines.append(engine)
        async with engine.begin() as connection:
            await connection.exec_driver_sql(EMPTY)
        return MirrorUnderTest(service, engine)

    yield make
    for engine in engines:
        await engine.dispose()
