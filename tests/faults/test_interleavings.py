"""Ten thousand random interleavings of a former system, staff and an operator, with kills, held against a model.

INTERLEAVINGS says how many, INTERLEAVINGS_SEED which: one story has one seed, and its failure names it.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context

import pytest

from deploy.local.nodes import local_nodes
from tests.support.interleaving.running import Finding, interleave_apart, prepare
from tests.support.merging import a_database

MANY = int(os.environ.get("INTERLEAVINGS", "10000"))
SEED = int(os.environ.get("INTERLEAVINGS_SEED", "100000"))
AT_A_TIME, PROCESSES = 250, 2


@pytest.mark.timeout(3_600)
def test_never_two_writers_never_a_lost_message_and_parity_after_the_way_back() -> None:
    print(f"\nINTERLEAVINGS={MANY} INTERLEAVINGS_SEED={SEED}")
    seeds = range(SEED, SEED + MANY)
    parts = [seeds[at : at + AT_A_TIME] for at in range(0, MANY, AT_A_TIME)]
    result = Finding()
    with ExitStack() as until_the_end:
        nodes = until_the_end.enter_context(local_nodes())
        urls = [until_the_end.enter_context(a_database(nodes, "membership")).url for _ in range(PROCESSES)]
        for url in urls:
            asyncio.run(prepare(url))
        workers = until_the_end.enter_context(ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")))
        for at in range(0, len(parts), PROCESSES):
            for item in workers.map(interleave_apart, urls, parts[at : at + PROCESSES]):
                result.add(item)
            assert not result.wrong, "\n".join(result.wrong)
    print(f"{result.stories:,} stories: {dict(result.outcomes)}")
    assert result.stories == MANY
