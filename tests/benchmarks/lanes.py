"""The lanes: the same rows written by our billing service, by the limit, and by the usual ways to do it."""

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from statistics import median

import psycopg

from shared.messaging.relay import LOCK as RELAY_LOCK
from tests.benchmarks import workload
from tests.benchmarks.stage import BenchmarkError, Stage, memory_mb
from tests.benchmarks.workload import Load

QUEUE = "billing.invoice-recorded"
_PROFILED = "tests.benchmarks.profiled"


@dataclass(frozen=True)
class QueueConsumer:
    """One way to do the work. ``module`` is empty for the service itself."""

    letter: str
    title: str
    loads: Callable[[int], Sequence[Load]]
    facts: int
    quick_facts: int
    module: str = ""
    prefetch: int = 50
    concurrency: int = 1
    queue: str = QUEUE
    relay: bool = True
    """False keeps our relay standing by, as a second replica's does: rows are written, nothing is published."""
    accounts: bool = False
    """True states the account of each record that an invoice concerns, too. Nobody else's lane does."""


_OTHERS = "tests.benchmarks.others"
LANES = (
    QueueConsumer("a", "Traboule, batches of 500", workload.batches, 20_000, 10_000),
    QueueConsumer("a0", "Traboule, batches of 500, relay standing by", workload.batches, 20_000, 10_000, relay=False),
    QueueConsumer("s", "Traboule, batches of 500, and accounts", workload.batches, 20_000, 10_000, accounts=True),
    QueueConsumer(
        "c", "limit: aiormq + asyncpg, batches of 500", workload.batches, 20_000, 10_000, f"{_OTHERS}.limit", 16
    ),
    QueueConsumer("b", "Traboule, single messages", workload.singles, 12_000, 3_000),
    QueueConsumer("b0", "Traboule, single messages, relay standing by", workload.singles, 12_000, 3_000, relay=False),
    QueueConsumer(
        "c1", "limit: aiormq + asyncpg, single messages", workload.singles, 12_000, 3_000, f"{_OTHERS}.limit", 1_000
    ),
    QueueConsumer(
        "d", "FastStream + SQLAlchemy, a transaction each", workload.singles, 3_000, 600, f"{_OTHERS}.faststream_each"
    ),
    *(
        QueueConsumer(
            f"e{n}",
            f"Celery + SQLAlchemy, a transaction each, {n} process{'es' * (n > 1)}",
            workload.celery_tasks,
            3_000,
            600,
            f"{_OTHERS}.celery_each",
            concurrency=n,
            queue=workload.CELERY_QUEUE,
        )
        for n in (1, 2)
    ),
    QueueConsumer("f", "pika + psycopg, a transaction each", workload.singles, 4_000, 1_000, f"{_OTHERS}.pika_each"),
)


@dataclass
class Result:
    """What one lane did in every round."""

    lane: QueueConsumer
    facts: int
    rates: list[float] = field(default_factory=list)
    transactions: list[int] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """µs of processor for each fact, in the lane's own processes: less noisy than the rate on a busy machine."""

    @property
    def rate(self) -> float:
        """Facts a second, the median."""
        return median(self.rates)


def measure(
    stage: Stage,
    lanes: Sequence[QueueConsumer],
    rounds: int,
    *,
    quick: bool,
    echo: Callable[[str], None],
    profile: bool = False,
) -> dict[str, Result]:
    """Every lane in every round, in turn. Raises BenchmarkError when two lanes wrote different invoices."""
    stage.declare(workload.CELERY_QUEUE)
    results = {lane.letter: Result(lane, lane.quick_facts if quick else lane.facts) for lane in lanes}
    digests: dict[int, set[str]] = {}
    for number in range(rounds):
        for result in results.values():
            _round(stage, result, profile)
            digests.setdefault(result.facts, set()).add(_digest(stage))
            echo(f"round {number + 1}: ({result.lane.letter}) {result.rates[-1]:,.0f}/s  {result.lane.title}")
    if unequal := [facts for facts, digest in digests.items() if len(digest) > 1]:
        raise BenchmarkError(f"lanes wrote different invoices from the same {unequal} messages")
    return results


def _round(stage: Stage, result: Result, profile: bool) -> None:
    lane = result.lane
    stage.clear("billing")
    own = lane.queue == QUEUE
    url = stage.former_system(workload.CLUSTER, "billing") if own else stage.nodes.broker.url
    exchange, key = ("traboule", workload.KEY) if own else ("", lane.queue)
    stage.publish(url, exchange, key, lane.loads(result.facts))
    stage.query("billing", f"alter table invoices {'enable' if lane.accounts else 'disable'} trigger user")
    with contextlib.nullcontext() if lane.relay else _passive_relay(stage):
        _consume(stage, result, profile)


@contextlib.contextmanager
def _passive_relay(stage: Stage) -> Generator[None]:
    """Hold the lock that makes a relay the active one."""
    with psycopg.connect(stage.database_url("billing"), autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [RELAY_LOCK])
        yield


def _consume(stage: Stage, result: Result, profile: bool) -> None:
    lane, services = result.lane, stage.stack
    if profile and not lane.module:
        pid = stage.spawn("lane", _PROFILED, services.env, "billing", str(services.folder / f"{lane.letter}.profile"))
    elif not lane.module:
        services.start("billing", stage.extra, wait=False)
        pid = services.process("billing").pid
    else:
        pid = stage.spawn("lane", lane.module, _environment(stage, lane))
    try:
        drained = stage.drain("billing", result.facts, pid)
        result.memory.append(memory_mb(pid))
    finally:
        if lane.module or profile:
            stage.end("lane")
        else:
            services.stop("billing")
    result.rates.append(drained.per_second)
    result.cpu.append(drained.cpu_us)
    result.transactions.append(drained.transactions)


def _environment(stage: Stage, lane: QueueConsumer) -> dict[str, str]:
    return {
        "BENCH_DATABASE_URL": stage.database_url("billing"),
        "BENCH_BROKER_URL": stage.nodes.broker.url,
        "BENCH_QUEUE": lane.queue,
        "BENCH_PREFETCH": str(lane.prefetch),
        "BENCH_CONCURRENCY": str(lane.concurrency),
    }


def _digest(stage: Stage) -> str:
    """The invoices as they stand, all of them, as one short text."""
    sql = "select count(*) || ' ' || md5(string_agg(i::text, ',' order by cluster, invoice_id)) from invoices i"
    return str(stage.query("billing", sql)[0][0])


TARGETS = (("a0", "c", 0.8), ("a", "c", 0.5), ("a", "d", 10.0), ("b", "f", 2.0), ("b", "e", 3.0))
"""Numerator, denominator, the least that the house promises. Lane e is the better of e1 and e2."""


@dataclass(frozen=True)
class Ratio:
    """One promise and what came of it."""

    name: str
    value: float
    target: float
    rounds: Sequence[float] = ()
    """The same in each round: both sides ran one after the other."""

    @property
    def met(self) -> bool:
        """Whether it was kept."""
        return self.value >= self.target


def ratios(results: dict[str, Result]) -> list[Ratio]:
    """The promises whose two lanes were measured: the median of their rounds."""
    rates = {letter: result.rates for letter, result in results.items()}
    if celery := [rates[item] for item in ("e1", "e2") if item in rates]:
        rates["e"] = [max(each) for each in zip(*celery, strict=True)]
    return [
        Ratio(f"({ours}) / ({theirs})", median(rounds), target, rounds)
        for ours, theirs, target in TARGETS
        if ours in rates and theirs in rates
        for rounds in [[mine / other for mine, other in zip(rates[ours], rates[theirs], strict=True)]]
    ]
