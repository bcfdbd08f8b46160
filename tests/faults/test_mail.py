"""A mailing to 20,000 people, while they object, servers misbehave and senders are killed."""

import pytest

from deploy.local.nodes import Nodes
from tests.support.campaign import outcome_is_right


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_nobody_twice_nobody_who_objected_and_nobody_forgotten(nodes: Nodes, seed: int) -> None:
    outcome_is_right(nodes, 20_000, 3, seed)
