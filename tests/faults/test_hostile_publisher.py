"""A hundred thousand hostile messages at all services, and attacks on the memory of one.

HOSTILE_MESSAGES says how many, HOSTILE_SEED which, HOSTILE_MINUTES how long at most. A named broker is used if the
environment names one: nothing is killed here.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from deploy.local.local_services import run_services
from deploy.local.nodes import Nodes, local_nodes
from schemas.billing import PaymentRecorded
from schemas.cutover import PART_RECORDS
from schemas.envelope import BATCH, encode
from schemas.events import EventsManifestRecorded
from tests.support.builders import a_payment
from tests.support.hostile.facts import FACTS
from tests.support.hostile.generated import generated
from tests.support.hostile.law import Law, holds_against_headers, law
from tests.support.hostile.watched import LIMIT, Watched, watched
from tests.support.in_process import OwnService, Passwords, own_service

COUNT = int(os.environ.get("HOSTILE_MESSAGES", "100000"))
SEED = int(os.environ.get("HOSTILE_SEED", "1"))
MINUTES = float(os.environ.get("HOSTILE_MINUTES", "15"))
HEALTHY_EVERY, ALL_SETTLED = 20, 120.0
MEMORY = {"membership": 1_536 * 1024 * 1024}
"""What a service may use, where it is not 512 MB."""


@pytest.fixture(scope="module")
def hostile_nodes() -> Iterator[Nodes]:
    """Servers that nothing else uses, unless the environment names them."""
    with local_nodes() as nodes:
        yield nodes


# --- many ------------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(3_600)
def test_every_message_is_settled_once_and_every_neighbour_is_served(hostile_nodes: Nodes, tmp_path: Path) -> None:
    print(f"\nHOSTILE_MESSAGES={COUNT} HOSTILE_SEED={SEED} HOSTILE_MINUTES={MINUTES:g}")
    headers = holds_against_headers(hostile_nodes.broker.management_url)
    with run_services(hostile_nodes, folder=tmp_path, services=tuple(FACTS), secrets=Passwords()) as services:
        pids = {service: services.process(service).pid for service in FACTS}
        until = time.monotonic() + MINUTES * 60
        sent = asyncio.run(_attack_all(services.env, headers, until))
        for service in FACTS:
            assert services.ready(service), service
            process = services.process(service)
            assert process.pid == pids[service], f"{service} was started again"
            memory = process.memory_info().rss
            assert memory < MEMORY.get(service, LIMIT), f"{service}: {memory:,} bytes"
    print(f"{sent:,} messages sent")
    assert sent >= COUNT, f"only {sent:,} in {MINUTES:g} minutes"


async def _attack_all(env: dict[str, str], headers: bool, until: float) -> int:
    return sum(await asyncio.gather(*(_attack(env, service, headers, until) for service in FACTS)))


async def _attack(env: dict[str, str], service: str, headers: bool, until: float) -> int:
    sent = at = 0
    async with law(env, service, FACTS[service]) as the_law:
        while sent < -(-COUNT // len(FACTS)) and time.monotonic() < until:
            messages = generated(the_law.hostile, Random(f"{SEED} {service} {at}"), headers=headers)
            await the_law.send(messages, alone=True)
            sent += len(messages)
            if at % HEALTHY_EVERY == 0:
                await the_law.neighbour_is_served()
            at += 1
        await the_law.settled(ALL_SETTLED)
        print(f"{service}: {the_law.told()}")
    return sent


# --- memory ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def attacked(hostile_nodes: Nodes, request: pytest.FixtureRequest) -> Iterator[OwnService]:
    with own_service(hostile_nodes, Passwords(), request.param) as own:
        yield own


@pytest.mark.parametrize("attacked", ["billing"], indirect=True)
async def test_a_long_moment_of_origin_is_not_copied(attacked: OwnService, tmp_path: Path) -> None:
    """A thousand payments that one correlation id holds together, of which one says 500 kB of when it began."""
    with watched(attacked.env, "billing", tmp_path / "log") as service:
        async with law(attacked.env, "billing", _payment) as the_law:
            events = _payments(the_law, "one", 1_000)
            events[-1]["origintime"] = "9" * 500_000
            await the_law.attack(orjson.dumps(events), content_type=BATCH)
            await _served(the_law, service, 10)
            outbox = await attacked.column("select coalesce(max(length(body)), 0) from outbox")
            assert max(outbox) < 2_000_000, outbox


@pytest.mark.timeout(900)
@pytest.mark.parametrize("attacked", ["billing"], indirect=True)
async def test_forty_of_the_largest_batches(attacked: OwnService, tmp_path: Path) -> None:
    """Honest batches just below 4 MiB: 152,000 payments, all of which are applied before the neighbour's."""
    with watched(attacked.env, "billing", tmp_path / "log") as service:
        async with law(attacked.env, "billing", _payment) as the_law:
            for number in range(40):
                body = orjson.dumps(_payments(the_law, f"b{number}", 3_800, method="x" * 700))
                assert 3_500_000 < len(body) < 4_000_000
                assert await the_law.attack(body, content_type=BATCH) == "confirmed"
            await _served(the_law, service, 600)


