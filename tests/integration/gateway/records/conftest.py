import pytest

from tests.integration.gateway.gateways import NUMELINK, GatewayUnderTest
from tests.integration.gateway.records.commands import moved
from tests.support.builders import a_member


@pytest.fixture
async def live(gateway: GatewayUnderTest) -> GatewayUnderTest:
    """One record of a cluster that was moved over."""
    await gateway.feed(
        NUMELINK, a_member(record_id="B-1", name="Forges du Gier", city="Givors", phone="04 72 00 00 00")
    )
    await moved(gateway, "mirror", "switch")
    return gateway
