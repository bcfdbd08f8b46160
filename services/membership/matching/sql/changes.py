"""What a batch changes: features and keys written with the turn, and which classes of keys move by it.

A record that was published and looked at needs no second look, unless what it was judged by moved meanwhile: a class,
a crowd's hubs, or another record that was changed with the turn.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.matching.candidates import are_candidates
from services.membership.matching.features import Features
from services.membership.matching.keys import PLACES, keys
from services.membership.matching.score import Judgement
from services.membership.matching.sql import classes, crowds, features
from services.membership.matching.sql.candidates import Numbers, both
from services.membership.matching.sql.classes import Counted, Judged, KeyClass, judged_by
from services.membership.matching.sql.columns import versions
from services.membership.matching.sql.features import Stored
from services.membership.matching.sql.looking import Look, Looked, judged
from services.membership.matching.term_frequency import Commonness, only_parts
from services.membership.matching.weights import Weights
from services.membership.records.record import RecordKey
from shared.persistence.statements import execute

MOST_COMPARED: Final = 5_000
"""Pairs of looked at and changed records that are compared in memory; beyond that, looking again costs less."""


@dataclass(slots=True)
class Change:
    """A batch as it was stored. Records go by their numbers in ``match_features``."""

    batch: set[int]
    changed: dict[int, Features]
    """Those whose candidates are looked for now."""
    judged_before: set[RecordKey]
    """Those all of whose pairs lapse."""
    moving: set[str]
    """Keys that records of the batch have, or had."""
    counted: Counted
    crossed: set[str]
    """Keys that moved into another class: what their holders make is judged anew."""
    parting: set[str]
    """Keys that became crowds, and by which pairs can only lapse: those that are kept are judged anew."""
    other_hubs: dict[str, frozenset[int]]
    """Of crowds that were crowds before: who is a hub no more, or was none before."""
    judgements: list[Judgement] = field(default_factory=list[Judgement])
    """Of those who were looked at."""


async def forget_all(connection: AsyncConnection, weights: Weights) -> None:
    """Empty all tables of recognition."""
    await execute(
        connection, "truncate match_state, match_features, match_keys, match_pending, match_classes, match_crowds"
    )
    await execute(connection, "delete from match_pairs")
    await execute(connection, "insert into match_state (features, weights) values ($1, $2)", versions(weights))


async def change_of(
    connection: AsyncConnection,
    changed: Sequence[Features],
    removed: Collection[RecordKey],
    weights: Weights,
    look: Look | None = None,
) -> Change:
    """Store keys and features of changed records, forget removed ones, and tell what that does to the keys.

    Nothing is done about a record whose features are those that it has already. Raises StaleRecognitionError.
    """
    revision = await features.revision(connection, weights)
    published = await _as_published(connection, changed, look)
    rest = _without(changed, published.values())
    known = await features.stored(connection, sorted({*(item.key for item in rest), *removed}))
    lapsed, rest = _lapsed(known, rest)
    written = dict[int, Features]()
    following = revision
    if lapsed or rest or published:
        following = await features.next_revision(connection, weights)
        await features.forget(connection, lapsed, set(removed))
        written = await features.write(connection, rest, following)
    batch = published | written
    moving = {key for item in lapsed for key in item.keys}.union(*map(keys, batch.values()))
    if look is not None and not lapsed and not written and published.keys() == look.records.keys():
        counted, before = await _counted_since(connection, look, revision)
    else:
        counted, before = await classes.count(connection, moving, batch), await classes.judged(connection, moving)
    moved = counted.moved(before)
    await classes.judge(connection, moved, following)
    await crowds.remember(connection, {key: row.by.commonness for key, row in before.items()}, counted.classes)
    await features.linked(connection, {*batch, *(item.record for item in known)})
    crossed = {key for key in moved if moved[key].commonness != judged_by(before, key).commonness}
    parting = {key for key in crossed if only_parts(key, judged_by(before, key).commonness, moved[key].commonness)}
    change = Change(
        batch=set(batch),
        changed=written,
        judged_before={item.key for item in lapsed},
        moving=moving,
        counted=counted,
        crossed=crossed - parting,
        parting=parting,
        other_hubs=_other_hubs(before, moved),
    )
    if look is not None and published:
        await _go_by_look(
            connection, change, published, look, _unsteady(look, before, moved, counted), revision, weights
        )
    return change


async def _counted_since(
    connection: AsyncConnection, look: Look, revision: int
) -> tuple[Counted, Mapping[str, Judged]]:
    """The keys of a look as they are now, and what pairs were judged by, if a batch is what was looked at.

    Whoever linked since counted these records too, for they were published, and wrote down what moved. So a key is as
    it was seen, or as its row says: where both are one, there is nothing to count. Only what others published unseen,
    and did not link yet, is in neither.
    """
    unseen = await features.keys_of_others_pending(connection, look.pending)
    doubtful = {key for item in look.records.values() for key in keys(item) & unseen}
    before = look.judged_by
    if revision != look.revision:
        before = await classes.judged(connection, {key for item in look.records.values() for key in keys(item)})
        doubtful |= look.counted.moved(before).keys()
    if not doubtful:
        return look.counted, before
    own = {number: item for number, item in look.records.items() if not doubtful.isdisjoint(keys(item))}
    return look.counted.but_for(doubtful, await classes.count(connection, doubtful, own)), before


async def _as_published(
    connection: AsyncConnection, changed: Iterable[Features], look: Look | None
) -> dict[int, Features]:
    """Those of the changed records that are in the look and in the database as they are now."""
    if look is None or not look.records:
        return {}
    now = {item.key: item for item in changed}
    same = {number: item for number, item in look.records.items() if now.get(item.key) == item}
    unchanged = await features.unchanged(connection, same)
    return {number: item for number, item in same.items() if number in unchanged}


def _without(records: Iterable[Features], others: Iterable[Features]) -> list[Features]:
    left_out = {item.key for item in others}
    return [item for item in records if item.key not in left_out]


def _lapsed(known: Sequence[Stored], records: Sequence[Features]) -> tuple[list[Stored], list[Features]]:
    """What is stored otherwise, or was never linked; and the records that must be written."""
    documents = {item.key: features.document_of(item) for item in records}
    lapsed = [item for item in known if item.pending or item.features != documents.get(item.key)]
    same = {item.key for item in known} - {item.key for item in lapsed}
    return lapsed, [item for item in records if item.key not in same]


def _other_hubs(before: Mapping[str, Judged], moved: Mapping[str, KeyClass]) -> dict[str, frozenset[int]]:
    """A key that became a crowd, or is none any more, crossed into another class instead."""
    crowded = Commonness.CROWDED
    stayed = {key: now for key, now in moved.items() if now.commonness == crowded == judged_by(before, key).commonness}
    return {key: now.hubs ^ judged_by(before, key).hubs for key, now in stayed.items()}


# --- going by a look -----------------------------------------------------------------------------------------------


def _unsteady(look: Look, before: Mapping[str, Judged], moved: Mapping[str, KeyClass], counted: Counted) -> set[str]:
    """Keys that are not now as they were seen, or that moved since, if only to and fro."""
    seen = {*look.counted.classes, *look.counted.hubs, *counted.classes, *counted.hubs}
    return _moved_since(look, before).union(moved, (key for key in seen if look.counted.of(key) != counted.of(key)))


def _moved_since(look: Look, rows: Mapping[str, Judged]) -> set[str]:
    return {key for key, row in rows.items() if row.revision > look.revision}


async def _go_by_look(
    connection: AsyncConnection,
    change: Change,
    published: Mapping[int, Features],
    look: Look,
    unsteady: set[str],
    revision: int,
    weights: Weights,
) -> None:
    """Take over what was seen; who holds what moved since is looked for again."""
    again = {number: item for number, item in published.items() if not unsteady.isdisjoint(keys(item))}
    others = dict[int, Features]()
    if revision != look.revision:
        since = await features.changed_since(connection, look.revision)
        others = {number: item for number, item in since.items() if number not in change.batch}
        if len(others) * len(published) > MOST_COMPARED:
            again = dict(published)
        listed = {key for item in again.values() for key in keys(item) if key[0] not in PLACES}
        few = {key for key in listed if change.counted.classes.get(key) != Commonness.CROWDED}
        # Those who linked since found their pairs with these records, which are dropped now.
        holders = await crowds.all_holders(connection, few)
        change.counted = replace(change.counted, holders=change.counted.holders | holders)
    change.changed = change.changed | again
    change.judged_before |= {item.key for item in again.values()}
    steady = {number: item for number, item in published.items() if number not in again}
    pairs = [pair for pair in look.pairs if _goes(pair.numbers, steady, change.changed, others)]
    if revision != look.revision:
        there = await features.present(connection, {number for pair in pairs for number in pair.numbers})
        pairs = [pair for pair in pairs if there.issuperset(pair.numbers)]
        pairs += _with_changed(steady, others, change.counted, weights)
    change.judgements = [pair.judgement for pair in pairs]


def _goes(
    pair: Numbers, steady: Mapping[int, Features], changed: Mapping[int, Features], others: Mapping[int, Features]
) -> bool:
    """Whether a pair is as it was seen: one of its records is steady, and the other is looked at by nobody now."""
    looked_at_now = not (changed.keys().isdisjoint(pair) and others.keys().isdisjoint(pair))
    return not looked_at_now and not steady.keys().isdisjoint(pair)


def _with_changed(
    steady: Mapping[int, Features], others: Mapping[int, Features], counted: Counted, weights: Weights
) -> list[Looked]:
    """Pairs with records that were changed with the turn since the look."""
    known = {**steady, **others}
    names = {number: item.key for number, item in known.items()}
    hubs = {key: frozenset(names[hub] for hub in of if hub in names) for key, of in counted.hubs.items()}
    pairs = {
        both(number, other)
        for number, item in steady.items()
        for other, that in others.items()
        if are_candidates(item, that, counted.classes, hubs)
    }
    return judged(pairs, known, counted.classes, weights)
