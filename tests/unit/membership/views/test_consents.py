"""The most restrictive wins: between records, in time, and across channels."""

from typing import Any

import orjson

from services.membership.records.record import RecordKey, SourceRecord
from services.membership.views.consolidation import Related, consolidate


def a_record(record_id: str = "1", **written: Any) -> SourceRecord:
    return SourceRecord(
        RecordKey("numelink", record_id), {"name": "Ateliers", **written}, {}, None, None, "ATELIERS", None
    )


def a_consent(item_id: str, record_id: str = "1", **document: Any) -> Related:
    answer = {"channel": "email", "purpose": "news", "status": "granted", "decided_at": "2026-01-01T09:00:00Z"}
    return Related("consent", RecordKey("numelink", record_id), item_id, answer | document)


def allowed(records: list[SourceRecord], *consents: Related) -> dict[tuple[str, str], bool]:
    view = orjson.loads(consolidate(records, consents).document)
    return {(item["channel"], item["purpose"]): item["allowed"] for item in view["consents"]["in_force"]}


def test_the_last_decision_counts_by_the_instant_and_not_by_how_it_is_written() -> None:
    granted = a_consent("1", decided_at="2026-01-01T10:30:00+02:00")
    withdrawn = a_consent("2", status="withdrawn", decided_at="2026-01-01T09:00:00Z")
    assert allowed([a_record()], granted, withdrawn) == {("email", "news"): False}
    later = a_consent("3", decided_at="2026-01-01T09:00:00.5Z")
    assert allowed([a_record()], granted, withdrawn, later) == {("email", "news"): True}


def test_of_two_decisions_at_one_instant_the_refusal_counts() -> None:
    assert allowed([a_record()], a_consent("1", status="refused"), a_consent("2")) == {("email", "news"): False}


def test_one_record_that_refuses_forbids_for_all() -> None:
    records = [a_record("1"), a_record("2")]
    assert not allowed(records, a_consent("1"), a_consent("2", "2", status="refused"))["email", "news"]


def test_an_opt_out_forbids_every_purpose_of_its_channel_and_what_it_covers() -> None:
    result = allowed(
        [a_record(opt_outs=["email"])], a_consent("1"), a_consent("2", purpose="*"), a_consent("3", channel="post")
    )
    assert result == {
        ("bulk-email", "*"): False,
        ("email", "*"): False,
        ("email", "news"): False,
        ("post", "news"): True,
    }
