"""The whole of taking records in, without broker, in one process: what a record costs as there are more.

Understanding, publishing, looking, linking, writing views. Processor time alone, for it hardly moves when others use
the machine: of the process, and of the database's backend that serves it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final, cast

import psutil

from deploy.local.runs import CHECKOUT
from tests.benchmarks.members import exponent, loads
from tests.benchmarks.stage import BenchmarkError, Stage, memory_mb, peak_mb, processor_seconds
from tests.benchmarks.taking_process import LENGTH

STEPS: Final = (1_000, 10_000, 30_000, 50_000, 70_000, 100_000)
LAST: Final = 0.2
"""The share of a step's records that are its last ones."""
_BACKEND: Final = "select pid from pg_stat_activity where application_name = 'taking'"


@dataclass(frozen=True)
class Step:
    """All records up to ``records``: µs of processor for each, and for each of the last ones; MB of the process."""

    records: int
    process_us: float
    database_us: float
    last_process_us: float
    last_database_us: float
    memory: float
    peak: float


@dataclass(frozen=True)
class Taking:
    """``exponent`` k of processor time ~ records^k, process and database together: 1 is linear."""

    steps: list[Step]
    exponent: float


@dataclass(frozen=True)
class Batch:
    """So far: records, seconds of processor in process and database, MB."""

    records: int
    process: float
    database: float
    memory: float
    peak: float


def measure(stage: Stage, *, quick: bool) -> Taking:
    """Records of two clusters in turns, in the batches of an import. Raises BenchmarkError."""
    steps = [step for step in STEPS if step <= (10_000 if quick else STEPS[-1])]
    bodies = [(load.events, load.body) for _, load in loads(steps[-1] // 2)]
    stage.clear("membership")
    batches = list(take(stage, bodies))
    stage.clear("membership")
    done = [_step(batches, step) for step in steps]
    times = [(step.records, (step.process_us + step.database_us) * step.records) for step in done]
    return Taking(done, exponent(times))


def take(stage: Stage, bodies: Sequence[tuple[int, bytes]]) -> Iterator[Batch]:
    """Give a process of its own one batch after the other; the first figures are from before the first."""
    with _process(stage) as process:
        send, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        _answer(answers)
        backend = psutil.Process(stage.query("membership", _BACKEND)[0][0])
        records, before = 0, (processor_seconds(process.pid), processor_seconds(backend.pid))
        yield Batch(0, 0.0, 0.0, memory_mb(process.pid), peak_mb(process.pid))
        for events, body in bodies:
            send.write(LENGTH.pack(len(body)) + body)
            send.flush()
            _answer(answers)
            records += events
            yield Batch(
                records,
                processor_seconds(process.pid) - before[0],
                processor_seconds(backend.pid) - before[1],
                memory_mb(process.pid),
                peak_mb(process.pid),
            )


@contextmanager
def _process(stage: Stage) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.taking_process"],
        cwd=CHECKOUT,
        env={**os.environ, **stage.stack.env, **stage.extra},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        cast("IO[bytes]", process.stdin).close()
        process.wait(30)


def _answer(answers: IO[bytes]) -> None:
    if answers.readline() != b"\n":
        raise BenchmarkError("the process that takes records in ended early: its errors are above")


def _step(batches: Sequence[Batch], count: int) -> Step:
    last = min(batches, key=lambda batch: abs(batch.records - count))
    before = max((batch for batch in batches if batch.records <= last.records * (1 - LAST)), key=lambda b: b.records)
    own = last.records - before.records
    return Step(
        records=count,
        process_us=last.process / last.records * 1e6,
        database_us=last.database / last.records * 1e6,
        last_process_us=(last.process - before.process) / own * 1e6,
        last_database_us=(last.database - before.database) / own * 1e6,
        memory=last.memory,
        peak=last.peak,
    )
