"""What billing must know of a record, of the record and of its member's view."""

from typing import Any

from services.membership.descriptions.description import description_of
from services.membership.records.record import RecordKey, SourceRecord


def a_record(written: dict[str, Any], understood: dict[str, Any] | None = None) -> SourceRecord:
    return SourceRecord(RecordKey("numelink", "1"), written, understood or {}, None, None, "", None)


def test_what_staff_set_by_hand_is_said_by_the_record_that_it_hangs_on() -> None:
    view = {"name": {"value": "Forges"}, "headcount": {"value": "12", "said_by": [], "override": {"on": "numelink/2"}}}
    description = description_of(a_record({"name": "FORGES", "headcount": "9"}), view)
    assert (description.headcount, description.headcount_shown) == ("9", "12")
    assert description.headcount_said_by == ("numelink/2",)
    assert description.shown is not None
    assert description.shown.name == "Forges"


def test_what_was_understood_comes_before_what_was_written() -> None:
    description = description_of(a_record({"name": "F", "siren": "732 829 320"}, {"siren": "732829320"}), None)
    assert description.own is not None
    assert (description.own.siren, description.shown) == ("732829320", None)


def test_a_record_of_which_only_its_removal_was_heard_has_no_addressee() -> None:
    assert description_of(a_record({}), None).own is None


def test_terms_come_in_the_order_of_their_days() -> None:
    terms = [{"subscription_id": i, "starts_on": f"202{n}-01-01"} for i, n in (("a", 7), ("c", 6), ("b", 6))]
    description = description_of(a_record({"name": "F", "subscriptions": terms}), None)
    assert [term.subscription_id for term in description.terms] == ["b", "c", "a"]
