"""The whole house: export files in, consolidated views out; then latency at 100 messages a second, reads, memory."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

import aiormq
import asyncpg
import uvloop
from pamqp.commands import Basic

from deploy.demo import words
from deploy.demo.companies import address
from deploy.demo.generate import Generated
from deploy.local.runs import CHECKOUT, free_ports
from deploy.provisioning.definitions import call
from schemas.envelope import encode, routing_key, source_of
from schemas.membership import MemberRecorded
from services import SERVICES
from services.membership.records.record import RecordKey
from shared.messaging.topology import EXCHANGE
from tests.benchmarks.http_client import Connection, reads_per_second, request
from tests.benchmarks.members import FILES, exports
from tests.benchmarks.stage import BenchmarkError, Stage, api_key, memory_mb, peak_mb, start_services
from tests.benchmarks.workload import Load

CLUSTER = "numelink"
WIZARD_SECONDS = 5.4
"""Dolibarr's import wizard on 10,000 rows, flat: 2.6 s + 2.8 s of simulation. Measured elsewhere, on a like machine."""
_POLL = 0.005
_COMMITTED = "select member_id::text from views where member_id = any($1::text[]::uuid[])"
_MARKS = "select (select count(*) from section_changes) + (select count(*) from contact_changes)"
_TAKEN_IN = "select received_at, count(*) from inbox where received_at > $1 group by 1 order by 1"


@dataclass(frozen=True)
class Import:
    """Rows of two exports to readable views."""

    rows: int
    rejected: int
    views: int
    publish_seconds: float
    seconds: float


@dataclass(frozen=True)
class Latency:
    """Milliseconds from when a message was due to be sent until its member can be read."""

    messages: int
    rate: float
    p50: float
    p95: float
    p99: float
    slowest: float


@dataclass(frozen=True)
class Reads:
    """Answers a second, 32 clients, each the median of the rounds."""

    one_view: float
    many_views: float
    constant: float
    bytes: int
    rounds: dict[str, list[float]]

    @property
    def ratio(self) -> float:
        """One view beside constant bytes."""
        return self.one_view / self.constant


def start(stage: Stage) -> str:
    """All four services on empty tables; returns an API key."""
    stage.clear("billing", "membership")
    start_services(stage)
    return asyncio.run(api_key(stage, "reader"))


# --- import --------------------------------------------------------------------------------------------------------


def import_exports(stage: Stage, *, quick: bool) -> Import:
    """``traboule import`` of both clusters' files at once, as two staff would, until every view is committed."""
    with tempfile.TemporaryDirectory() as folder:
        generated = exports(Path(folder), 500 if quick else 5_000)
        imported(stage, generated, Path(folder), "--dry-run")  # so that its modules are compiled and in the page cache
        started = time.perf_counter()
        reports = imported(stage, generated, Path(folder))
        published = time.perf_counter() - started
        pid = stage.stack.process("membership").pid
        stage.wait_for("membership", sum(report["published"] for report in reports), pid, every=0.05)
        seconds = time.perf_counter() - started
        rows = sum(generated.rows[name] for names in FILES.values() for name in names)
    files = [file for report in reports for file in report["files"]]
    if sum(file["rows"] for file in files) != rows:
        raise BenchmarkError(f"the reports tell of {sum(file['rows'] for file in files)} rows, and there are {rows}")
    views = stage.query("membership", "select count(*) from views")[0][0]
    return Import(rows, sum(file["rejected"] for file in files), views, published, seconds)


def imported(stage: Stage, generated: Generated, folder: Path, *options: str) -> list[Any]:
    """Both commands at once; their reports."""
    commands = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "services.cli", "import", "--as", f"{cluster}/membership", "--json"),
                *(
                    "--rejects",
                    f"{folder}/{cluster}.rejects.csv",
                    *options,
                    *(str(generated.paths[name]) for name in names),
                ),
            ],
            cwd=CHECKOUT,
            env=dict(os.environ) | stage.stack.env,
            stdout=subprocess.PIPE,
        )
        for cluster, names in FILES.items()
    ]
    return [json.loads(command.communicate()[0]) for command in commands]


