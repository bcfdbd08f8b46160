"""Publish first, look later: what of recognition needs no turn.

Records of which nothing was known are published, and only once that is committed their candidates are looked for. Of
two records the one that is published later sees the other. So each pair is looked at, by one or by both, though nobody
waits for anybody. :func:`repository.recognise` then goes by a look as far as nothing that it rests on has moved.
"""

from asyncio import to_thread
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.matching.features import Features
from services.membership.matching.keys import keys
from services.membership.matching.score import Judge, Judgement
from services.membership.matching.sql import classes, crowds, features
from services.membership.matching.sql.candidates import Numbers, candidates_of, crowds_with_hubs_among
from services.membership.matching.sql.classes import Counted, Judged
from services.membership.matching.sql.features import Publishable, publishable
from services.membership.matching.term_frequency import Classes
from services.membership.matching.weights import Weights
from services.membership.records.record import RecordKey

__all__ = ["Look", "Looked", "Publishable", "judged", "known", "look", "publish", "publishable"]


class Looked(NamedTuple):
    """A pair that does not stay apart."""

    numbers: Numbers
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of published records from ``revision`` on, before anybody's turn."""

    revision: int
    pending: frozenset[int]
    """What was published, and could be seen."""
    records: dict[int, Features]
    counted: Counted
    judged_by: dict[str, Judged]
    pairs: list[Looked]


async def publish(
    connection: AsyncConnection, parts: AsyncGenerator[Publishable], weights: Weights
) -> dict[int, Features]:
    """Publish those of which nothing is known; returns them by number. Commit before you look.

    ``parts`` are in the order of their records' keys. Raises StaleRecognitionError.
    """
    return await features.publish(connection, parts, weights)


async def known(connection: AsyncConnection, records: Collection[RecordKey], weights: Weights) -> set[RecordKey]:
    """Those of these records of which something is known. Raises StaleRecognitionError."""
    # A rebuild empties this table first: in another order the two would block each other.
    await features.revision(connection, weights)
    return await features.known(connection, records)


async def look(connection: AsyncConnection, records: Mapping[int, Features], weights: Weights) -> Look:
    """Find and judge the candidates of published records. Raises StaleRecognitionError, LookupError."""
    revision = await features.revision(connection, weights)
    moving = {key for item in records.values() for key in keys(item)}
    pending = await features.pending(connection)
    judged_by = await classes.judged(connection, moving)
    counted = await classes.count(connection, moving, records)
    everyone = await crowds.all_holders(connection, crowds_with_hubs_among(records, counted))
    pairs = await candidates_of(connection, records, counted, everyone)
    known = await features.load(connection, records, {record for pair in pairs for record in pair})
    found = await to_thread(judged, pairs, known, counted.classes, weights)
    return Look(
        revision=revision,
        pending=pending,
        records=dict(records),
        counted=counted,
        judged_by=judged_by,
        pairs=found,
    )


def judged(pairs: set[Numbers], known: Mapping[int, Features], by: Classes, weights: Weights) -> list[Looked]:
    """The pairs that do not stay apart. One whose record was withdrawn meanwhile is none."""
    judge = Judge(weights)
    judgements = (
        (pair, judge.unless_apart(known[pair[0]], known[pair[1]], by))
        for pair in sorted(pairs)
        if pair[0] in known and pair[1] in known
    )
    return [Looked(pair, judgement) for pair, judgement in judgements if judgement is not None]
