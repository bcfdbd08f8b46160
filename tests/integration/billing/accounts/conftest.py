from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from tests.support.merging import Database, a_database


@pytest.fixture(scope="module")
def billing(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "billing") as database:
        yield database


@pytest.fixture
async def engine(billing: Database) -> AsyncIterator[AsyncEngine]:
    async with billing.engine(pool_size=2) as engine:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("truncate invoices, payments, outbox, section_versions, section_changes")
        yield engine