def settle(stage: Stage, *, within: float = 120.0) -> None:
    """Wait until all services are done with what was published: else their work on an import is measured with the rest.

    The broker counts every five seconds, so it must say twice that nothing waits.
    """
    deadline, idle = time.monotonic() + within, 0
    while idle < 2:
        if time.monotonic() > deadline:
            raise BenchmarkError(f"messages still wait after {within:.0f} s")
        queues = call(stage.nodes.broker.management_url, "GET", "/api/queues/traboule")
        waits = any(queue.get("messages", 0) for queue in queues if queue["name"].split(".")[0] in SERVICES)
        waits = waits or any(stage.query(service, "select count(*) from outbox")[0][0] for service in SERVICES)
        idle = 0 if waits or stage.query("membership", _MARKS)[0][0] else idle + 1
        time.sleep(5.5)


# --- latency -------------------------------------------------------------------------------------------------------


def latency(stage: Stage, key: str, *, seconds: float, rate: float = 100.0, first: int = 0) -> Latency:
    """New members one by one at an even rate; each is read at the door as soon as it is committed."""
    return uvloop.run(_latency(stage, key, int(seconds * rate), rate, first))


async def _latency(stage: Stage, key: str, count: int, rate: float, first: int) -> Latency:
    url = stage.stack.url("membership")
    connection = await aiormq.connect(stage.former_system(CLUSTER, "membership"))
    channel = await connection.channel(publisher_confirms=True)
    gateways = [await Connection.open(url) for _ in range(20)]
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    for gateway in gateways:
        idle.put_nowait(gateway)
    waiting: dict[str, asyncio.Event] = {}
    watcher = asyncio.create_task(_watch(stage.database_url("membership"), waiting))
    start_at = time.perf_counter() + 0.2

    async def item(number: int) -> float:
        due = start_at + number / rate
        fact = _member(first + number)
        message = encode(source_of(CLUSTER, "membership"), [fact])
        member_id = RecordKey(CLUSTER, fact.record_id).own_id
        await asyncio.sleep(due - time.perf_counter())
        committed = waiting[member_id] = asyncio.Event()
        await channel.basic_publish(
            message.body,
            exchange=EXCHANGE,
            routing_key=routing_key(CLUSTER, MemberRecorded),
            mandatory=True,
            properties=Basic.Properties(
                content_type=message.content_type,
                message_id=message.message_id,
                delivery_mode=2,
                user_id=f"{CLUSTER}.membership",
            ),
        )
        async with asyncio.timeout(60):
            await committed.wait()
            gateway = await idle.get()
            status, _ = await gateway.get(request(url, f"/members/{member_id}", key))
        read_at = time.perf_counter()
        idle.put_nowait(gateway)
        if status != 200:
            raise BenchmarkError(f"the door answers {status} for a member whose view is committed")
        return (read_at - due) * 1000

    result = await asyncio.gather(*(item(number) for number in range(count)))
    watcher.cancel()
    for gateway in gateways:
        gateway.close()
    await connection.close()
    cuts = quantiles(result, n=100)
    return Latency(count, rate, cuts[49], cuts[94], cuts[98], max(result))


def consumed(stage: Stage, count: int, first: int) -> float:
    """New members one by one as fast as they are taken in: how many a second, from the first to the last."""
    loads = [_load(_member(first + number)) for number in range(count)]
    before, began = stage.query("membership", "select count(*), clock_timestamp() from inbox")[0]
    key = routing_key(CLUSTER, MemberRecorded)
    stage.publish(stage.former_system(CLUSTER, "membership"), EXCHANGE, key, loads)
    stage.wait_for("membership", before + count, stage.stack.process("membership").pid, every=0.05)
    rows = stage.query("membership", _TAKEN_IN, began)
    return sum(taken for _, taken in rows[:-1]) / (rows[-1][0] - rows[0][0]).total_seconds()


