"""What membership mirrors of a former system, for comparing the two: source records as written."""

from collections.abc import Mapping
from typing import Any

from schemas.membership import MemberRecorded, MemberRemoved
from services.cutover.parity.held import Kind

_RECORDS = """
    select record_id, written::text as written from source_records
    where cluster = $1 and record_id > $2 and not removed order by record_id limit $3
"""


def _member(row: Mapping[str, Any]) -> MemberRecorded:
    return MemberRecorded.model_validate_json(row["written"])


KINDS = (Kind("member", MemberRecorded, "record_id", _RECORDS, _member, removal=MemberRemoved),)
