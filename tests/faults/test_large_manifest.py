"""A manifest of 1.2 million records, most of them unknown here, is compared in little memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.nodes import local_nodes
from schemas.cutover import PART_RECORDS
from tests.support.large_manifest import MOST, MOST_BYTES, STORED, compared
from tests.support.parity import Mirrored, a_mirror

PARTS = 60


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[Mirrored]:
    with local_nodes() as nodes, a_mirror(nodes, tmp_path, "billing") as database:
        yield database


@pytest.mark.timeout(900)
async def test_sixty_parts_take_no_more_memory_than_three(mirrored: Mirrored) -> None:
    taken = await compared(mirrored, PARTS)
    assert taken.peak < MOST_BYTES
    assert (taken.here, taken.there) == (STORED, PARTS * PART_RECORDS)
    assert (taken.differences, taken.more) == (MOST + 1, PARTS * PART_RECORDS - MOST)
