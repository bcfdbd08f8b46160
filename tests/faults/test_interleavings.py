"""Ten thousand random interleavings of a former system, staff and an operator, with kills, held against a model.

INTERLEAVINGS says how many, INTERLEAVINGS_SEED which: one story has one seed, and its failure names it.
"""

from __future__ import annotations

import asyncio
import logging
import os

import pytest
import structlog

from deploy.local.nodes import local_nodes
from tests.support.in_process import Passwords, own_house
from tests.support.interleaving.running import Found, interleave, prepare

MANY = int(os.environ.get("INTERLEAVINGS", "10000"))
SEED = int(os.environ.get("INTERLEAVINGS_SEED", "100000"))
AT_A_TIME = 500


@pytest.mark.timeout(3_600)
def test_never_two_writers_never_a_lost_message_and_parity_after_the_way_back() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    found = Found()
    with local_nodes() as nodes, own_house(nodes, Passwords(), "membership") as own:
        url = own.env["TRABOULE_MEMBERSHIP_DATABASE_URL"]
        asyncio.run(prepare(url))
        for first in range(SEED, SEED + MANY, AT_A_TIME):
            found.add(asyncio.run(interleave(url, range(first, min(first + AT_A_TIME, SEED + MANY)))))
            assert not found.wrong, "\n".join(found.wrong)
    print(f"\n{found.stories:,} stories: {dict(found.outcomes)}")
    assert found.stories == MANY
