"""What a treasurer meets in the first year: each case by its number in the plan of billing, with its amounts.

The grid of the merged body from 1 January 2027: 1 to 9 people 320.00, 10 to 25 600.00, 26 to 50 900.00, more 1,250.00;
months that have begun count; no VAT. What needs payments, statements or direct debits is not here.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.billing.dues.case import Case, Decision, Key
from services.billing.dues.days import between
from services.billing.dues.owed import Owed, owed
from services.billing.money import euros
from tests.support.books import Books
from tests.support.dues import FEE, YEAR, A, B, a_case, a_cover, a_grid, a_record

JUNE_30, JULY_1, LAST = date(2027, 6, 30), date(2027, 7, 1), date(2027, 12, 31)


def amounts(case: Case) -> dict[Key, str]:
    return {item.key: str(euros(item.cents)) for item in owed(case)}


def reasons(item: Owed) -> list[str]:
    return [reason.code for reason in item.reasons]


def decision(kind: Any, key: Key, **more: Any) -> Decision:
    return Decision(decision_id="d1", kind=kind, key=key, reason="bureau du 12 janvier", **more)


def issued(case: Case, books: Books) -> list[tuple[str, str]]:
    """What one run issues."""
    before = len(books.documents)
    books.issue(books.proposals(case))
    return [(kind, str(euros(cents))) for _, kind, cents in books.documents[before:]]


def test_case_1_a_dual_member_with_overlapping_periods_owes_the_rest_of_the_year() -> None:
    cover = a_cover(A, date(2026, 7, 1), JUNE_30, "contribution Galette 118")
    case = a_case(a_record(A), a_record(B), covers=(cover,))
    assert amounts(case) == {A: "300.00", B: "0.00"}
    [first, second] = owed(case)
    assert first.days == (between(JULY_1, LAST),)
    assert "contribution Galette 118" in first.reasons[-1].sentence("fr")
    assert reasons(second) == ["covered-by", "covered"] or reasons(second) == ["covered", "covered-by"]


def test_case_1_with_an_extension_what_was_paid_twice_counts_later() -> None:
    covers = (a_cover(A, date(2026, 7, 1), JUNE_30), a_cover(B, YEAR, LAST, "facture FA-7"))
    records = a_record(A), a_record(B)
    assert set(amounts(a_case(*records, covers=covers)).values()) == {"0.00"}
    extended = (decision("extension", B),)
    assert set(amounts(a_case(*records, covers=covers, decisions=extended)).values()) == {"0.00"}
    following = date(2028, 1, 1)
    assert amounts(a_case(*records, covers=covers, first=following))[A] == "600.00"
    assert amounts(a_case(*records, covers=covers, first=following, decisions=extended))[A] == "300.00"


def test_case_2_a_merge_in_may_credits_the_second_invoice_and_no_invoice_changes_hands() -> None:
    books = Books()
    a, b = a_record(A, "12"), a_record(B, "3")
    assert issued(a_case(a), books) == [("invoice", "600.00")]
    assert issued(a_case(b), books) == [("invoice", "320.00")]
    assert issued(a_case(a, b), books) == [("credit-note", "320.00")]
    assert (books.net(A), books.net(B)) == (60_000, 0)
    assert issued(a_case(a, b), books) == []


def test_case_3_an_un_merge_in_september_bills_the_second_again_at_its_own_price() -> None:
    books = Books()
    a, b = a_record(A, "12"), a_record(B, "3")
    for case in (a_case(a), a_case(b), a_case(a, b)):
        issued(case, books)
    dearer = a_record(B, "30")
    assert issued(a_case(dearer), books) == [("invoice", "320.00")], "the price was fixed when it was first billed"
    assert issued(a_case(a), books) == []


def test_case_7_a_member_that_splits_owes_until_the_day_and_its_successors_from_the_next_on() -> None:
    books = Books()
    old, first, second = Key("numelink", "old"), Key("numelink", "one"), Key("numelink", "two")
    issued(a_case(a_record(old, "30")), books)
    ended = a_record(old, "30", ended=JUNE_30)
    released = (decision("release", old, last=JUNE_30),)
    assert issued(a_case(ended, decisions=released), books) == [("credit-note", "450.00")]
    for key, heads, amount in ((first, "12", "300.00"), (second, "3", "160.00")):
        assert issued(a_case(a_record(key, heads, since=JULY_1)), books) == [("invoice", amount)]


def test_case_8_members_of_clusters_with_different_years_owe_what_their_former_year_leaves() -> None:
    calendar = a_case(a_record(A), covers=(a_cover(A, date(2026, 1, 1), date(2026, 12, 31)),))
    school_year = a_case(a_record(B), covers=(a_cover(B, date(2026, 7, 1), JUNE_30),))
    assert amounts(calendar) == {A: "600.00"}
    assert amounts(school_year) == {B: "300.00"}


def test_case_9_an_exempt_record_owes_nothing_with_its_reason_and_does_not_free_the_other() -> None:
    case = a_case(a_record(A, exempt="école publique"), a_record(B, "3"))
    assert amounts(case) == {A: "0.00", B: "320.00"}
    assert reasons(owed(case)[0]) == ["exempt"]
    books = Books()
    assert issued(a_case(a_record(A)), books) == [("invoice", "600.00")]
    decided = (decision("exempt", A),)
    assert issued(a_case(a_record(A), decisions=decided), books) == [("credit-note", "600.00")]


def test_case_10_a_price_change_within_the_year_leaves_what_was_billed_and_holds_for_who_joins_later() -> None:
    books = Books()
    issued(a_case(a_record(A)), books)
    dearer = a_grid(name="Grille de mars", valid_from=date(2027, 3, 15), lines=(FEE, *a_grid().lines))
    assert issued(a_case(a_record(A), grid=dearer), books) == []
    joiner = a_record(B, "12", since=date(2027, 4, 2))
    assert issued(a_case(joiner, grid=dearer), books) == [("invoice", "500.00")], "9/12 of 600.00, and the joining fee"


@pytest.mark.parametrize(("policy", "credited"), [("due", []), ("pro-rata", ["300.00"]), ("quarter", ["300.00"])])
def test_case_11_a_resignation_credits_what_the_statutes_say(policy: Any, credited: list[str]) -> None:
    books = Books()
    grid = a_grid(resignation=policy)
    issued(a_case(a_record(A), grid=grid), books)
    resigned = a_record(A, ended=JUNE_30)
    assert issued(a_case(resigned, grid=grid), books) == [("credit-note", amount) for amount in credited]


def test_case_11_who_resigns_before_the_next_year_owes_nothing_of_it() -> None:
    assert amounts(a_case(a_record(A, ended=JUNE_30), first=date(2028, 1, 1))) == {}


def test_case_12_a_headcount_that_is_told_late_changes_nothing_that_was_billed() -> None:
    books = Books()
    assert issued(a_case(a_record(A, "9")), books) == [("invoice", "320.00")]
    assert issued(a_case(a_record(A, "12")), books) == []


@pytest.mark.parametrize(("heads", "code"), [("", "headcount-unknown"), ("beaucoup", "headcount-unread")])
def test_case_12_an_unknown_headcount_is_billed_as_the_grid_says_and_marked(heads: str, code: str) -> None:
    [nothing] = owed(a_case(a_record(A, heads)))
    assert (nothing.cents, nothing.doubt and nothing.doubt.code) == (0, code)
    bands = a_grid().lines[0].price.model_copy(update={"unknown": Decimal("320.00")})
    guessing = a_grid(lines=(a_grid().lines[0].model_copy(update={"price": bands}),))
    [guess] = owed(a_case(a_record(A, heads), grid=guessing))
    assert (guess.cents, guess.doubt and guess.doubt.code) == (32_000, code)


def test_case_13_who_joins_in_november_owes_one_due_until_the_end_of_the_next_year() -> None:
    grid = a_grid(ahead_months=2)
    joiner = a_record(A, since=date(2026, 11, 10))
    assert amounts(a_case(joiner, grid=grid, first=date(2026, 1, 1))) == {}
    [due] = owed(a_case(joiner, grid=grid))
    assert (euros(due.cents), due.days) == (Decimal("600.00"), (between(date(2026, 11, 10), LAST),))
    assert "ahead" in reasons(due)


def test_a_remit_lowers_one_period_and_never_below_nothing() -> None:
    lower = decision("remit", A, first=YEAR, cents=15_000)
    assert amounts(a_case(a_record(A), decisions=(lower,))) == {A: "450.00"}
    assert amounts(a_case(a_record(A), decisions=(lower._replace(cents=99_000_00),))) == {A: "0.00"}
    books = Books()
    issued(a_case(a_record(A)), books)
    assert issued(a_case(a_record(A), decisions=(lower,)), books) == [("credit-note", "150.00")]
    assert issued(a_case(a_record(A)), books) == [("invoice", "150.00")], "once it is taken back"
