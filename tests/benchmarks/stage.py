"""Where every measurement is made: private nodes, the house's services as processes, and rows that are counted."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiormq
import asyncpg
import psutil
from pamqp.commands import Basic

from deploy.local.local_services import LocalServices
from deploy.local.nodes import Nodes, local_nodes
from deploy.local.runs import CHECKOUT, LOCAL, Run
from deploy.provisioning.definitions import call
from deploy.provisioning.provision import CLUSTERS, provision
from services import SERVICES
from shared.persistence.database import create_engine
from tests.benchmarks.workload import Load
from tests.support.keys import create_key

WAIT = 240.0
"""Seconds after which work that is not done is given up."""
_IN_FLIGHT = 200
_TABLES = {
    "billing": "inbox, outbox, dead_letters, invoices, payments, section_changes, section_versions",
    "membership": (
        "inbox, outbox, dead_letters, source_records, record_history, related, views, "
        "match_state, match_features, match_keys, match_pairs, match_crowds, match_classes, match_pending, "
        "view_counts, picture_versions"
    ),
}


class BenchmarkError(RuntimeError):
    """A measurement that would not be true: rows are missing, or work does not end."""


@dataclass(frozen=True)
class Drained:
    """Facts in the database, and the steady rate at which they came there."""

    facts: int
    per_second: float
    transactions: int
    cpu_us: float


class Stage:
    """Nodes and services for one run of the benchmark."""

    def __init__(self, nodes: Nodes, stack: LocalServices, run: Run) -> None:
        self.nodes = nodes
        self.stack = stack
        self._run = run
        self.extra: dict[str, str] = {}
        """What is added to the environment of our own services, to try other settings."""

    # --- data ------------------------------------------------------------------------------------------------------

    def database_url(self, service: str) -> str:
        """The service's own database, as its own role."""
        return self.stack.env[f"TRABOULE_{service.upper()}_DATABASE_URL"]

    def query(self, service: str, sql: str, *arguments: Any) -> list[Any]:
        """Rows of a statement in a service's database."""

        async def ask() -> list[Any]:
            connection = await asyncpg.connect(self.database_url(service))
            try:
                return await connection.fetch(sql, *arguments)
            finally:
                await connection.close()

        return asyncio.run(ask())

    def clear(self, *services: str) -> None:
        """Empty tables and queues, so that every lane starts from nothing."""
        for service in services:
            self.query(service, f"truncate {_TABLES[service]} restart identity")
        asyncio.run(self._purge())

    async def _purge(self) -> None:
        names = [item["name"] for item in call(self.nodes.broker.management_url, "GET", "/api/queues/traboule")]
        connection = await aiormq.connect(self.nodes.broker.url)
        channel = await connection.channel()
        for name in names:
            await channel.queue_purge(name)
        await connection.close()
        admin = await asyncpg.connect(self.nodes.database.url)
        await admin.execute("checkpoint")
        await admin.close()

    def declare(self, queue: str) -> None:
        """A durable quorum queue that no service has."""
        arguments = {"durable": True, "arguments": {"x-queue-type": "quorum"}}
        call(self.nodes.broker.management_url, "PUT", f"/api/queues/traboule/{queue}", arguments)

    def publish(self, url: str, exchange: str, key: str, loads: Sequence[Load]) -> float:
        """Publish persistently, wait for every confirm; the seconds it took."""
        return asyncio.run(publish(url, exchange, key, loads))

    def former_system(self, cluster: str, service: str) -> str:
        """A former system's own broker URL."""
        return self.stack.env[f"TRABOULE_BROKER_URL_{cluster}_{service}".replace("-", "_").upper()]

    # --- work ------------------------------------------------------------------------------------------------------

    def spawn(self, name: str, module: str, env: Mapping[str, str], *arguments: str) -> int:
        """Start one of the benchmark's own processes."""
        return self._run.spawn(
            name,
            [sys.executable, "-m", module, *arguments],
            env={**os.environ, **env},
            cwd=CHECKOUT,
            user=None,
            log=self.stack.folder / f"{name}.log",
        )

    def end(self, name: str) -> None:
        """End what :meth:`spawn` started."""
        self._run.stop(name, signal.SIGTERM, 10.0)

    def drain(self, service: str, facts: int, pid: int) -> Drained:
        """Wait until so many facts are in; the steady rate from the first transaction's begin to the last one's.

        ``received_at`` is the begin of the transaction that wrote the row, so the last transaction's own rows are left
        out of both counts. While the work goes on, the database is only asked how many rows there are, four times a
        second: the same for every lane, whatever its start-up costs.
        """
        cpu_us = self.wait_for(service, facts, pid)
        rows = self.query(service, "select received_at, count(*) from inbox group by 1 order by 1")
        before = facts - rows[-1][1]
        seconds = (rows[-1][0] - rows[0][0]).total_seconds()
        return Drained(facts, before / seconds if seconds else 0.0, len(rows), cpu_us)

    def wait_for(self, service: str, facts: int, pid: int, every: float = 0.25, within: float = WAIT) -> float:
        """Return once the inbox holds so many: the µs of processor that each took in the process and its children."""

        async def watch() -> float:
            connection = await asyncpg.connect(self.database_url(service))
            deadline = time.monotonic() + within
            first, spent = 0, 0.0
            while (value := await connection.fetchval("select count(*) from inbox")) < facts:
                if value and not first:
                    first, spent = value, processor_seconds(pid)
                if time.monotonic() > deadline or not psutil.pid_exists(pid):
                    raise BenchmarkError(f"{service}: {value:,} facts of {facts:,}, and no more come")
                await asyncio.sleep(every)
            await connection.close()
            return (processor_seconds(pid) - spent) / (value - first) * 1e6 if first else 0.0

        return asyncio.run(watch())


