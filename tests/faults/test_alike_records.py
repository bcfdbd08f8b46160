"""A former system that sends 1,500 alike records: others are served beside it, in the memory that Kubernetes gives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import psutil
import pytest

from schemas.base import Fact
from tests.faults.nemesis import Stage
from tests.support.builders import a_member
from tests.support.servers import publish_as, query
from tests.support.waiting import eventually

MEBIBYTE = 1 << 20
LIMIT = 512 * MEBIBYTE
SAME = {"name": "Fédération Houille", "street": "3 rue des Lilas", "postcode": "42000", "city": "Saint-Étienne"}
NUMBERED = SAME | {"siren": "732829320", "email": "contact@houille.example"}
RECORDS, BATCH = 1_500, 250


@pytest.mark.timeout(580)
def test_many_alike_records(stage: Stage) -> None:
    process = stage.stack.process("membership")
    process.rlimit(psutil.RLIMIT_DATA, (LIMIT, LIMIT))
    batches: Sequence[list[Fact]] = [
        [a_member(record_id=f"{at:05}", **(NUMBERED if at % 6 else SAME)) for at in range(start, start + BATCH)]
        for start in range(0, RECORDS, BATCH)
    ]

    async def story() -> tuple[float, int]:
        for batch in batches:
            await publish_as(stage.stack.env, "numelink.membership", batch)
        began = time.monotonic()
        healthy = a_member(record_id="healthy", name="Ondaine", postcode="69003")
        await publish_as(stage.stack.env, "clustr-numerique.membership", healthy)
        await eventually(lambda: _rows(stage, "where cluster = 'clustr-numerique'", 1), 120, every=0.2)
        seconds = time.monotonic() - began
        await eventually(lambda: _rows(stage, "where cluster = 'numelink'", RECORDS), 120, every=0.2)
        [pairs] = await query(stage.stack.env, "membership", "select count(*) as n from match_pairs")
        return seconds, pairs["n"]

    seconds, pairs = asyncio.run(story())
    peak = process.memory_info().rss
    assert stage.stack.running("membership")
    assert pairs < 4 * RECORDS
    assert peak < LIMIT
    print(f"healthy after {seconds:.1f} s, {pairs} pairs, {peak / MEBIBYTE:.0f} MiB")


async def _rows(stage: Stage, where: str, wanted: int) -> bool:
    [document] = await query(stage.stack.env, "membership", f"select count(*) as n from source_records {where}")
    return document["n"] == wanted
