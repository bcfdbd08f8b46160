"""A mailing to three hundred people, while they object, servers misbehave and a sender is killed."""

import pytest

from deploy.local.nodes import Nodes
from tests.support.campaign import outcome_is_right


@pytest.mark.timeout(120)
def test_nobody_twice_nobody_who_objected_and_nobody_forgotten(nodes: Nodes) -> None:
    outcome_is_right(nodes, 300, 1, 7)
