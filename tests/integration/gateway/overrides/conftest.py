import pytest

from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest
from tests.integration.gateway.overrides.commands import OURS, THEIRS
from tests.support.builders import a_member


@pytest.fixture
async def two(gateway: GatewayUnderTest) -> tuple[str, str]:
    """Two members of two clusters that have nothing in common; their ids."""
    await gateway.feed(CLUSTR, a_member(record_id="A", name="Forges du Gier", city="Lyon", phone="04 72 00 00 00"))
    await gateway.feed(NUMELINK, a_member(record_id="B", name="Ateliers Néon", city="Roanne", email="b@exemple.fr"))
    return OURS.own_id, THEIRS.own_id
