import pytest

from tests.integration.gateway.duplicates.decisions import a_company
from tests.integration.gateway.gateways import CLUSTR, NUMELINK


@pytest.fixture
async def two(gateway):
    """Two members of one name, who may be one company."""
    await gateway.feed(CLUSTR, a_company(record_id="12", phone="0477000001"))
    await gateway.feed(NUMELINK, a_company(record_id="B-1", siren="732829320"))
