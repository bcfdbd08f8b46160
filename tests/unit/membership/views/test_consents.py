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


def _suppressed(record_id: str = "1", **different: Any) -> Related:
    usual = {"covers": "bulk", "purpose": "news", "reason": "objection", "source": "own-act", "concerns": "record"}
    line = usual | {"since": "2026-03-01T09:00:00Z"} | different
    document = {"suppressed": [{name: value for name, value in line.items() if value is not None}]}
    return Related("preferences", RecordKey("numelink", record_id), record_id, document)


def test_what_keeps_mail_from_a_member_is_shown_with_its_record_and_reason() -> None:
    stated = [
        _suppressed(),
        _suppressed("2", reason="unknown-user", source="returned-mail", concerns="address", covers="everything"),
        _suppressed("3", source="former-system", known_in="numelink", since=None),
    ]
    records = [a_record("1"), a_record("2"), a_record("3")]
    section = orjson.loads(consolidate(records, stated).document)["consents"]
    assert [(item["from"], item["reason"], item["source"]) for item in section["suppressed"]] == [
        ("numelink/3", "objection", "former-system"),
        ("numelink/1", "objection", "own-act"),
        ("numelink/2", "unknown-user", "returned-mail"),
    ]
    assert section == orjson.loads(consolidate(records, stated[::-1]).document)["consents"]


def test_an_objection_that_was_made_here_forbids_and_a_box_that_does_not_exist_refuses_nothing() -> None:
    granted = {
        "in_force": [
            {"channel": channel, "purpose": "news", "allowed": True, "consent_id": "C"}
            for channel in ("email", "bulk-email")
        ]
    }

    def verdicts(**different: Any) -> dict[tuple[str, str], bool]:
        stated = _suppressed(**different)
        return allowed([a_record()], Related("preferences", stated.key, stated.item_id, {**stated.document, **granted}))

    assert verdicts() == {("bulk-email", "news"): False, ("email", "news"): True}
    assert verdicts(covers="everything", purpose="*") == {
        ("bulk-email", "*"): False,
        ("bulk-email", "news"): False,
        ("email", "*"): False,
        ("email", "news"): False,
    }
    assert verdicts(reason="unknown-user") == {("bulk-email", "news"): True, ("email", "news"): True}
    assert verdicts(source="former-system") == {("bulk-email", "news"): True, ("email", "news"): True}


def test_a_member_of_whom_nothing_is_suppressed_has_no_such_list() -> None:
    assert "suppressed" not in orjson.loads(consolidate([a_record()], []).document)["consents"]
