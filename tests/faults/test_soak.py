"""An hour of mixed traffic with a fault every half minute: memory stays flat, and nothing is lost (`make soak`).

SOAK_MINUTES says how long, SOAK_SEED which faults in which order; both are printed.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from random import Random
from statistics import median

import pytest

from services import SERVICES
from shared.persistence.database import create_engine
from tests.faults.checker import assert_same_end
from tests.faults.generator import workload
from tests.faults.nemesis import Stage
from tests.support.keys import create_key

MINUTES = float(os.environ.get("SOAK_MINUTES", "60"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
COMPANIES_A_MINUTE = 30
"""About 450 events: eight a second."""
STEADY = ("membership", "billing")
"""Never killed, so that their memory can be watched; replicas of theirs are."""
GROWTH = 1.20
"""What a steady service may hold at the end, as a share of what it held once it was warm."""


@pytest.mark.soak
@pytest.mark.timeout(MINUTES * 60 + 1_800)
def test_soak(stage: Stage) -> None:
    print(f"\nsoak: {MINUTES:g} minutes, seed {SEED}")
    rng = Random(SEED)
    published = workload(seed=SEED, companies=max(20, int(MINUTES * COMPANIES_A_MINUTE)))
    stage.publish(published, seconds=0).finish(600)
    stage.checker.wait_until_quiet(published, seconds=600)
    undisturbed = stage.checker.prove(published)
    stage.reset()

    replicas = {service: stage.stack.start_replica(service) for service in STEADY}
    memory: dict[str, list[float]] = {service: [] for service in STEADY}
    struck = Counter[str]()
    readers = _Readers(stage)
    readers.start()
    publishing = stage.publish(published, seconds=MINUTES * 60)
    began = time.monotonic()
    faults = _faults(stage, replicas, rng)
    while publishing.is_alive() and time.monotonic() - began < MINUTES * 60 + 900:
        for _ in range(rng.randint(4, 10)):
            time.sleep(3)
            for service in STEADY:
                memory[service].append(stage.stack.process(service).memory_info().rss / 1e6)
        name = rng.choice(sorted(faults))
        faults[name]()
        struck[name] += 1
    publishing.finish(300)
    readers.stop()
    end_of_traffic = time.monotonic() - began
    stage.checker.wait_until_quiet(published, seconds=600)
    assert_same_end(stage.checker.prove(published), undisturbed)
    print(f"{len(published.events):,} events in {end_of_traffic / 60:.1f} minutes, {readers.told}")
    print(f"faults: {', '.join(f'{count} × {name}' for name, count in sorted(struck.items()))}")
    for service, samples in memory.items():
        third = max(1, len(samples) // 3)
        warm, last = median(samples[third : 2 * third] or samples), median(samples[-third:])
        print(f"memory of {service}: {warm:.0f} MB once warm, {last:.0f} MB at the end")
        assert last <= warm * GROWTH, f"{service} grew from {warm:.0f} to {last:.0f} MB"


def _faults(stage: Stage, replicas: dict[str, str], rng: Random) -> dict[str, Callable[[], None]]:
    services, nodes = stage.stack, stage.nodes

    def kill_service() -> None:
        victim = rng.choice([item for item in SERVICES if item not in STEADY])
        services.kill(victim)
        services.start(victim, wait=False)

    def kill_replica() -> None:
        victim = rng.choice(sorted(replicas.values()))
        services.kill(victim)
        services.start(victim, wait=False)

    def kill_broker() -> None:
        nodes.broker.kill()
        time.sleep(1)
        nodes.broker.start()

    def restart_broker() -> None:
        nodes.broker.stop()
        nodes.broker.start()

    def kill_database() -> None:
        nodes.database.kill()
        time.sleep(1)
        nodes.database.start()

    def cut_broker() -> None:
        stage.to_broker.cut()
        time.sleep(rng.uniform(0.5, 5))
        stage.to_broker.open()

    def cut_database() -> None:
        stage.to_database.cut()
        time.sleep(rng.uniform(0.5, 5))
        stage.to_database.open()

    def starve_broker() -> None:
        with stage.memory_alarm():
            time.sleep(rng.uniform(1, 5))

    known = (kill_service, kill_replica, kill_broker, restart_broker, kill_database, cut_broker, cut_database)
    return {item.__name__.replace("_", " "): item for item in (*known, starve_broker)}


class _Readers(threading.Thread):
    """Staff tools that read all the while, through whatever happens."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        key = asyncio.run(_key(stage.provisioned.env["TRABOULE_MEMBERSHIP_DATABASE_URL"]))
        self._request = urllib.request.Request(
            stage.stack.url("membership") + "/members?limit=20", headers={"Authorization": f"Bearer {key}"}
        )
        self._ended = threading.Event()
        self._answers = Counter[str]()

    def run(self) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while not self._ended.wait(0.2):
            try:
                with opener.open(self._request, timeout=10) as answer:
                    self._answers["200"] += bool(answer.read())
            except urllib.error.HTTPError as error:
                self._answers[str(error.code)] += 1
            except OSError:
                self._answers["no answer"] += 1

    def stop(self) -> None:
        """Read no more."""
        self._ended.set()
        self.join(15)

    @property
    def told(self) -> str:
        """How often the door answered what."""
        return "the door answered " + ", ".join(f"{count} × {name}" for name, count in sorted(self._answers.items()))


async def _key(database_url: str) -> str:
    engine = create_engine(database_url, application="soak")
    try:
        async with engine.begin() as connection:
            return await create_key(connection, "soak", "reader", 1)
    finally:
        await engine.dispose()
