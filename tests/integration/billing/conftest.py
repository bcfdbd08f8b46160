"""One database of billing for all tests here, emptied before each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.nodes import Nodes
from services.billing.documents.rules import RulesProcess
from tests.support.billing import Billing, shipped_issuers
from tests.support.merging import Database, a_database


@pytest.fixture(scope="package")
def billing_database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "billing") as database:
        yield database


@pytest.fixture(scope="package")
def rules() -> Iterator[RulesProcess]:
    """The schematrons, compiled once for all tests here."""
    with RulesProcess() as process:
        yield process


@pytest.fixture
async def office(billing_database: Database, rules: RulesProcess) -> AsyncIterator[Billing]:
    """Billing with an empty database, and the issuers that are shipped."""
    async with billing_database.engine() as engine:
        office = Billing(engine, shipped_issuers(), rules.verdicts)
        await office.empty()
        yield office
