"""A record as it must be now, and what follows from what its former system states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from schemas.membership import MemberRemoved
from tests.support.interleaving.former_system import MARK, Stated


class RecordVersion(NamedTuple):
    """Which writing of a record: the larger is the newer."""

    version: int
    digest: str


NEVER = RecordVersion(-1, "")
OLDEST = RecordVersion(0, "")


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it must be now."""

    newest: RecordVersion = NEVER
    told: RecordVersion = NEVER
    mark: str | None = None
    removed: bool = False
    here: bool = False


def following(record: Record, answer: Sequence[Stated]) -> Record | None:
    """The record after its former system said this; None if it stays as it is."""
    newest = max(answer, key=edition)
    contents = [item for item in answer if item.mark is not None]
    content = max(contents, key=edition, default=None)
    if record.here:
        record = replace(record, newest=OLDEST, told=OLDEST)
    moves_on = edition(newest) > record.newest
    has_more = content is not None and edition(content) > record.told
    if not moves_on and not has_more:
        return None
    return Record(
        edition(newest) if moves_on else record.newest,
        edition(content) if content is not None and has_more else record.told,
        content.mark if content is not None and has_more else record.mark,
        isinstance(newest.fact, MemberRemoved) if moves_on else record.removed,
    )


def edition(answer: Stated) -> RecordVersion:
    return RecordVersion(answer.fact.version, answer.digest.hex())


def newest(record: Record | None) -> RecordVersion:
    return NEVER if record is None else record.newest


def text(record: Record, answer: Stated) -> bool:
    return record.removed if isinstance(answer.fact, MemberRemoved) else record.mark == answer.mark


def is_stored(record: Record, answer: Stated) -> bool:
    """Whether it says just what is held. A mark names one writing of one record."""
    theirs = record.newest != NEVER and not record.removed
    return not theirs if isinstance(answer.fact, MemberRemoved) else theirs and record.mark == answer.mark


def record_left(row: Mapping[str, Any]) -> Record:
    """A row of source_records, as JSON."""
    return Record(
        RecordVersion(row["version"], row["digest"].removeprefix("\\x")),
        RecordVersion(row["written_version"], row["written_digest"].removeprefix("\\x")),
        row["written"].get("extra", {}).get(MARK),
        row["removed"],
        row["written_here"],
    )
