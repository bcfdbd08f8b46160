"""What membership mirrors of a former system, for comparing the two: source records as written."""

from collections.abc import Mapping
from typing import Any

from schemas.membership import MemberRecorded, MemberRemoved
from services.cutover.parity.mirror_reader import Kind


def _member(row: Mapping[str, Any]) -> MemberRecorded:
    return MemberRecorded.model_validate_json(row["written"])


KINDS = (
    Kind(
        "member",
        MemberRecorded,
        "record_id",
        "m.written::text as written",
        "source_records",
        _member,
        removal=MemberRemoved,
        present="not m.removed",
    ),
)
