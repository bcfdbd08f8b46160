import pytest

from tests.support.billing import Billing, a_description


@pytest.fixture
async def ready(office: Billing) -> Billing:
    """A member of each cluster, a grid in force, and former systems that still bill."""
    await office.describe(a_description("clustr-numerique", "1", "12"), a_description("numelink", "2", "3"))
    await office.adopted()
    return office
