"""What staff set by hand on a member's records, in force or taken back."""

from collections.abc import Mapping
from typing import Any

from services.membership.records.record import RecordKey
from services.membership.rows import Rows

_RECORDS = "select cluster, record_id from source_records where member_id = $1::uuid"
_IN_FORCE = """
    select o.cluster, o.record_id
    from source_records s join overrides o using (cluster, record_id)
    where s.member_id = $1::uuid and o.field = $2 and o.taken_back_at is null
    order by o.cluster, o.record_id
"""
_EVER_SET = """
    select o.cluster || '/' || o.record_id, o.field, o.value, o.author, o.at, o.reason,
           o.taken_back_by, o.taken_back_at, o.taken_back_reason
    from source_records s join overrides o using (cluster, record_id)
    where s.member_id = $1::uuid
    order by o.id desc
"""


async def records_of_member(rows: Rows, member_id: str) -> set[RecordKey]:
    """The member's source records, and those that were removed and lead to it."""
    return {RecordKey(cluster, record_id) for cluster, record_id in await rows.fetch(_RECORDS, member_id)}


async def records_with_override(rows: Rows, member_id: str, field: str) -> list[RecordKey]:
    """The member's records on which this field is set."""
    return [RecordKey(cluster, record_id) for cluster, record_id in await rows.fetch(_IN_FORCE, member_id, field)]


async def overrides_ever_set(rows: Rows, member_id: str) -> list[Mapping[str, Any]]:
    """All values ever set on the member's records, the newest first; ``taken_back`` is None while one is in force."""
    return [_override(row) for row in await rows.fetch(_EVER_SET, member_id)]


def _override(row: Any) -> dict[str, Any]:
    record, field, value, author, at, reason, by, back_at, why = row
    taken_back = None if back_at is None else {"by": by, "at": back_at, "reason": why}
    return {
        "record": record,
        "field": field,
        "value": value,
        "author": author,
        "at": at,
        "reason": reason,
        "taken_back": taken_back,
    }