async def publish(url: str, exchange: str, key: str, loads: Sequence[Load]) -> float:
    """Publish persistently with 200 confirms in flight; the seconds it took."""
    connection = await aiormq.connect(url)
    channel = await connection.channel(publisher_confirms=True)
    user = str(connection.url.user)
    started = time.perf_counter()
    for start in range(0, len(loads), _IN_FLIGHT):
        await asyncio.gather(
            *(
                channel.basic_publish(
                    load.body,
                    exchange=exchange,
                    routing_key=key,
                    mandatory=True,
                    properties=Basic.Properties(
                        content_type=load.content_type,
                        content_encoding="utf-8",
                        message_id=load.message_id,
                        correlation_id=load.message_id,
                        delivery_mode=2,
                        user_id=user,
                        headers=load.headers,
                    ),
                )
                for load in loads[start : start + _IN_FLIGHT]
            )
        )
    seconds = time.perf_counter() - started
    await connection.close()
    return seconds


def processor_seconds(pid: int) -> float:
    """What a process and its descendants have used."""
    item = psutil.Process(pid)
    times = [process.cpu_times() for process in (item, *item.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its descendants, in MB; shared pages count in each."""
    item = psutil.Process(pid)
    everyone = [item, *item.children(recursive=True)]
    return sum(process.memory_info().rss for process in everyone) / 1e6


def peak_mb(pid: int) -> float:
    """The most resident memory that the process itself ever had, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


@contextmanager
def stage() -> Generator[Stage]:
    """Private nodes with everything provisioned and no service running yet; all of it ends with the context."""
    folder = LOCAL / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    for log in folder.glob("*.log"):
        log.unlink()
    # Where modules may not be written compiled, every start would measure the compiler instead.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    with local_nodes() as nodes, Run() as run:
        provisioned = provision(
            nodes.database.url,
            nodes.broker.url,
            nodes.broker.management_url,
            clusters_file=CLUSTERS,
            private_broker=nodes.broker.owned,
        )
        services = LocalServices(run, provisioned, folder, SERVICES)
        try:
            yield Stage(nodes, services, run)
        finally:
            services.close()


def start_services(stage: Stage) -> None:
    """All four, as processes."""
    for service in SERVICES:
        stage.stack.start(service, stage.extra if service == "membership" else None, wait=False)
    stage.stack.wait_until_ready(SERVICES)


def stop_services(stage: Stage) -> None:
    """All four."""
    for service in SERVICES:
        stage.stack.stop(service)


@contextmanager
def services_running(stage: Stage) -> Generator[None]:
    """All four, until the context ends."""
    start_services(stage)
    try:
        yield
    finally:
        stop_services(stage)


async def api_key(stage: Stage, role: str) -> str:
    """A new API key of this role, for a day."""
    engine = create_engine(stage.database_url("membership"), application="bench", pool_size=1)
    async with engine.begin() as connection:
        made = await create_key(connection, "benchmark", role, 1)
    await engine.dispose()
    return made
