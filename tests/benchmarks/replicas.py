"""What replicas bring: the same messages, consumed by one, two and four processes of a service."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.generate import generate
from services.cli.importing.reading import FormerSystem, messages, open_files
from shared.messaging.topology import EXCHANGE
from tests.benchmarks import workload
from tests.benchmarks.members import FILES
from tests.benchmarks.stage import Stage
from tests.benchmarks.workload import Load

COUNTS = (1, 2, 4)


@dataclass(frozen=True)
class Replicas:
    """Single messages a second, by number of processes; ``facts`` were sent each time."""

    service: str
    facts: int
    per_second: dict[int, float]


def measure(stage: Stage, *, quick: bool) -> list[Replicas]:
    """Membership, whose consolidating transactions come one after the other, and billing, whose do not."""
    return [_measure(stage, service, quick=quick) for service in ("membership", "billing")]


def _measure(stage: Stage, service: str, *, quick: bool) -> Replicas:
    loads = _members(300 if quick else 1_500) if service == "membership" else _invoices(1_000 if quick else 8_000)
    facts = sum(load.events for _, _, load in loads)
    rates: dict[int, float] = {}
    for count in COUNTS:
        stage.clear(service)
        for cluster, key in {(cluster, key) for cluster, key, _ in loads}:
            mine = [load for owner, named, load in loads if (owner, named) == (cluster, key)]
            stage.publish(stage.former_system(cluster, service), EXCHANGE, key, mine)
        rates[count] = _drain(stage, service, facts, count)
    return Replicas(service, facts, rates)


def _drain(stage: Stage, service: str, facts: int, count: int) -> float:
    services = stage.house
    services.start(service, stage.extra, wait=False)
    names = [service, *(services.start_replica(service) for _ in range(count - 1))]
    try:
        return stage.drain(service, facts, services.process(service).pid).per_second
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
