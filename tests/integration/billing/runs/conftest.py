import pytest

from tests.integration.billing.runs.stories import CLUSTERS
from tests.support.billing import Billing, a_description


@pytest.fixture
async def ready(office: Billing) -> Billing:
    """Two members, a grid in force, and nobody else who bills."""
    await office.describe(a_description("clustr-numerique", "1", "12"), a_description("numelink", "2", "3"))
    await office.adopted()
    await office.takes_over(*CLUSTERS)
    return office
