"""Members through membership alone: what a record costs while the house grows from nothing to 100,000 of them."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from deploy.demo.generate import ADHERENTS, DYNAMIC_FIELDS, THIRD_PARTIES, Generated, generate
from services.cli.importing.reading import FormerSystem, messages, open_files
from shared.messaging.topology import EXCHANGE
from tests.benchmarks.stage import Stage, memory_mb, peak_mb
from tests.benchmarks.workload import Load

STEPS = (600, 5_000, 20_000, 50_000, 100_000)
PATIENCE = 900.0
"""Seconds: others may use most of the machine."""
FILES = {"clustr-numerique": (THIRD_PARTIES,), "numelink": (ADHERENTS, DYNAMIC_FIELDS)}


@dataclass(frozen=True)
class Step:
    """All records up to ``records``: µs for each on average, and for each of the last ones (the growing price)."""

    records: int
    seconds: float
    average_us: float
    marginal_us: float


@dataclass(frozen=True)
class Growth:
    """``exponent`` k of seconds ~ records^k: 1 is linear."""

    records: int
    views: int
    records_per_second: float
    views_per_second: float
    steps: list[Step]
    exponent: float
    rss_mb: float
    peak_mb: float


def exports(folder: Path, members: int) -> Generated:
    """Two clusters' exports of ``members`` each, one in five in both."""
    return generate(folder, members=members)


def measure(stage: Stage, *, quick: bool) -> Growth:
    """Preload the records of two clusters in turns, in batches, and let membership consolidate them all."""
    steps = [step for step in STEPS if step <= (5_000 if quick else 100_000)]
    stage.clear("membership")
    published = loads(steps[-1] // 2)
    count = sum(load.events for _, load in published)
    for cluster, load in published:
        stage.publish(
            stage.former_system(cluster, "membership"), EXCHANGE, f"{cluster}.membership.member-recorded", [load]
        )
    stage.stack.start("membership", stage.extra, wait=False)
    pid = stage.stack.process("membership").pid
    stage.wait_for("membership", count, pid, within=PATIENCE)
    rss, peak = memory_mb(pid), peak_mb(pid)
    rows = stage.query("membership", "select received_at, count(*) from inbox group by 1 order by 1")
    views = stage.query("membership", "select count(*) from views")[0][0]
    stage.stack.stop("membership")
    times, records = [0.0], [0]
    for (began, stored), (following, _) in pairwise(rows):
        times.append(times[-1] + (following - began).total_seconds())
        records.append(records[-1] + stored)
    done = [_step(times, records, min(step, records[-1])) for step in steps]
    rate = records[-1] / times[-1]
    return Growth(
        count,
        views,
        rate,
        rate * views / count,
        done,
        exponent([(step.records, step.seconds) for step in done]),
        rss,
        peak,
    )


def loads(members: int) -> list[tuple[str, Load]]:
    """Batches of two clusters in turns, and whose they are."""
    by_cluster: dict[str, list[Load]] = {}
    with tempfile.TemporaryDirectory() as folder:
        generated = exports(Path(folder), members)
        for cluster, names in FILES.items():
            system = FormerSystem.named(f"{cluster}/membership")
            opened = open_files(system, [generated.paths[name] for name in names])
            by_cluster[cluster] = [
                Load(message.body, message.content_type, message.message_id, message.events)
                for message in messages(system, opened)
            ]
    longest = max(len(item) for item in by_cluster.values())
    return [(cluster, own[n]) for n in range(longest) for cluster, own in by_cluster.items() if n < len(own)]


def _at(times: list[float], records: list[int], count: float) -> float:
    """Seconds until so many records were in, on a straight line between two transactions."""
    n = next(n for n, record in enumerate(records) if record >= count)
    if n == 0:
        return 0.0
    share = (count - records[n - 1]) / (records[n] - records[n - 1])
    return times[n - 1] + share * (times[n] - times[n - 1])


def _step(times: list[float], records: list[int], count: int) -> Step:
    seconds = _at(times, records, count)
    first = max(0, count - max(600, count // 5))
    marginal = (seconds - _at(times, records, first)) / (count - first)
    return Step(count, seconds, seconds / count * 1e6, marginal * 1e6)


def exponent(points: Sequence[tuple[int, float]]) -> float:
    """The slope of log seconds over log records, by least squares."""
    x, y = [math.log(records) for records, _ in points], [math.log(seconds) for _, seconds in points]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)