@pytest.mark.parametrize("attacked", ["billing"], indirect=True)
async def test_sixty_messages_of_16_mib(attacked: OwnService, tmp_path: Path) -> None:
    """The broker refuses them, or they are parked."""
    with watched(attacked.env, "billing", tmp_path / "log") as service:
        async with law(attacked.env, "billing", FACTS["billing"]) as the_law:
            for number in range(60):
                await the_law.attack(b"%d" % number + b" " * (16 * 1024 * 1024 - 10))
            await _served(the_law, service, 60)


@pytest.mark.parametrize("attacked", ["communications"], indirect=True)
async def test_half_a_million_numbers_in_a_batch(attacked: OwnService, tmp_path: Path) -> None:
    with watched(attacked.env, "communications", tmp_path / "log") as service:
        async with law(attacked.env, "communications", FACTS["communications"]) as the_law:
            body = b"[" + b",".join(b"%d" % at for at in range(560_000)) + b"]"
            for _ in range(3):
                await the_law.attack(body, content_type=BATCH)
            await _served(the_law, service, 10)
            [letters] = await attacked.column("select count(*) from dead_letters")
            assert letters < 1_000, f"{letters:,} dead letters"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("attacked", ["events"], indirect=True)
async def test_a_manifest_of_a_million_records(attacked: OwnService, tmp_path: Path) -> None:
    """Sixty parts of 20,000 records each, of which nothing is held: refused, or compared within the limit."""
    with watched(attacked.env, "events", tmp_path / "log") as service:
        async with law(attacked.env, "events", FACTS["events"]) as the_law:
            for part in range(1, 61):
                await the_law.attack(_part(the_law, part, 60), key="{user}.manifest-recorded")
            await _served(the_law, service, 60)
            deadline = time.monotonic() + 180
            while not (await attacked.column(_COMPARED) != [0] or await attacked.column(_REFUSED) != [0]):
                assert service.alive, "it was killed"
                assert time.monotonic() < deadline, "neither compared nor refused within 180 s"
                await asyncio.sleep(1)
            await _served(the_law, service, 10)


_COMPARED = "select count(*) from parity_runs"
_REFUSED = "select count(*) from dead_letters where queue = 'events.manifest-recorded'"


def _payment(mark: str) -> PaymentRecorded:
    return a_payment(payment_id=mark, record_id=mark)


def _payments(the_law: Law, name: str, count: int, **different: str) -> list[dict[str, Any]]:
    facts = [a_payment(payment_id=f"{name}-{at}", record_id=f"{name}-{at}", **different) for at in range(count)]
    events = orjson.loads(encode(the_law.hostile.source, facts).body)
    return [event | {"correlationid": name} for event in events]


def _part(the_law: Law, part: int, parts: int) -> bytes:
    digest = sha256().hexdigest()
    records = [
        {"kind": "registration", "id": f"R{part}-{at}", "version": 1, "digest": digest} for at in range(PART_RECORDS)
    ]
    event = orjson.loads(encode(the_law.hostile.source, [EventsManifestRecorded(version=1)]).body)
    event["data"] |= {"part": part, "parts": parts, "records": records}
    return orjson.dumps(event | {"id": f"part-{part}"})


async def _served(the_law: Law, service: Watched, within: float) -> None:
    """The neighbour is, the process is the one that was started, and it is ready."""
    serving = asyncio.ensure_future(the_law.neighbour_is_served(within))
    while not (await asyncio.wait({serving}, timeout=0.5))[0]:
        assert service.alive, f"it was killed at {service.most / 1e6:.0f} MB"
    print(f"the neighbour was served after {serving.result():.2f} s")
    assert service.alive, f"it was killed at {service.most / 1e6:.0f} MB"
    assert service.ready()
