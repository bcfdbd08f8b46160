"""What it brings to publish records first: the same batches with the turn alone, and by one, two and four processes.

Both ways alternate in one run. All start once everything is imported and connected, all end in the same bytes of views
and pairs, or the run fails. No broker and no HTTP: what is measured is understanding, recognising, linking and writing.
"""

import asyncio
import gc
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, Final

import uvloop

from deploy.demo.generate import generate
from schemas.envelope import Envelope
from schemas.membership import MemberRecorded
from schemas.reading import read
from services.cli.importing.reading import FormerSystem, messages, open_files
from services.membership.policy import policy_of
from services.membership.settings import MembershipSettings
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.keep_records import record_members
from services.membership.usecases.take_in import take_in
from shared.persistence.database import create_engine
from tests.benchmarks.members import FILES
from tests.benchmarks.quiet import MOST, machine
from tests.benchmarks.stage import BenchmarkError, Stage

BATCH: Final = 128
WAYS: Final = ((1, False), (1, True), (2, True), (4, True))
"""How many processes, and whether they publish first. The first way is what the others are compared with."""
_END = """
    select (select md5(string_agg((to_jsonb(v) - 'updated_at')::text, '' order by member_id)) from views v)
        || (select md5(string_agg(to_jsonb(p)::text, '' order by a_cluster, a_record_id, b_cluster, b_record_id))
            from match_pairs p)
"""

Batches = Sequence[Sequence[Envelope[Any]]]


@dataclass(frozen=True)
class Run:
    """One way, once.

    ``cpu_us`` of each record, the database's included. ``turn`` is the share of its time that a process has the turn.
    """

    processes: int
    first: bool
    per_second: float
    cpu_us: float
    turn: float
    others: float


@dataclass(frozen=True)
class Linking:
    """All runs, in the order in which they came."""

    records: int
    runs: list[Run]

    def of(self, way: tuple[int, bool]) -> list[Run]:
        """One way's."""
        return [run for run in self.runs if (run.processes, run.first) == way]

    def ratios(self, way: tuple[int, bool]) -> list[float]:
        """To the first way, round by round."""
        both = zip(self.of(way), self.of(WAYS[0]), strict=True)
        return [run.per_second / base.per_second for run, base in both]

    @property
    def is_quiet(self) -> bool:
        """Whether others left the machine alone."""
        return median(run.others for run in self.runs) <= MOST


def measure(stage: Stage, *, quick: bool) -> Linking:
    """Both ways in turns: five rounds. Raises BenchmarkError if two of them end differently."""
    batches = _batches(500 if quick else 3_000)
    runs: list[Run] = []
    ends: set[str] = set()
    for number in range(2 if quick else 5):
        # Whoever comes first finds the caches colder.
        for processes, first in WAYS if number % 2 == 0 else WAYS[::-1]:
            stage.clear("membership")
            runs.append(_run(stage, batches, processes, first=first))
            ends.add(stage.query("membership", _END)[0][0])
    if len(ends) != 1:
        raise BenchmarkError("the same records ended in different views or pairs")
    return Linking(sum(map(len, batches)), runs)


def _run(stage: Stage, batches: Batches, processes: int, *, first: bool) -> Run:
    # Forked, so that batches need not be read again; the parent holds no connection and no loop.
    context = get_context("fork")
    started: list[tuple[Any, Connection]] = []
    for at in range(processes):
        ours, theirs = context.Pipe()
        arguments = (stage.database_url("membership"), batches[at::processes], first, theirs)
        process = context.Process(target=_worker, args=arguments)
        process.start()
        started.append((process, ours))
    for _, pipe in started:
        pipe.recv()
    with machine() as used:
        for _, pipe in started:
            pipe.send("go")
        spent = [pipe.recv() for _, pipe in started]
    for process, _ in started:
        process.join()
    records, turn = sum(map(len, batches)), sum(item[0] for item in spent)
    return Run(
        processes=processes,
        first=first,
        per_second=records / used.seconds,
        cpu_us=used.ours / records * 1e6,
        turn=turn / sum(item[1] for item in spent),
        others=used.others,
    )


def _worker(url: str, batches: Batches, first: bool, pipe: Connection) -> None:
    gc.freeze()
    uvloop.run(_work(url, batches, first, pipe))


async def _work(url: str, batches: Batches, first: bool, pipe: Connection) -> None:
    settings = MembershipSettings(database_url=url, broker_url="amqp://nobody")  # pyright: ignore[reportCallIssue]
    begin = partial(MembershipUnitOfWork, policy=policy_of(settings))
    engine = create_engine(url, application="bench", pool_size=2)
    loop = asyncio.get_running_loop()
    async with engine.connect() as connection:
        await connection.exec_driver_sql("select 1")
    pipe.send("ready")
    pipe.recv()
    began, with_turn = loop.time(), 0.0
    for batch in batches:
        taken = await take_in(engine, begin, batch) if first else None
        async with engine.begin() as connection:
            uow = begin(connection)
            uow.prepared = taken
            await uow.serialise_writers()
            got_it = loop.time()
            await record_members(uow, batch)
        with_turn += loop.time() - got_it
    took = loop.time() - began
    await engine.dispose()
    pipe.send((with_turn, took))


def _batches(each: int) -> list[list[Envelope[Any]]]:
    """Two clusters' records, batches of both mixed, always in the same order."""
    result: list[list[Envelope[Any]]] = []
    with tempfile.TemporaryDirectory() as folder:
        exports = generate(Path(folder), members=each)
        for cluster, names in FILES.items():
            system = FormerSystem.named(f"{cluster}/membership")
            files = open_files(system, [exports.paths[name] for name in names])
            envelopes = [
                item
                for message in messages(system, files, batch=500)
                for item in read(MemberRecorded, message.body, message.content_type, {})
                if isinstance(item, Envelope)
            ]
            result += [envelopes[at : at + BATCH] for at in range(0, len(envelopes), BATCH)]
    random.Random(1).shuffle(result)
    return result
