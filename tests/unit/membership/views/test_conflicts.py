"""What merges bring together that one member should not have twice."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.records.record import RecordKey, Related, SourceRecord
from services.membership.views.conflicts import Conflict, conflicts
from services.membership.views.unannounced import with_unannounced

A, B = RecordKey("clustr-numerique", "12"), RecordKey("numelink", "B-7")
C = RecordKey("clustr-numerique", "adherent:12")


def a_record(key: RecordKey, same_as: str | None = None, **written: Any) -> SourceRecord:
    return SourceRecord(key, written, {}, None, same_as, "", None)


def an_invoice(key: RecordKey, starts: str, ends: str, **different: Any) -> Related:
    published = {"period_starts_on": starts, "period_ends_on": ends, "gross": "120.00", "status": "paid"} | different
    return Related("invoice", key, different.pop("invoice_id", f"F-{key.record_id}-{starts}"), published)


def a_registration(
    key: RecordKey, event: dict[str, Any] | None, event_id: str = "E1", status: str = "registered"
) -> Related:
    return Related("registration", key, f"R-{key.record_id}", {"event_id": event_id, "status": status}, event)


def found(group: list[SourceRecord], *related: Related, since: date | None = None) -> list[Conflict]:
    return conflicts(group, with_unannounced(related), since)


def days(conflict: Conflict) -> list[tuple[str, str]]:
    return [(str(overlap.starts_on), str(overlap.ends_on)) for overlap in conflict.overlaps]


def test_two_paid_invoices_for_the_same_days() -> None:
    entry, other = an_invoice(A, "2026-01-01", "2026-12-31"), an_invoice(B, "2026-07-01", "2027-06-30")
    [conflict] = found([a_record(A), a_record(B)], entry, other)
    assert (conflict.kind, conflict.between, days(conflict)) == ("paid-twice", (A, B), [("2026-07-01", "2026-12-31")])
    assert {item.item_id for item in conflict.overlaps[0].items} == {entry.item_id, other.item_id}


@pytest.mark.parametrize(
    "not_paid",
    [{"status": "issued"}, {"status": "cancelled"}, {"status": "draft"}, {"kind": "credit-note"}, {"gross": "0.00"}],
)
def test_an_invoice_that_was_not_paid_for_is_no_conflict(not_paid: dict[str, str]) -> None:
    other = an_invoice(B, "2026-01-01", "2026-12-31", **not_paid)
    assert found([a_record(A), a_record(B)], an_invoice(A, "2026-01-01", "2026-12-31"), other) == []


def test_a_companys_card_and_its_member_in_one_system_paid_once() -> None:
    """Dolibarr invoices the third party, and keeps the term with the member; nothing in its files links the two."""
    card, member = a_record(A, is_member=False), a_record(C, paid_until="2026-12-31")
    paid = an_invoice(A, "2026-01-01", "2026-12-31")
    assert found([card, member], paid) == []

    [conflict] = found([card, member, a_record(B, paid_until="2026-12-31")], paid)
    assert conflict.between == (A, B)
    assert {item.key for item in conflict.overlaps[0].items} == {A, B}

    [conflict] = found([card, a_record(B, is_member=False)], paid, an_invoice(B, "2026-01-01", "2026-12-31"))
    assert conflict.between == (A, B), "cards of two systems, of which neither has a member here"


def test_two_members_of_one_system_paid_twice_whatever_card_they_have() -> None:
    other = RecordKey(C.cluster, "adherent:13")
    group = [
        a_record(A, is_member=False),
        a_record(C, paid_until="2026-12-31"),
        a_record(other, paid_until="2026-12-31"),
    ]
    [conflict] = found(group)
    assert conflict.conflict_id == found(group[1:])[0].conflict_id, "the same, whether or not the card is there"


def test_payments_that_add_up_pay_an_invoice_and_a_credit_note_takes_it_away() -> None:
    group = [a_record(A), a_record(B)]
    item = an_invoice(A, "2026-01-01", "2026-12-31")
    other = an_invoice(B, "2026-01-01", "2026-12-31", status="issued", invoice_id="F9")
    halves = [Related("payment", B, f"P{n}", {"invoice_id": "F9", "amount": "60.00"}) for n in (1, 2)]
    assert found(group, item, other, halves[0]) == []
    assert len(found(group, item, other, *halves)) == 1
    credit = Related("invoice", B, "A1", {"kind": "credit-note", "corrects": "F9", "gross": "120.00"})
    assert found(group, item, other, *halves, credit) == []


def test_what_the_membership_systems_hold_for_paid() -> None:
    term = {"subscription_id": "S1", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "amount": "480.00"}
    entry = a_record(A, paid_until="2026-12-31", subscriptions=[term])
    [conflict] = found([entry, a_record(B, paid_until="2026-06-30")])
    assert days(conflict) == [("2026-01-01", "2026-06-30")], "a year's dues end on the day that is told"
    assert [(item.kind, item.item_id) for item in conflict.overlaps[0].items] == [
        ("subscription", "S1"),
        ("paid-until", None),
    ]
    assert found([entry, a_record(B, paid_until="2026-06-30", exempt=True)]) == []
    assert found([entry, a_record(B, paid_until="2025-12-31")]) == []
    due = a_record(B, paid_until="2025-12-31", subscriptions=[term])
    assert found([entry, due]) == [], "a term that ends after the day that is paid until is not paid"


def test_one_payment_that_two_tables_tell_of_is_one() -> None:
    announced_twice = [a_record(A, paid_until="2026-12-31"), a_record(C, same_as="12", paid_until="2026-12-31")]
    invoice = an_invoice(A, "2026-01-01", "2026-12-31")
    assert found(announced_twice, invoice) == []
    [conflict] = found([*announced_twice, a_record(B, paid_until="2026-12-31")], invoice)
    assert conflict.between == (A, B)


def test_years_before_the_clusters_merged_are_no_conflict() -> None:
    both = [an_invoice(key, f"{year}-01-01", f"{year}-12-31") for key in (A, B) for year in (2024, 2026)]
    group = [a_record(A), a_record(B)]
    assert days(found(group, *both)[0]) == [("2024-01-01", "2024-12-31"), ("2026-01-01", "2026-12-31")]
    assert days(found(group, *both, since=date(2025, 1, 1))[0]) == [("2026-01-01", "2026-12-31")]
    assert found(group, *both, since=date(2027, 1, 1)) == []


PLANNED = {"title": "Rencontre cybersécurité", "starts_at": "2026-12-08T16:00:00Z"}


@pytest.mark.parametrize(
    ("other", "is_conflict"),
    [
        ({"title": "RENCONTRE  CYBERSECURITE", "starts_at": "2026-12-08T17:00:00+01:00"}, True),
        ({"title": "Rencontre cybersécurité", "starts_at": "2026-12-09T16:00:00Z"}, False),
        ({"title": "Atelier", "starts_at": "2026-12-08T16:00:00Z"}, False),
        ({**PLANNED, "status": "cancelled"}, False),
        (None, False),
    ],
)
def test_both_registered_for_a_gathering_that_both_clusters_announce(other: Any, is_conflict: bool) -> None:
    pair = a_registration(A, PLANNED), a_registration(B, other, "E-77")
    assert [item.kind for item in found([a_record(A), a_record(B)], *pair)] == ["registered-twice"] * is_conflict


def test_who_cancelled_takes_no_place() -> None:
    group = [a_record(A), a_record(RecordKey("clustr-numerique", "99"))]
    item = a_registration(group[0].key, PLANNED)
    for status, count in (("registered", 1), ("waiting", 1), ("cancelled", 0), ("attended", 0)):
        assert len(found(group, item, a_registration(group[1].key, PLANNED, status=status))) == count


def test_a_member_of_one_record_has_no_conflict() -> None:
    twice = an_invoice(A, "2026-01-01", "2026-12-31"), an_invoice(A, "2026-02-01", "2026-12-31")
    assert found([a_record(A, paid_until="2026-12-31")], *twice) == []


@given(st.permutations([an_invoice(key, f"{y}-01-01", f"{y}-12-31") for key in (A, B, C) for y in (2025, 2026)]))
def test_the_order_of_what_is_told_does_not_show(relateds: list[Related]) -> None:
    group = [a_record(A), a_record(C), a_record(B)]
    assert found(group, *relateds) == found(
        group, *sorted(relateds, key=lambda related: (related.key, related.item_id))
    )
    assert [item.between for item in found(group, *relateds)] == [(A, C), (A, B), (C, B)]


# --- ids that stay -------------------------------------------------------------------------------------------------


def the_id(*group: SourceRecord) -> str:
    [conflict] = found(sorted(group, key=lambda record: record.key))
    assert set(conflict.between) <= {record.key for record in group}, "only records that are there are named"
    return conflict.conflict_id


PAID = {"paid_until": "2026-12-31"}


def test_the_id_stays_when_a_record_that_is_declared_the_same_comes_or_goes() -> None:
    other, third_party, member = a_record(B, **PAID), a_record(A, **PAID), a_record(C, "12", **PAID)
    assert the_id(member, other) == the_id(third_party, member, other) == the_id(third_party, other)
    assert [item.between for item in found([member, other])] == [(C, B)]


def test_the_id_stays_wherever_the_declared_name_sorts() -> None:
    member, contact = RecordKey("north", "membership:z"), RecordKey("north", "z")
    records = a_record(member, "z", **PAID), a_record(contact, **PAID)
    other = a_record(RecordKey("south", "1"), **PAID)
    assert the_id(records[0], other) == the_id(*records, other) == the_id(records[1], other)


def test_chains_and_circles_of_declarations_are_one_holder() -> None:
    keys = [RecordKey("north", name) for name in "abc"]
    other = a_record(RecordKey("south", "1"), **PAID)
    for declared in ("bca", ("b", "c", None), ("b", "a", "a"), (None, "a", "b")):
        the_id(*(a_record(key, same, **PAID) for key, same in zip(keys, declared, strict=True)), other)


def test_every_two_of_three_holders_have_an_id_of_their_own() -> None:
    keys = [A, B, RecordKey("numelink", "B-8")]
    assert len({item.conflict_id for item in found([a_record(key, **PAID) for key in keys])}) == 3
