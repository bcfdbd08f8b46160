"""What a former system holds against what we hold: pure."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Fact
from schemas.billing import InvoiceRecorded
from schemas.membership import MemberRecorded, Subscription
from services.billing.mirror.parity import KINDS as BILLING
from services.cutover.parity.compare import Comparison, Difference, Result, compare, unreadable
from tests.support.builders import a_mailing, a_member, a_payment, an_invoice

MONEY = {kind.name: kind.money for kind in BILLING if kind.money is not None}
Stored = dict[tuple[str, str], Fact]

amounts = st.sampled_from(["0", "120", "120.00", "120.5", "-7.10"])
invoices = st.builds(
    lambda version, net, label, kind, year: an_invoice(
        version=version, invoice_id="?", record_id="M", net=Decimal(net), label=label, kind=kind,
        issued_on=date(year, 1, 15),
    ),
    st.integers(0, 3), amounts, st.sampled_from([None, "", "dues", "Cotisation 2026"]),
    st.sampled_from(["invoice", "credit-note"]), st.sampled_from([2025, 2026]),
)  # fmt: skip
sides = st.dictionaries(st.tuples(st.just("invoice"), st.sampled_from("ABCDE")), invoices, max_size=5)


def swapped(difference: Difference) -> Difference:
    what: Any = {"missing-here": "missing-there", "missing-there": "missing-here"}.get(difference.what, difference.what)
    return Difference(difference.kind, difference.item_id, what, difference.fields, difference.here, difference.there)


def only(result: Result) -> Difference:
    (difference,) = result.differences
    return difference


def facing(theirs: Fact, fact: Fact, kind: str = "it") -> Result:
    return compare({(kind, "1"): theirs}, {(kind, "1"): fact})


@given(sides, sides)
def test_swapping_the_sides_swaps_what_is_missing_where(theirs: Stored, ours: Stored) -> None:
    forth, back = compare(theirs, ours, MONEY), compare(ours, theirs, MONEY)

    assert {swapped(difference).digest for difference in forth.differences} == {
        difference.digest for difference in back.differences
    }
    assert {(kind, year, s.there, s.here) for kind, years in forth.sums.items() for year, s in years.items()} == {
        (kind, year, s.here, s.there) for kind, years in back.sums.items() for year, s in years.items()
    }


@given(sides, st.integers(0, 9))
def test_equal_sides_are_clean_whatever_their_versions(stored: Stored, version: int) -> None:
    again = {key: fact.model_copy(update={"version": version}) for key, fact in stored.items()}

    result = compare(stored, again, MONEY)

    assert result.differences == []
    assert all(s.there == s.here for years in result.sums.values() for s in years.values())


@given(sides, sides)
def test_every_record_is_the_same_or_in_one_difference(theirs: Stored, ours: Stored) -> None:
    named = [(difference.kind, difference.item_id) for difference in compare(theirs, ours).differences]

    assert len(named) == len(set(named))
    assert set(theirs) ^ set(ours) <= set(named) <= set(theirs) | set(ours)


@given(sides, sides, st.randoms())
def test_the_order_of_what_is_held_does_not_matter(theirs: Stored, ours: Stored, random: Any) -> None:
    shuffled = list(ours.items())
    random.shuffle(shuffled)
    streamed = Comparison(theirs)
    for (kind, item_id), fact in shuffled:
        streamed.add_ours(kind, item_id, fact)

    assert streamed.result().differences == compare(theirs, ours).differences


def test_an_amount_is_its_value_and_a_missing_field_its_default() -> None:
    written = {"version": 9, "invoice_id": "F1", "record_id": "M1", "number": "1", "issued_on": "2026-01-15"}
    short = InvoiceRecorded.model_validate(written | {"net": "100", "vat": "20", "gross": "120"})
    long = InvoiceRecorded.model_validate(
        written | {"version": 1, "net": "100.00", "vat": "20.0", "gross": "120.00", "kind": "invoice", "label": None}
    )

    assert facing(short, long).differences == []
    assert facing(short, long.model_copy(update={"label": ""})).differences == []


def test_a_changed_field_is_named_with_both_values() -> None:
    fact = an_invoice(invoice_id="1", number="A", due_on=None)
    theirs = fact.model_copy(update={"gross": Decimal("121"), "due_on": date(2026, 3, 1)})

    difference = only(facing(theirs, fact))

    assert (difference.what, difference.fields) == ("different", ("due_on", "gross"))
    assert difference.there == {"due_on": "2026-03-01", "gross": "121.00"}
    assert difference.here == {"due_on": None, "gross": "120.00"}


def test_lists_have_no_order_and_show_only_what_one_side_has() -> None:
    fact = a_mailing(mailing_id="1", recipients=("b", "a", "c"))
    assert facing(fact.model_copy(update={"recipients": ("c", "a", "b", "a")}), fact).differences == []

    difference = only(facing(fact.model_copy(update={"recipients": ("d", "c", "b")}), fact))

    assert (difference.there, difference.here) == ({"recipients": ["d"]}, {"recipients": ["a"]})


def test_terms_and_extra_columns_are_compared_by_their_parts() -> None:
    term = Subscription(subscription_id="t", starts_on=date(2026, 1, 1), amount=Decimal("120"))
    fact = a_member(record_id="1", subscriptions=(term,), extra={"Code": "1", "Note": "x"})
    same = fact.model_copy(update={"subscriptions": (term.model_copy(update={"amount": Decimal("120.00")}),)})
    assert facing(same, fact).differences == []

    difference = only(facing(fact.model_copy(update={"extra": {"Code": "2", "Note": "x"}}), fact))

    assert (difference.there, difference.here) == ({"extra": {"Code": "2"}}, {"extra": {"Code": "1"}})


def test_an_acceptance_holds_for_just_this_difference() -> None:
    fact = an_invoice(invoice_id="1")
    dearer, dearest = (fact.model_copy(update={"gross": Decimal(gross)}) for gross in ("121", "122"))

    first = only(facing(dearer, fact)).digest
    later = fact.model_copy(update={"version": 7})
    assert only(facing(dearer.model_copy(update={"version": 5, "gross": Decimal("121.00")}), later)).digest == first
    assert only(facing(dearest, fact)).digest != first
    assert only(facing(dearer, fact, "other")).digest != first
    assert only(compare({("it", "1"): dearer}, {})).digest != first


def test_what_is_missing_is_told_whole() -> None:
    member = MemberRecorded(version=3, record_id="M1", name="Forges du Gier", city="Rive-de-Gier")

    difference = only(compare({("member", "M1"): member}, {}))

    assert difference.there == {"record_id": "M1", "name": "Forges du Gier", "city": "Rive-de-Gier"}
    assert difference.here is None


def test_money_is_summed_by_year_and_a_credit_note_taken_off() -> None:
    theirs: Stored = {
        ("invoice", "1"): an_invoice(gross=Decimal("120"), issued_on=date(2025, 12, 31)),
        ("invoice", "2"): an_invoice(gross=Decimal("50"), kind="credit-note"),
        ("invoice", "3"): an_invoice(gross=Decimal("-50"), kind="credit-note"),
        ("payment", "4"): a_payment(amount=Decimal("-10")),
    }

    result = compare(theirs, {}, MONEY)

    assert {year: str(s.there) for year, s in result.sums["invoice"].items()} == {2025: "120.00", 2026: "-100.00"}
    assert result.sums["payment"][2026].there == -10
    assert result.sums["payment"][2026].here == 0


def test_an_unreadable_row_can_always_be_kept() -> None:
    difference = unreadable(
        "clients\udce9.csv: line 2", [("gross", "12\0\udcff", "is no amount"), ("gross", "12\0\udcff", "x")]
    )

    assert difference.item_id == "clients\ufffd.csv: line 2"
    assert difference.there == {"gross": "12\ufffd\ufffd"}
    assert difference.why == {"gross": "is no amount; x"}
    assert len(difference.digest) == 32
