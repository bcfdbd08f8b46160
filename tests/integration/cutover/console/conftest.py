"""Pages of former systems, with the services that keep them: membership and billing in the test's process."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.cutover.console.clicking import Clicking
from tests.integration.cutover.staff import Staff


@pytest.fixture
async def away(alone: Staff) -> AsyncIterator[Clicking]:
    """Membership runs, billing does not."""
    async with Clicking.of(alone) as clicking:
        yield clicking


@pytest.fixture
async def console(away: Clicking) -> AsyncIterator[Clicking]:
    """Both run."""
    async with away.staff.billing.running():
        yield away
