"""Dues of a member: the accounts of its records, added up period by period."""

from dataclasses import replace
from typing import Any

from services.membership.records.record import RecordKey, Related
from services.membership.views.dues import dues

YEAR = {"starts_on": "2027-01-01", "ends_on": "2027-12-31"}


def an_account(record_id: str, billed: str, outstanding: str, **more: Any) -> Related:
    paid = str(int(billed) - int(outstanding))
    amounts = {"billed": billed, "paid": paid, "outstanding": outstanding, "reasons": [f"fiche {record_id}"]}
    period: dict[str, Any] = {**YEAR, **amounts, "paid_up": outstanding == "0"}
    document = {"periods": [period | more], "invoiced": billed, "outstanding": outstanding}
    return Related("account", RecordKey("numelink", record_id), record_id, document)


def test_periods_of_the_same_days_are_one_with_the_reasons_of_every_record() -> None:
    [period] = dues([an_account("2", "320", "320"), an_account("1", "600", "0")])["periods"]
    assert (period["billed"], period["paid"], period["outstanding"]) == ("920", "600", "320")
    assert not period["paid_up"]
    assert [line["from"] for line in period["reasons"]] == ["numelink/1", "numelink/2"]


def test_periods_of_other_days_stand_apart_and_by_day() -> None:
    later = an_account("1", "600", "0", starts_on="2028-01-01", ends_on="2028-12-31")
    assert [p["starts_on"] for p in dues([later, an_account("1", "600", "0")])["periods"]] == [
        "2027-01-01",
        "2028-01-01",
    ]


def test_what_one_record_paid_too_much_settles_nothing_of_another() -> None:
    [period] = dues([an_account("1", "600", "-320"), an_account("2", "320", "320")])["periods"]
    assert (period["outstanding"], period["paid_up"]) == ("0", False)
    [period] = dues([an_account("1", "600", "0"), an_account("2", "0", "0")])["periods"]
    assert period["paid_up"]


def test_what_a_former_system_gave_up_is_shown_and_is_not_paid() -> None:
    account = an_account("1", "600", "0", written_off="100.00")
    section = dues([replace(account, document={**account.document, "written_off": "100.00"})])
    assert section["written_off"] == "100.00"
    assert (section["periods"][0]["written_off"], section["periods"][0]["paid_up"]) == ("100.00", False)
    assert "written_off" not in dues([an_account("1", "600", "0")])


def test_what_others_settle_adds_up_to_nothing_once_they_are_one_member() -> None:
    accounts = [an_account("1", "600", "0"), an_account("2", "600", "0")]
    parts = [
        replace(account, document={**account.document, "transferred": amount})
        for account, amount in zip(accounts, ("600.00", "-600.00"), strict=True)
    ]
    assert dues(parts[:1])["transferred"] == "600.00"
    assert dues(parts)["transferred"] == "0.00"
    assert "transferred" not in dues(accounts)


def test_without_documents_and_periods_the_section_is_as_it_was() -> None:
    assert "periods" not in dues([]) and "documents" not in dues([])  # noqa: PT018 - one statement
