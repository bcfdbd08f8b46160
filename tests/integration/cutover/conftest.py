"""Membership and billing beside it in the test's process, and staff who ask over HTTP."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx2
import pytest

from deploy.local.nodes import Nodes
from tests.integration.cutover.staff import Staff
from tests.integration.gateway.gateways import lifespan
from tests.support.in_process import OwnService, Passwords, own_service


@pytest.fixture(scope="module")
def two(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership", "billing") as own:
        yield own


@pytest.fixture
async def patient() -> float:
    """Seconds for which the gateway waits."""
    return 10.0


@pytest.fixture
async def alone(two: OwnService, patient: float) -> AsyncIterator[Staff]:
    """Membership runs, billing does not."""
    billing = replace(two, name="billing")
    await two.empty()
    await billing.empty_tables()
    async with two.running(answer_seconds=patient) as service, lifespan(service.http):
        transport = httpx2.ASGITransport(service.http, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield Staff(two, billing, client)
