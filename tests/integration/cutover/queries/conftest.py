from collections.abc import AsyncIterator

import pytest

from tests.integration.cutover.queries.questions import answers
from tests.integration.cutover.staff import Staff


@pytest.fixture
async def staff(alone: Staff) -> AsyncIterator[Staff]:
    """Both run."""
    async with alone.billing.running():
        await answers(alone)
        yield alone