def _load(fact: MemberRecorded) -> Load:
    message = encode(source_of(CLUSTER, "membership"), [fact])
    return Load(message.body, message.content_type, message.message_id, 1)


async def _watch(database_url: str, waiting: dict[str, asyncio.Event]) -> None:
    """Tell whose view is committed, every 5 ms in one query: asking the door for what is not there would burden it."""
    database = await asyncpg.connect(database_url)
    while True:
        for (member_id,) in await database.fetch(_COMMITTED, list(waiting)):
            waiting.pop(member_id).set()
        await asyncio.sleep(_POLL)


_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo", "cha", "phi")


def _name(number: int) -> str:
    """A name like no other's: three thousand that differ by their number only are one crowd, which nobody has."""
    mixed = number * 2_654_435_761 % 2**32
    return "".join(_SYLLABLES[mixed >> shift & 15] for shift in range(0, 20, 4)).capitalize()


def _member(number: int) -> MemberRecorded:
    """One of as many trades, towns and streets as the members that are there: all in one street would be a crowd."""
    rng = Random(number)
    street, postcode, city = address(rng, CLUSTER)
    return MemberRecorded(
        version=1_800_000_000_000_000 + number,
        record_id=f"LATENCY-{number}",
        name=f"{_name(number)} {rng.choice(words.TRADES)}",
        email=f"contact@mesure{number}.example",
        street=street,
        postcode=postcode,
        city=city,
        extra={"note": "Une fiche comme les autres. " * 15},
    )


# --- reads ---------------------------------------------------------------------------------------------------------


def reads(stage: Stage, key: str, *, seconds: float, rounds: int) -> Reads:
    """One view, a thousand views in turn, and constant bytes of the same length, in turns."""
    url, port = stage.stack.url("membership"), free_ports(1)[0]
    query = stage.query("membership", "select member_id::text, document from views order by length(document) desc")
    middle = query[len(query) // 2]
    body = stage.stack.folder / "constant.json"
    body.write_bytes(middle[1])
    stage.spawn("constant", "tests.benchmarks.others.constant", {"BENCH_BODY": str(body), "BENCH_PORT": str(port)})
    constant = f"http://127.0.0.1:{port}"
    asked = {
        "one": (url, [request(url, f"/members/{middle[0]}", key)]),
        "many": (url, [request(url, f"/members/{row[0]}", key) for row in query[:1000]]),
        "constant": (constant, [request(constant, f"/members/{middle[0]}", key)]),
    }
    rates: dict[str, list[float]] = {name: [] for name in asked}
    try:
        _wait_until_it_answers(constant, asked["constant"][1][0])
        for _ in range(rounds):
            for name, (address, requests) in asked.items():
                rates[name].append(uvloop.run(reads_per_second(address, requests, seconds)))
    finally:
        stage.end("constant")
    value, many, bytes_alone = (median(rates[name]) for name in ("one", "many", "constant"))
    return Reads(value, many, bytes_alone, len(middle[1]), rates)


def _wait_until_it_answers(url: str, raw: bytes) -> None:
    async def ask() -> None:
        connection = await Connection.open(url)
        await connection.get(raw)
        connection.close()

    deadline = time.monotonic() + 20
    while True:
        try:
            return asyncio.run(ask())
        except OSError:
            if time.monotonic() > deadline:
                raise BenchmarkError("the server of constant bytes does not answer") from None
            time.sleep(0.1)


def memory(stage: Stage) -> dict[str, tuple[float, float]]:
    """Resident memory of each service now, and the most that it ever had, in MB."""
    pids = {service: stage.stack.process(service).pid for service in SERVICES}
    return {service: (memory_mb(pid), peak_mb(pid)) for service, pid in pids.items()}
