"""What replicas bring: the same messages, consumed by one, two and four processes of a service."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from deploy.demo.generate import generate
from services.cli.importing.reading import FormerSystem, messages, open_files
from shared.messaging.topology import EXCHANGE
from tests.benchmarks import workload
from tests.benchmarks.members import FILES
from tests.benchmarks.quiet import MOST, machine
from tests.benchmarks.stage import Stage
from tests.benchmarks.workload import Load

COUNTS = (1, 2, 4)


@dataclass(frozen=True)
class Drain:
    """One count of processes, once. ``others`` is the share of the machine that others used meanwhile."""

    processes: int
    per_second: float
    others: float


@dataclass(frozen=True)
class Replicas:
    """Single messages a second; ``facts`` were sent each time."""

    service: str
    facts: int
    drains: list[Drain]

    def rates(self, processes: int) -> list[float]:
        """Of so many processes, round by round."""
        return [drain.per_second for drain in self.drains if drain.processes == processes]

    @property
    def is_quiet(self) -> bool:
        """Whether others left the machine alone."""
        return median(drain.others for drain in self.drains) <= MOST


def measure(stage: Stage, *, quick: bool) -> list[Replicas]:
    """Membership, whose consolidating transactions come one after the other, and billing, whose do not."""
    return [_measure(stage, service, quick=quick) for service in ("membership", "billing")]


def _measure(stage: Stage, service: str, *, quick: bool) -> Replicas:
    loads = _members(300 if quick else 1_500) if service == "membership" else _invoices(1_000 if quick else 8_000)
    drains: list[Drain] = []
    for number in range(1 if quick else 5):
        # One count after the other in each round, and back in the next: what changes meanwhile changes for all.
        for count in COUNTS if number % 2 == 0 else COUNTS[::-1]:
            drains += [_drain(stage, service, loads, count)]
    return Replicas(service, sum(load.events for _, _, load in loads), drains)


def _drain(stage: Stage, service: str, loads: list[tuple[str, str, Load]], count: int) -> Drain:
    """All processes are ready, and asleep until all is published: neither a start nor publishing is in the figures."""
    stage.clear(service)
    services = stage.stack
    services.start(service, stage.extra)
    names = [service, *(services.start_replica(service, stage.extra) for _ in range(count - 1))]
    try:
        for name in names:
            services.process(name).suspend()
        for cluster, key in {(cluster, key) for cluster, key, _ in loads}:
            mine = [load for owner, named, load in loads if (owner, named) == (cluster, key)]
            stage.publish(stage.former_system(cluster, service), EXCHANGE, key, mine)
        facts = sum(load.events for _, _, load in loads)
        with machine() as used:
            for name in names:
                services.process(name).resume()
            rate = stage.drain(service, facts, services.process(service).pid).per_second
        return Drain(count, rate, used.others)
    finally:
        for name in names:
            services.stop(name)


def _invoices(count: int) -> list[tuple[str, str, Load]]:
    return [(workload.CLUSTER, workload.KEY, load) for load in workload.singles(count)]


def _members(each: int) -> list[tuple[str, str, Load]]:
    """Every record of two clusters' exports, as a message of its own."""
    result: list[tuple[str, str, Load]] = []
    with tempfile.TemporaryDirectory() as folder:
        exports = generate(Path(folder), members=each)
        for cluster, names in FILES.items():
            system = FormerSystem.named(f"{cluster}/membership")
            result += [
                (
                    cluster,
                    message.routing_key,
                    Load(message.body, message.content_type, message.message_id, message.events),
                )
                for message in messages(system, open_files(system, [exports.paths[name] for name in names]), batch=1)
            ]
    return result
