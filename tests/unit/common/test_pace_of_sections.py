"""Sections are stated little by little: what waits for seconds comes as a burst that holds up all services."""

import pytest

from services import SERVICES
from services.cli.registry import definition_of
from tests.unit.deploy.test_grace import built

LONGEST = 1.0
"""Seconds. With 5 the p99 from publish to view was 137 ms at 100 messages/s, and 79 with half a second."""

LONGEST_WHILE_BUSY = 30.0
"""Seconds that they let many messages go first: members of an import are read before others hear of them."""


@pytest.mark.parametrize("name", SERVICES)
async def test_no_section_waits_for_long(name: str) -> None:
    named = {"sections", *(section.name for section in definition_of(name).sections[1:])}
    stating = {task.name: task for task in built(name).periodic_tasks if task.name in named}
    assert set(stating) == named
    assert max(task.every for task in stating.values()) <= LONGEST
    assert {0 < task.yields_for <= LONGEST_WHILE_BUSY for task in stating.values()} == {True}
