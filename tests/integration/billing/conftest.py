"""One database of billing for all tests here, emptied before each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.nodes import Nodes
from tests.support.billing import Billing, shipped_issuers
from tests.support.merging import Database, a_database


@pytest.fixture(scope="package")
def billing_database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "billing") as database:
        yield database


@pytest.fixture
async def office(billing_database: Database) -> AsyncIterator[Billing]:
    """Billing with an empty database, and the issuers that are shipped."""
    async with billing_database.engine() as engine:
        office = Billing(engine, shipped_issuers())
        await office.empty()
        yield office
