"""However many records a manifest lists, comparing with it takes little memory; sixty parts: tests/faults."""

from collections.abc import Iterator

import pytest

from deploy.local.nodes import Nodes
from schemas.cutover import PART_RECORDS
from tests.support.large_manifest import MOST, MOST_BYTES, STORED, compared
from tests.support.parity import Mirrored, a_mirror


@pytest.fixture(scope="module")
def mirrored(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    with a_mirror(nodes, tmp_path_factory.mktemp("exports"), "billing") as database:
        yield database


async def test_memory_does_not_grow_with_the_manifest(mirrored: Mirrored) -> None:
    taken = await compared(mirrored, 3)
    assert taken.peak < MOST_BYTES
    assert (taken.here, taken.there) == (STORED, 3 * PART_RECORDS)
    assert (taken.differences, taken.more) == (MOST + 1, 3 * PART_RECORDS - MOST)
