"""One source record as it is written now, who may change it, and what commands did to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.cutover import Stage
from services.cutover.stages import OURS
from services.membership.records.record import RecordKey
from services.membership.rows import Rows
from shared.persistence.database import json_of

_RECORD = """
    select r.version, r.digest, r.removed, r.written, r.member_id::text, coalesce(s.stage, 'legacy')
    from source_records r left join stages s using (cluster)
    where r.cluster = $1 and r.record_id = $2
"""
_CHANGES = """
    select id, version, command, at, author, key_id, reason, fields from record_changes
    where cluster = $1 and record_id = $2 and id < $3 order by id desc limit $4
"""


@dataclass(frozen=True, slots=True)
class RecordNow:
    """A source record; ``written`` is empty once it is removed."""

    version: int
    digest: bytes
    removed: bool
    written: Mapping[str, Any]
    member_id: str | None
    stage: Stage

    @property
    def is_ours(self) -> bool:
        """Whether it is changed here, and not in a former system."""
        return self.stage in OURS


async def record_now(rows: Rows, key: RecordKey) -> RecordNow | None:
    """The record, or None if nobody ever told of it."""
    for version, digest, removed, written, member_id, stage in await rows.fetch(_RECORD, *key):
        return RecordNow(version, digest, removed, json_of(written), member_id, stage)
    return None


async def changes_of(rows: Rows, key: RecordKey, *, before: int, limit: int) -> list[tuple[int, dict[str, Any]]]:
    """What commands did to the record, the newest first, each with its number."""
    return [
        (
            number,
            {
                "version": version,
                "command": command,
                "at": at,
                "author": author,
                "key_id": key_id,
                "reason": reason,
                "fields": list(fields),
            },
        )
        for number, version, command, at, author, key_id, reason, fields in await rows.fetch(
            _CHANGES, *key, before, limit
        )
    ]
