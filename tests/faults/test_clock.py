"""Clocks that are wrong, run fast and jump, of services, replicas and former systems: nothing is lost, none twice.

The database's clock is right, and alone tells what is old, due or over.
"""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from services import SERVICES
from shared.persistence.database import create_engine
from tests.faults.checker import assert_same_end
from tests.faults.clocks import FalseClock
from tests.faults.generator import Workload
from tests.faults.nemesis import Stage
from tests.faults.sent import Message
from tests.support.keys import create_key

WRONG = {"membership": "+400d", "billing": "-3d", "events": "+0 x1.5", "communications": "-400d"}
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(autouse=True)
def right_clocks_at_the_end(stage: Stage) -> Iterator[None]:
    """What a process is started with stays with its name."""
    yield
    for service in SERVICES:
        stage.stack.kill(service)
        stage.stack.start(service, {}, wait=False)


def start_with(stage: Stage, clocks: Mapping[str, FalseClock]) -> None:
    """Start services again, each with a clock of its own."""
    for service, clock in clocks.items():
        stage.stack.stop(service)
        stage.stack.start(service, clock.env, wait=False)
    stage.stack.wait_until_ready(clocks)


def test_every_service_with_another_clock_than_the_database(stage: Stage, tmp_path: Path) -> None:
    start_with(stage, {service: FalseClock(tmp_path / service, text) for service, text in WRONG.items()})
    for service, text in WRONG.items():
        if text.endswith("d"):
            assert abs(ahead(stage.stack.url(service)) - float(text[:-1]) * 86_400) < 10, "its clock is not wrong"
    stage.publish(seconds=3).finish()
    stage.prove()
    nothing_negative(stage)
    warned = {item["where"] for item in stage.doctor() if (item["check"], item["state"]) == ("process's clock", "warn")}
    assert warned >= {"membership", "billing", "communications"}
    # By membership's clock, the key that is good for a day ended a year ago; by the database's only the other did.
    good, over = asyncio.run(keys(stage))
    assert gateway_answers(stage, good) == 200
    assert gateway_answers(stage, over) == 401


def test_clocks_jump_forwards_and_backwards_in_mid_traffic(stage: Stage, tmp_path: Path) -> None:
    clocks = {service: FalseClock(tmp_path / service, "+0") for service in SERVICES}
    start_with(stage, clocks)
    publishing = stage.publish(seconds=8)
    for share, jumps in (
        (0.2, ("+2h", "-3d", "+40d", "-1h")),
        (0.5, ("-3d", "+2h", "-1h", "+400d")),
        (0.8, ("+0", "+0", "+0", "+0")),
    ):
        publishing.wait_for(share)
        for clock, jump in zip(clocks.values(), jumps, strict=True):
            clock.set(jump)
    publishing.finish()
    stage.prove()
    nothing_negative(stage)


def test_a_replica_with_a_wrong_clock_takes_over(stage: Stage, tmp_path: Path) -> None:
    clock = FalseClock(tmp_path / "clock", "-3d")
    replicas = {service: stage.stack.start_replica(service) for service in ("membership", "billing")}
    start_with(stage, dict.fromkeys(replicas.values(), clock))
    publishing = stage.publish(seconds=5)
    publishing.wait_for(0.3)
    for service in replicas:
        stage.stack.kill(service)  # its relay was the active one
    clock.set("+2h")
    publishing.wait_for(0.7)
    clock.set("-3d")
    publishing.finish()
    stage.prove()
    for service, replica in replicas.items():
        stage.stack.stop(replica)
        stage.stack.start(service)


def test_former_systems_whose_clocks_are_wrong(stage: Stage) -> None:
    published = Untimely(**vars(stage.workload))
    stage.publish(published).finish()
    assert_same_end(stage.prove(published), stage.undisturbed)
    nothing_negative(stage)


class Untimely(Workload):
    """The same, published at moments that nobody's calendar agrees with."""

    def messages(self, order: int, *, duplicates: float = 0.15) -> list[Message]:
        """Years ago, in years, in microseconds by mistake, before 1970, and as what is no time at all."""
        now = int(time.time() * 1000)
        moments = cycle((now - 10**11, now + 10**11, now * 1000, -(10**12), 2**62, "yesterday", None, True))
        return [
            replace(message, headers=message.headers | {"timestamp_in_ms": moment})
            for message, moment in zip(super().messages(order, duplicates=duplicates), moments, strict=False)
        ]


def ahead(url: str) -> float:
    """How many seconds a service's clock is ahead of ours."""
    samples = (sample for family in metrics_of(url) for sample in family.samples)
    value = next(
        sample.value for sample in samples if sample.name == "traboule_measured_timestamp_seconds" and sample.value
    )
    return value - time.time()


def metrics_of(url: str) -> Iterable[Metric]:
    """What a service measures."""
    with DIRECT.open(f"{url}/metrics", timeout=5) as answer:
        return text_string_to_metric_families(answer.read().decode())


def nothing_negative(stage: Stage) -> None:
    """No age and no lag of any service is less than none."""
    looked_at = set[str]()
    for service in SERVICES:
        for family in metrics_of(stage.stack.url(service)):
            if family.name.startswith("traboule_") and family.name.endswith("_seconds"):
                looked_at.add(family.name)
                assert all(sample.value >= 0 for sample in family.samples), (service, family)
    assert looked_at >= {
        "traboule_applied_lag_seconds",
        "traboule_outbox_oldest_seconds",
        "traboule_transaction_seconds",
    }


async def keys(stage: Stage) -> list[str]:
    """A key that is good for a day, and one that was until a minute ago."""
    engine = create_engine(stage.provisioned.env["TRABOULE_MEMBERSHIP_DATABASE_URL"], application="test")
    try:
        async with engine.begin() as connection:
            made = [await create_key(connection, "clock", "reader", 1) for _ in range(2)]
            over = "update api_keys set expires_at = now() - interval '1 minute' where id = $1"
            await connection.exec_driver_sql(over, (made[1].split("_")[1],))
            return made
    finally:
        await engine.dispose()


def gateway_answers(stage: Stage, key: str) -> int:
    """The status of the answer to whoever holds a key."""
    url = stage.stack.url("membership") + "/members?limit=1"
    try:
        with DIRECT.open(urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"}), timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
