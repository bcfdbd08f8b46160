"""Whatever a former system sends, its neighbours are served, and each of its messages is settled exactly once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from random import Random

import pytest

from shared.process.service import Service
from tests.support.hostile.corpus import CORPUS, written
from tests.support.hostile.facts import FACTS
from tests.support.hostile.generated import generated
from tests.support.hostile.law import Broken, Law, holds_against_headers, law
from tests.support.in_process import OwnService

SEED = int(os.environ.get("HOSTILE_SEED", "1"))
COUNT = int(os.environ.get("HOSTILE_MESSAGES", "400"))
GROUP = 16
"""Cases between two healthy messages: when one of them breaks the law, they are tried again by halves."""
STAGES = "insert into stages (cluster, stage, epoch, since, by) values ('numelink', $1, 2, now(), 'a test')"


async def _holds(own: OwnService, names: Sequence[str], stage: str) -> str | None:
    """How a service of its own breaks the law over these cases; None if it keeps it."""
    await own.empty()
    await own.query(STAGES, stage)
    async with own.running() as service, law(own.env, "billing", FACTS["billing"]) as the_law:
        return await _kept(the_law, service, names)


async def _kept(the_law: Law, service: Service, names: Sequence[str]) -> str | None:
    try:
        for name in names:
            await the_law.send(written(the_law.hostile, name), alone=True)
        await the_law.neighbour_is_served()
        await the_law.settled()
        checks = await service.checks()
        if not all(checks.values()):
            return f"the service is not ready: {checks}"
    except Broken as broken:
        return str(broken)
    return None


async def _guilty(own: OwnService, names: Sequence[str], stage: str) -> dict[str, str]:
    """The cases over which the law is broken, each by itself, with what was seen."""
    if (seen := await _holds(own, names, stage)) is None:
        return {}
    if len(names) == 1:
        print(f"{stage}: {names[0]}: {seen}")
        return {names[0]: seen}
    middle = len(names) // 2
    guilty = await _guilty(own, names[:middle], stage) | await _guilty(own, names[middle:], stage)
    return guilty or {" with ".join(names): seen}


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("stage", ["mirror", "live"])
async def test_the_law_holds_in_every_named_case(empty_billing: OwnService, stage: str) -> None:
    guilty: dict[str, str] = {}
    names = list(CORPUS)
    left = [names[at : at + GROUP] for at in range(0, len(names), GROUP)]
    while left:
        await empty_billing.empty()
        await empty_billing.query(STAGES, stage)
        async with empty_billing.running() as service, law(empty_billing.env, "billing", FACTS["billing"]) as the_law:
            broken = None
            while left and broken is None:
                broken = await _kept(the_law, service, group := left.pop(0))
        if broken is not None:
            guilty |= await _guilty(empty_billing, group, stage)
    published = "\n".join(f"{name}: {seen[:300]}" for name, seen in guilty.items())
    assert not guilty, f"{len(guilty)} of {len(names)} cases:\n{published}"
    print(f"\n{stage}: {the_law.told()}")


async def test_the_law_holds_for_messages_drawn_at_random(empty_billing: OwnService) -> None:
    headers = holds_against_headers(empty_billing.management_url)
    async with empty_billing.running() as service, law(empty_billing.env, "billing", FACTS["billing"]) as the_law:
        for at in range(COUNT):
            await the_law.send(generated(the_law.hostile, Random(f"{SEED} {at}"), headers=headers), alone=True)
            if at % 20 == 19:
                await the_law.neighbour_is_served()
        await the_law.settled()
        assert all((await service.checks()).values())
    print(f"\nseed {SEED}: {the_law.told()}")
