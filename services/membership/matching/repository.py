"""Which records are linked, in PostgreSQL.

Order of arrival must not show, though how common a key is changes with every record. So a batch is followed by two
questions: which pairs do the changed records make now, and which keys moved into another class of commonness by it?
The pairs that share such a key are judged again as well. Once all that is published is linked, what is stored is
therefore what judging all records from scratch would give. Tests shuffle batches, let several processes link at once,
and compare with :class:`candidates.Candidates`.

Requests that come meanwhile must not wait: pairs are judged in a thread, and written in slices.

The caller has the turn to consolidate (one writer at a time) and the transaction.
"""

from asyncio import to_thread
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.matching.candidates import Pair, alike, are_candidates
from services.membership.matching.features import Features
from services.membership.matching.keys import PLACES, keys
from services.membership.matching.score import Judge, Judgement
from services.membership.matching.sql import classes, crowds, features, pairs
from services.membership.matching.sql.candidates import Numbers, both, candidates_of, crowds_with_hubs_among
from services.membership.matching.sql.changes import Change, change_of, forget_all
from services.membership.matching.sql.columns import batches, versions
from services.membership.matching.sql.features import StaleRecognitionError
from services.membership.matching.sql.looking import Look
from services.membership.matching.sql.pairs import kept as kept_pairs
from services.membership.matching.sql.pairs import kept_among
from services.membership.matching.tables import matching_tables
from services.membership.matching.term_frequency import Commonness, Hubs
from services.membership.matching.weights import Weights
from services.membership.records.record import RecordKey

__all__ = ["StaleRecognitionError", "candidates", "change_of", "is_current", "kept_pairs", "rebuild", "recognise"]

BATCH: Final = 1_000
"""Records that are recognised at once when all are."""
_NO_CROWDS: Final[Mapping[str, Commonness]] = {}
_STATE = "select coalesce((select features = $1::int and weights = $2::int from match_state), true)"


@dataclass(slots=True)
class Found:
    """Pairs to judge, each once and in no order, and the classes to judge them with."""

    pairs: list[Pair]
    classes: dict[str, Commonness]
    again: list[tuple[RecordKey, RecordKey]] = field(default_factory=list[tuple[RecordKey, RecordKey]])
    """Pairs that were judged before, for a key of theirs moved; those among ``pairs``, and those that lapsed."""


async def make_private_tables(connection: AsyncConnection) -> None:
    """Empty tables of recognition for this session alone, in front of any that the database has."""
    await connection.exec_driver_sql("create extension if not exists pg_trgm")
    await connection.exec_driver_sql("set local search_path to pg_temp, public")
    private = sa.MetaData()
    matching_tables(private)
    await connection.run_sync(private.create_all, checkfirst=False)


async def is_current(connection: AsyncConnection, weights: Weights) -> bool:
    """Whether what is stored was made by this program with these weights; if not, :func:`rebuild` must run first."""
    return bool((await connection.exec_driver_sql(_STATE, versions(weights))).scalar_one())


async def rebuild(connection: AsyncConnection, records: Iterable[Features], weights: Weights) -> int:
    """Forget everything and recognise all records; how many they were.

    Who reads features or keys meanwhile waits; pairs can be read as they were until the transaction ends.
    """
    await forget_all(connection, weights)
    count = 0
    for batch in batches(records, BATCH):
        await recognise(connection, batch, [], weights)
        count += len(batch)
    return count


async def recognise(
    connection: AsyncConnection,
    changed: Sequence[Features],
    removed: Collection[RecordKey],
    weights: Weights,
    look: Look | None = None,
) -> set[RecordKey]:
    """Bring keys, features and judged pairs up to date with records that are new, changed or gone.

    A ``look`` at some of them spares looking again. Returns the records whose groups may be others now: the changed
    ones, and all that a changed pair has. Raises StaleRecognitionError, LookupError.
    """
    change = await change_of(connection, changed, removed, weights, look)
    result = await candidates(connection, change)
    judgements = [*await to_thread(judge_all, result, weights), *change.judgements]
    touched = {features.key for features in changed}.union(removed)
    touched |= await pairs.drop(connection, sorted(change.judged_before), result.again)
    await pairs.keep(connection, judgements, weights)
    return await to_thread(touched.union, (key for judgement in judgements for key in (judgement.a, judgement.b)))


