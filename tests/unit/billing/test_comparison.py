"""A grid beside what former systems billed: each difference has a reason from a closed list, and totals add up."""

from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.dues.case import Key
from services.billing.dues.days import between
from services.billing.issuers.issuer import Issuer
from services.billing.members.member import FormerBill, KnownMember
from services.billing.usecases.cases import Period
from services.billing.usecases.comparison import SENTENCES, compared
from tests.support.billing import shipped_issuers
from tests.support.dues import YEAR, A, B, a_grid

LAST, JUNE_30 = date(2027, 12, 31), date(2027, 6, 30)
MERGED: Issuer = shipped_issuers()["merged"]


def a_member(*keys: Key, bills: tuple[FormerBill, ...] = (), heads: str | None = "12", **more: Any) -> KnownMember:
    document = {"member_since": "2019-03-01", "headcount": heads, "own": {"name": "Ateliers"}} | more
    return KnownMember("M", dict.fromkeys(keys, document), bills)


def a_bill(key: Key, amount: str, first: date = YEAR, last: date = LAST, source: str = "facture FA-1") -> FormerBill:
    return FormerBill(key, between(first, last), Decimal(amount), source)


def a_period(*members: KnownMember) -> Period:
    return Period(issuer=MERGED, first=YEAR, grid=a_grid(), grid_id="g", members=list(members), decisions={})


CASES = [
    ("same", a_member(A, bills=(a_bill(A, "600.00"),)), "600.00", "600.00"),
    ("price-unknown", a_member(A, bills=(a_bill(A, "600.00"),), heads=None), "600.00", "0.00"),
    ("billed-twice", a_member(A, B, bills=(a_bill(A, "600.00"), a_bill(B, "320.00"))), "920.00", "600.00"),
    ("not-billed-there", a_member(A), "0.00", "600.00"),
    ("exempt", a_member(A, bills=(a_bill(A, "600.00"),), exempt=True), "600.00", "0.00"),
    ("no-member", a_member(A, bills=(a_bill(A, "600.00"),), status="ended", ended_on="2026-06-30"), "600.00", "0.00"),
    (
        "covered",
        a_member(A, bills=(a_bill(A, "600.00"), a_bill(A, "500.00", date(2026, 7, 1), JUNE_30, "facture FA-0"))),
        "600.00",
        "300.00",
    ),
    ("other-days", a_member(A, bills=(a_bill(A, "700.00", last=JUNE_30),)), "700.00", "600.00"),
    ("other-price", a_member(A, bills=(a_bill(A, "700.00"),)), "700.00", "600.00"),
]


@pytest.mark.parametrize(("reason", "member", "theirs", "ours"), CASES, ids=[case[0] for case in CASES])
def test_each_difference_has_its_reason(reason: str, member: KnownMember, theirs: str, ours: str) -> None:
    [row] = compared(a_period(member)).members
    assert (row.reason, str(row.theirs), str(row.ours)) == (reason, theirs, ours)
    assert row.sentence == SENTENCES[row.reason][0]


DAYS = st.dates(YEAR, LAST)
BILLS = st.lists(st.tuples(st.sampled_from([A, B]), DAYS, DAYS), min_size=1, max_size=8)


@given(BILLS)
def test_days_were_billed_twice_if_bills_of_two_records_share_one(drawn: list[tuple[Key, date, date]]) -> None:
    bills = tuple(
        a_bill(key, "700.00", min(days), max(days), f"facture {place}") for place, (key, *days) in enumerate(drawn)
    )
    [row] = compared(a_period(a_member(A, B, bills=bills))).members
    shared = any(
        a.key != b.key and a.days.first <= b.days.last and b.days.first <= a.days.last
        for a, b in combinations(bills, 2)
    )
    assert (row.reason == "billed-twice") is shared


def test_every_reason_of_the_list_occurs() -> None:
    assert {case[0] for case in CASES} == set(SENTENCES)


def test_an_invoice_and_the_term_that_it_pays_are_one_bill() -> None:
    bills = (a_bill(A, "600.00"), a_bill(A, "0.00", source="adhésion 7"))
    [row] = compared(a_period(a_member(A, bills=bills))).members
    assert (row.reason, row.sources) == ("same", ["facture FA-1"])


def test_totals_by_reason_add_up_the_whole_difference_and_the_largest_is_listed_first() -> None:
    comparison = compared(a_period(*(case[1] for case in CASES)), "en")
    assert sum(total.members for total in comparison.reasons) == len(CASES)
    assert sum(total.difference for total in comparison.reasons) == comparison.ours - comparison.theirs
    differences = [abs(row.ours - row.theirs) for row in comparison.members]
    assert differences == sorted(differences, reverse=True)
    assert comparison.members[-1].sentence == "the same amount"
