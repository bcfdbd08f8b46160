from collections.abc import AsyncIterator

import pytest

from tests.integration.cutover.staff import Staff


@pytest.fixture
async def staff(alone: Staff) -> AsyncIterator[Staff]:
    """Both run."""
    async with alone.billing.running():
        yield alone