def judge_all(result: Found, weights: Weights) -> list[Judgement]:
    """The judgements that are kept: of pairs that do not stay apart."""
    judge = Judge(weights)
    judged = (judge.unless_apart(a, b, result.classes) for a, b in result.pairs)
    return [judgement for judgement in judged if judgement is not None]


async def candidates(connection: AsyncConnection, change: Change) -> Found:
    """The candidate pairs of changed records, and those that share a key which moved into another class."""
    counted = change.counted
    everyone = await crowds.all_holders(connection, crowds_with_hubs_among(change.changed, counted))
    fresh = await candidates_of(connection, change.changed, counted, everyone)
    crossed, places = await _crossed(connection, change)
    wanted = {record for pair in fresh | crossed for record in pair}.union(*places)
    known = await features.load(connection, change.changed, wanted)
    crossed |= await to_thread(_alike_in, places, known)
    shared, hubs = await _of_shared(connection, change, known, crossed)
    return await to_thread(_found, known, fresh, crossed - fresh, counted.classes | shared, hubs)


def _found(
    known: Mapping[int, Features],
    fresh: set[Numbers],
    crossed: set[Numbers],
    classes: dict[str, Commonness],
    hubs: Hubs,
) -> Found:
    pairs = [_ordered(known[a], known[b]) for a, b in fresh]
    again = [_ordered(known[a], known[b]) for a, b in crossed]
    pairs += [(a, b) for a, b in again if are_candidates(a, b, classes, hubs)]
    return Found(pairs, classes, sorted((a.key, b.key) for a, b in again))


async def _crossed(connection: AsyncConnection, change: Change) -> tuple[set[Numbers], list[set[int]]]:
    """Pairs of other records that share a key whose class or hubs moved; and the records of places that did.

    Where pairs can only lapse, those that are kept are all that matter: a place that fills up has thousands of others.
    """
    linked = await crowds.linked_holders(connection, change.crossed | change.other_hubs.keys())
    others = {key: holders - change.batch for key, holders in linked.items()}
    listed = [key for key in change.crossed if key[0] not in PLACES]
    pairs = {pair for key in listed for pair in combinations(sorted(others.get(key, ())), 2)}
    pairs |= {pair for pair in await kept_among(connection, change.parting) if change.batch.isdisjoint(pair)}
    for key, hubs in change.other_hubs.items():
        holders = others.get(key, set[int]())
        pairs |= {both(hub, other) for hub in hubs & holders for other in holders if other != hub}
    return pairs, [others[key] for key in sorted(change.crossed & others.keys()) if key[0] in PLACES]


def _alike_in(places: Iterable[set[int]], known: Mapping[int, Features]) -> set[Numbers]:
    return {
        (a, b) for place in places for a, b in combinations(sorted(place), 2) if alike(known[a], known[b], _NO_CROWDS)
    }


async def _of_shared(
    connection: AsyncConnection, change: Change, known: Mapping[int, Features], crossed: set[Numbers]
) -> tuple[dict[str, Commonness], Hubs]:
    """Classes and hubs of what records share none of which changed: those that their pairs are judged by."""
    if not crossed:
        return {}, {}
    names = {number: item.key for number, item in known.items()}
    of = {record: keys(known[record]) for record in {record for pair in crossed for record in pair}}
    shared = {key for a, b in crossed for key in of[a] & of[b]}
    stored = await classes.judged(connection, shared - change.moving)
    by = {key: row.by for key, row in stored.items()}
    by |= {key: change.counted.of(key) for key in shared & change.moving}
    return (
        {key: value.commonness for key, value in by.items() if value.commonness != Commonness.RARE},
        {key: frozenset(names[hub] for hub in value.hubs if hub in names) for key, value in by.items()},
    )


def _ordered(a: Features, b: Features) -> Pair:
    return (a, b) if a.key < b.key else (b, a)
