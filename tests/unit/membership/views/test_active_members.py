"""Who is an active member, by what the linked records say of a membership."""

import pytest

from services.membership.records.record import RecordKey, SourceRecord
from services.membership.views.consolidation import consolidate

COMPANY = {"is_member": False}


def active(*answer: dict[str, object]) -> bool:
    records = [
        SourceRecord(RecordKey("a", str(at)), {"name": "ACME", **item}, {}, None, None, "acme", None)
        for at, item in enumerate(answer)
    ]
    return consolidate(records, []).active


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([COMPANY], False),
        ([COMPANY, {"status": "ended"}], False),
        ([COMPANY, {"status": "pending"}], False),
        ([COMPANY, {"status": "active"}], True),
        ([{"status": "ended"}, {"status": "active"}], True),
        ([{}], True),
        ([{}, {"status": "ended"}], True),
    ],
)
def test_only_a_record_of_a_membership_makes_an_active_member(answer: list[dict[str, object]], expected: bool) -> None:
    assert active(*answer) is expected
