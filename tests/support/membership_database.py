"""A migrated database of membership alone, for tests that write it by its own use cases."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import EXTENSIONS, migrations_folder
from shared.persistence.database import create_engine
from shared.persistence.migrations import upgrade


@contextmanager
def membership_database(nodes: Nodes) -> Generator[str]:
    """Its address; it is dropped at the end."""
    name = f"membership_{token_hex(4)}"
    url = urlunsplit(urlsplit(nodes.database.url)._replace(path=f"/{name}"))
    asyncio.run(execute(nodes.database.url, f"create database {name}"))
    asyncio.run(execute(url, *(f"create extension if not exists {text}" for text in EXTENSIONS["membership"])))
    upgrade(migrations_folder("membership"), url)
    yield url
    asyncio.run(execute(nodes.database.url, f"drop database {name} with (force)"))


async def execute(url: str, *statements: str) -> None:
    """Each statement by itself, outside any transaction."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def an_engine(url: str, pool_size: int = 1) -> AsyncGenerator[AsyncEngine]:
    """An engine as the service's own."""
    engine = create_engine(url, application="test", pool_size=pool_size)
    try:
        yield engine
    finally:
        await engine.dispose()
