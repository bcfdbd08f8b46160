"""Connections of a pool are checked when they were idle, and not when they are in constant use."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from shared.persistence import database
from shared.persistence.database import create_engine


@pytest.fixture
async def engine(nodes: Nodes) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(nodes.database.url, application="test", pool_size=2)
    yield engine
    await engine.dispose()


async def process_of(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return (await connection.exec_driver_sql("select pg_backend_pid()")).scalar_one()


async def test_only_who_was_idle_is_checked(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    dialect = engine.sync_engine.dialect
    checks, check = list[Any](), dialect.do_ping
    monkeypatch.setattr(dialect, "do_ping", lambda connection: checks.append(1) or check(connection))
    first = await process_of(engine)
    monkeypatch.setattr(database, "IDLE_SECONDS", 60.0)
    assert await process_of(engine) == first
    assert checks == []
    monkeypatch.setattr(database, "IDLE_SECONDS", 0.0)
    assert await process_of(engine) == first
    assert checks == [1]


async def test_one_that_went_away_meanwhile_is_replaced(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "IDLE_SECONDS", 0.0)
    first = await process_of(engine)
    async with engine.connect() as item, engine.connect() as other:
        mine = (await item.exec_driver_sql("select pg_backend_pid()")).scalar_one()
        assert mine == first
        theirs = (await other.exec_driver_sql("select pg_backend_pid()")).scalar_one()
    async with engine.connect() as item:
        # The one used last is used first: the other waits in the pool.
        mine = (await item.exec_driver_sql("select pg_backend_pid()")).scalar_one()
        gone = theirs if mine == first else first
        await item.exec_driver_sql("select pg_terminate_backend($1)", (gone,))
        async with engine.connect() as other:
            assert (await other.exec_driver_sql("select pg_backend_pid()")).scalar_one() not in (mine, gone)
