"""Recognition alone, in membership's database: what a record costs as the house grows, and where the time goes."""

import gc
import inspect
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any
from unittest.mock import patch

import uvloop
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cli.importing.reading import FormerSystem, open_files
from services.membership.matching import repository as matching_repository
from services.membership.matching.features import Features, features
from services.membership.matching.sql import candidates, classes, pairs
from services.membership.matching.sql import features as stored
from services.membership.matching.weights import shipped
from services.membership.normalisation.normalised_record import meaning
from services.membership.records.record import RecordKey, SourceRecord
from shared.importing.outcomes import Accepted
from shared.persistence.database import create_engine
from tests.benchmarks.members import FILES, exponent, exports
from tests.benchmarks.stage import Stage

STEPS = (1_000, 10_000, 30_000, 100_000)
BATCH = 500
SINGLES = 500
BUDGET = 300.0
"""Seconds after which the house grows no more."""
PARTS = {
    (stored, "stored"): "known before",
    (classes, "count"): "counting",
    (classes, "judged"): "counting",
    (classes, "judge"): "writing",
    (stored, "forget"): "writing",
    (stored, "write"): "writing",
    (candidates, "_by_key"): "by key",
    (candidates, "_by_name"): "by name",
    (stored, "load"): "loading",
    (matching_repository, "judge_all"): "judging",
    (pairs, "drop"): "writing",
    (pairs, "keep"): "writing",
}
"""Functions of ``recognition``, none of which calls another, and what they are for. What is left is Python between."""


@dataclass(frozen=True)
class Step:
    """All records up to ``records``: µs for each on average, and for each of the last fifth, also by part."""

    records: int
    seconds: float
    average_us: float
    marginal_us: float
    parts_us: dict[str, float]


@dataclass(frozen=True)
class Single:
    """Milliseconds for one new record and its commit, among so many; ``parts`` on average."""

    records: int
    p50: float
    p95: float
    p99: float
    parts_ms: dict[str, float]


@dataclass(frozen=True)
class Recognition:
    """``exponent`` k of seconds ~ records^k: 1 is linear. ``pairs`` are those merged or for review."""

    steps: list[Step]
    exponent: float
    single: Single
    pairs: int


@dataclass(frozen=True)
class _Batch:
    records: int
    """With all before it."""
    seconds: float
    parts: dict[str, float]


def measure(where: Stage, *, quick: bool) -> Recognition:
    """Recognise two clusters' records in turns, in batches; and at the last but one step, some hundred one by one."""
    steps = [step for step in STEPS if step <= (10_000 if quick else 100_000)]
    records = _records(steps[-1] + SINGLES)
    where.clear("membership")
    # No service holds a hundred thousand records: looking through ours for garbage is not part of the price.
    gc.collect()
    gc.freeze()
    batches, single = uvloop.run(_grow(where.database_url("membership"), records, steps[-1], steps[-2]))
    gc.unfreeze()
    pairs = where.query("membership", "select count(*) from match_pairs")[0][0]
    done = [_step(batches, step) for step in steps if step <= batches[-1].records]
    if batches[-1].records < steps[-1]:
        done.append(_step(batches, batches[-1].records))
    return Recognition(done, exponent([(step.records, step.seconds) for step in done]), single, pairs)


async def _grow(url: str, records: Sequence[Features], most: int, single_at: int) -> tuple[list[_Batch], Single]:
    engine = create_engine(url, application="bench", pool_size=1)
    batches: list[_Batch] = []
    spent = 0.0
    single = None
    async with engine.connect() as connection:
        for start in range(0, most, BATCH):
            if start == single_at:
                single = await _one_by_one(connection, records[most:], start)
            if spent > BUDGET:
                break
            batches.append(await _recognise(connection, records[start : start + BATCH], start))
            spent += batches[-1].seconds
    await engine.dispose()
    assert single is not None
    return batches, single


async def _one_by_one(connection: AsyncConnection, records: Sequence[Features], among: int) -> Single:
    done = [await _recognise(connection, [record], among) for record in records]
    percent = quantiles((batch.seconds * 1e3 for batch in done), n=100)
    parts = {name: total / len(done) * 1e3 for name, total in _sum(done).items()}
    return Single(among, percent[49], percent[94], percent[98], parts)


async def _recognise(connection: AsyncConnection, records: Sequence[Features], before: int) -> _Batch:
    with _timed() as parts:
        began = time.perf_counter()
        await matching_repository.recognise(connection, records, [], shipped())
        await connection.commit()
        seconds = time.perf_counter() - began
    return _Batch(before + len(records), seconds, dict(parts))


# --- where the time goes -------------------------------------------------------------------------------------------


@contextmanager
def _timed() -> Generator[defaultdict[str, float]]:
    """Seconds by part, while this lasts."""
    spent = defaultdict[str, float](float)
    with ExitStack() as stack:
        for (module, name), part in PARTS.items():
            stack.enter_context(patch.object(module, name, _timing(getattr(module, name), part, spent)))
        yield spent


def _timing(function: Callable[..., Any], part: str, spent: defaultdict[str, float]) -> Callable[..., Any]:
    async def awaited(*arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return await function(*arguments)
        finally:
            spent[part] += time.perf_counter() - began

    def called(*arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            spent[part] += time.perf_counter() - began

    return awaited if inspect.iscoroutinefunction(function) else called


def _sum(batches: Sequence[_Batch]) -> dict[str, float]:
    total = defaultdict[str, float](float)
    for batch in batches:
        for part, seconds in batch.parts.items():
            total[part] += seconds
    total["between and commit"] = sum(batch.seconds for batch in batches) - sum(total.values())
    return dict(total)


def _step(batches: Sequence[_Batch], count: int) -> Step:
    all_of_them = [batch for batch in batches if batch.records <= count]
    last = [batch for batch in all_of_them if batch.records > min(count * 0.8, count - 2 * BATCH)]
    seconds, own = sum(batch.seconds for batch in all_of_them), len(last) * BATCH
    marginal = sum(batch.seconds for batch in last) / own
    parts = {name: total / own * 1e6 for name, total in _sum(last).items()}
    return Step(count, seconds, seconds / count * 1e6, marginal * 1e6, parts)


# --- records -------------------------------------------------------------------------------------------------------


def _records(count: int) -> list[Features]:
    """Of two clusters in turns, as the import reads their exports."""
    with tempfile.TemporaryDirectory() as folder:
        generated = exports(Path(folder), count // 2 + BATCH)
        clusters = [_features(cluster, [generated.paths[name] for name in names]) for cluster, names in FILES.items()]
    longest = max(len(cluster) for cluster in clusters)
    turns = [
        features for at in range(0, longest, BATCH) for cluster in clusters for features in cluster[at : at + BATCH]
    ]
    return turns[:count]


def _features(cluster: str, paths: list[Path]) -> list[Features]:
    facts = (
        outcome.fact
        for file in open_files(FormerSystem(cluster, "membership"), paths)
        for outcome in file.outcomes
        if isinstance(outcome, Accepted)
    )
    return [features(_record(cluster, fact)) for fact in facts]


def _record(cluster: str, fact: Any) -> SourceRecord:
    understood = meaning(fact, None)
    return SourceRecord(
        RecordKey(cluster, fact.record_id),
        fact.model_dump(mode="json", exclude_none=True),
        understood.document,
        understood.siren,
        understood.same_as,
        understood.name_key,
        None,
    )
