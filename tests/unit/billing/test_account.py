"""What a source record was billed, paid and owes: the rules of accounts."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.billing import AccountChanged, AccountDocument, AccountInvoice, AccountPayment
from schemas.envelope import encode
from services.billing.accounts.account import DocumentRow, InvoiceRow, account_of
from services.common import listing
from shared.messaging.consumer import MAX_BODY


def a_row(
    invoice_id: str = "F1", *, corrects_cancelled: bool = False, credited: bool = False, **different: Any
) -> InvoiceRow:
    usual: dict[str, Any] = {
        "number": invoice_id,
        "issued_on": date(2026, 1, 5),
        "period_starts_on": date(2026, 1, 1),
        "period_ends_on": date(2026, 12, 31),
        "net": Decimal("100.00"),
        "vat": Decimal("20.00"),
        "gross": Decimal("120.00"),
    }
    invoice = AccountInvoice(invoice_id=invoice_id, **usual | different)
    return InvoiceRow(invoice, corrects_cancelled=corrects_cancelled, credited=credited)


def a_payment(payment_id: str = "P1", amount: str = "120.00", day: int = 20) -> AccountPayment:
    return AccountPayment(payment_id=payment_id, paid_on=date(2026, 1, day), amount=Decimal(amount))


def of(*rows: InvoiceRow, payments: tuple[AccountPayment, ...] = ()) -> AccountChanged:
    return account_of("numelink", "1042", rows, payments)


def sums(stated: AccountChanged) -> tuple[str, ...]:
    return tuple(str(amount) for amount in (stated.invoiced, stated.received, stated.outstanding))


def test_what_is_owed_is_what_was_billed_less_what_was_paid() -> None:
    assert sums(of(a_row(), a_row("F2"), payments=(a_payment(amount="50.00"),))) == ("240.00", "50.00", "190.00")


def test_an_account_without_anything_states_no_amount() -> None:
    assert sums(of()) == ("None", "None", "None")
    assert sums(of(payments=(a_payment(),))) == ("None", "120.00", "-120.00")


@pytest.mark.parametrize("status", ["draft", "cancelled"])
def test_what_is_not_in_force_is_not_billed_and_pays_for_nothing(status: str) -> None:
    stated = of(a_row(status=status, paid=Decimal("120.00")))
    assert (stated.invoiced, stated.paid_until, stated.paid_periods) == (None, None, ())
    assert [line.invoice_id for line in stated.invoices] == ["F1"], "it is listed all the same"


@pytest.mark.parametrize("gross", ["120.00", "-120.00"])
def test_a_credit_note_is_taken_off_however_it_is_written(gross: str) -> None:
    credit = a_row("A1", kind="credit-note", corrects="F1", gross=Decimal(gross))
    assert sums(of(a_row(credited=True), credit))[0] == "0.00"


def test_a_cancelled_invoice_and_its_credit_note_count_nothing_together() -> None:
    credit = a_row("A1", kind="credit-note", corrects="F1", corrects_cancelled=True)
    assert of(a_row(status="cancelled", credited=True), credit).invoiced is None


@pytest.mark.parametrize(
    ("different", "until"),
    [
        ({"status": "paid"}, date(2026, 12, 31)),
        ({"paid": Decimal("120.00")}, date(2026, 12, 31)),
        ({"paid": Decimal("119.99")}, None),
        ({}, None),
        ({"status": "paid", "kind": "credit-note"}, None),
    ],
)
def test_a_record_is_paid_until_the_end_of_what_is_paid_in_full(different: dict[str, Any], until: date | None) -> None:
    assert of(a_row(**different)).paid_until == until


@pytest.mark.parametrize(
    "different",
    [{"credited": True}, {"gross": Decimal("0.00")}, {"period_starts_on": None}, {"period_ends_on": None}],
)
def test_nobody_paid_for_days_that_were_free_or_taken_off_again(different: dict[str, Any]) -> None:
    assert [period.invoice_id for period in of(a_row(status="paid")).paid_periods] == ["F1"]
    assert of(a_row(status="paid", **different)).paid_periods == ()


@given(st.permutations([a_row(f"F{n}", paid=Decimal(n)) for n in range(4)]), st.permutations(range(4)))
def test_the_order_of_rows_does_not_show(rows: list[InvoiceRow], numbers: list[int]) -> None:
    payments = [a_payment(f"P{n}", day=1 + n // 2) for n in numbers]
    stated = account_of("numelink", "1042", rows, payments)
    assert stated == account_of("numelink", "1042", sorted(rows, key=str), sorted(payments, key=str))
    assert [line.payment_id for line in stated.payments] == ["P0", "P1", "P2", "P3"]


def test_an_account_that_is_too_long_for_a_message_leaves_out_its_oldest_lines_and_counts_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [a_row(f"F{n:05}", issued_on=date(2000 + n // 250, 1, 1), label="x" * 900) for n in range(6_000)]
    stated = of(*rows, payments=(a_payment(),))
    assert stated.invoiced == 6_000 * 120
    assert stated.unlisted + len(stated.invoices) + len(stated.payments) == 6_001
    assert stated.unlisted > 0
    assert stated.invoices[-1].invoice_id == "F05999"
    assert len(encode("/traboule/billing", [stated]).body) < MAX_BODY / 2
    monkeypatch.setattr(listing, "LISTED_BYTES", 10**8)
    assert of(*rows).unlisted == 0


def test_no_more_sentences_are_stated_than_lines_are_listed_though_all_bear_one_number() -> None:
    """A number is whatever a former system writes: given to every invoice, it would lengthen the fact without limit."""
    stated = of(*(a_row(f"F{n}", number="F1") for n in range(10_000)))
    assert stated.unlisted > 0
    assert [len(period.reasons) for period in stated.periods] == [len(stated.invoices)]


# --- documents of ours, and periods ---------------------------------------------------------------------------------


def a_document(number: str = "F-2027-000001", gross: str = "600.00", **different: Any) -> DocumentRow:
    usual: dict[str, Any] = {
        "kind": "invoice",
        "issued_on": date(2026, 12, 1),
        "period_starts_on": date(2027, 1, 1),
        "period_ends_on": date(2027, 12, 31),
        "net": Decimal(gross),
        "vat": Decimal(0),
        "gross": Decimal(gross),
        "why": "12 personnes",
    }
    paid = different.pop("paid", Decimal())
    return DocumentRow(AccountDocument(number=number, **usual | different), paid)


def periods(stated: AccountChanged) -> list[tuple[int, str, str, str, bool]]:
    return [
        (period.starts_on.year, str(period.billed), str(period.paid), str(period.outstanding), period.paid_up)
        for period in stated.periods
    ]


def with_documents(*documents: DocumentRow, rows: tuple[InvoiceRow, ...] = ()) -> AccountChanged:
    return account_of("numelink", "1042", rows, (), documents)


def test_a_document_of_ours_is_billed_and_owed_beside_what_a_former_system_billed() -> None:
    stated = with_documents(a_document(), rows=(a_row(paid=Decimal("120.00")),))
    assert sums(stated) == ("720.00", "None", "720.00")
    assert periods(stated) == [(2026, "120.00", "120.00", "0.00", True), (2027, "600.00", "0.00", "600.00", False)]
    assert stated.periods[1].reasons == ("F-2027-000001, 600,00 € : 12 personnes",)
    assert stated.periods[0].reasons == ("facture F1 du système d'origine, 120,00 €",)


def test_a_credit_note_of_ours_leaves_what_it_does_not_take_off_and_says_why() -> None:
    credit = a_document("A-1", "400.00", kind="credit-note", corrects="F-2027-000001", why="fusion avec numelink/2")
    stated = with_documents(a_document(paid=Decimal("200.00")), credit)
    assert periods(stated) == [(2027, "200.00", "200.00", "0.00", True)]
    assert stated.periods[0].reasons[0] == "A-1, -400,00 € : fusion avec numelink/2"


def test_a_document_that_the_former_system_says_again_counts_once_and_there() -> None:
    again = a_row("17", number="F-2027-000001", gross=Decimal("600.00"), status="paid")
    stated = with_documents(a_document(mirrored=True), rows=(again,))
    assert sums(stated)[0] == "600.00"
    assert [(period.billed, period.paid_up) for period in stated.periods] == [(Decimal(600), True)]
    assert [document.number for document in stated.documents] == ["F-2027-000001"], "it is listed all the same"


def test_a_former_credit_note_without_days_belongs_to_the_period_of_what_it_corrects() -> None:
    """Case 4 of a treasurer's first year: 1,240.00 billed, 400.00 paid, 240.00 credited: 600.00 are open."""
    invoice = a_row(gross=Decimal("1240.00"), paid=Decimal("400.00"), credited=True)
    no_days: dict[str, Any] = {"period_starts_on": None, "period_ends_on": None}
    for sign in (1, -1):
        credit = a_row("A1", kind="credit-note", corrects="F1", gross=sign * Decimal("240.00"), **no_days)
        assert periods(of(invoice, credit)) == [(2026, "1000.00", "400.00", "600.00", False)]


def test_what_is_cancelled_or_free_makes_no_period_paid_up() -> None:
    assert periods(of(a_row(status="cancelled"))) == []
    assert periods(of(a_row(gross=Decimal(0), status="paid"))) == [(2026, "0.00", "0.00", "0.00", False)]


def test_what_a_former_system_gave_up_is_owed_no_more_and_was_not_paid() -> None:
    stated = of(a_row(paid=Decimal("50.00"), written_off=Decimal("70.00")), payments=(a_payment(amount="50.00"),))
    assert sums(stated) == ("120.00", "50.00", "0.00")
    assert (stated.written_off, stated.paid_until, stated.paid_periods) == (Decimal("70.00"), None, ())
    [period] = stated.periods
    assert (period.outstanding, period.written_off, period.paid_up) == (Decimal("0.00"), Decimal("70.00"), False)
    assert period.reasons[0].endswith("dont 70,00 € abandonnés")
    assert of(a_row(written_off=Decimal("70.00"), status="cancelled")).written_off is None


def test_a_document_of_ours_that_is_paid_is_paid_until_its_last_day() -> None:
    whole = a_document(paid=Decimal("600.00"))
    assert with_documents(whole).paid_until == date(2027, 12, 31)
    assert with_documents(a_document(paid=Decimal("599.99"))).paid_until is None
    credit = a_document("A-1", "400.00", kind="credit-note", corrects="F-2027-000001")
    assert with_documents(a_document(paid=Decimal("200.00")), credit).paid_until == date(2027, 12, 31)
    nothing_left = a_document("A-1", "600.00", kind="credit-note", corrects="F-2027-000001")
    assert with_documents(a_document(), nothing_left).paid_until is None, "nobody pays for what was taken off"


def test_what_others_pay_is_owed_no_more_and_what_is_paid_for_others_is_not_owed_back() -> None:
    subsidiary = account_of("numelink", "1", (), (), [a_document(paid=Decimal("600.00"))], Decimal("600.00"))
    assert sums(subsidiary) == ("600.00", "None", "0.00")
    assert subsidiary.transferred == Decimal("600.00")
    group = account_of("numelink", "2", (), [a_payment(amount="600.00")], (), Decimal("-600.00"))
    assert sums(group) == ("None", "600.00", "0.00")
    assert account_of("numelink", "2", (), [a_payment(amount="600.00")]).transferred is None


def test_seats_that_a_former_system_says_again_pay_no_dues() -> None:
    """The document is known there under its number, with the day of the dinner as its period."""
    day = date(2027, 3, 12)
    again = a_row("17", status="paid", period_starts_on=day, period_ends_on=day, gross=Decimal("80.00"))
    stated = with_documents(rows=(a_row(paid=Decimal("120.00")), again._replace(of_seats=True)))
    assert (stated.invoiced, stated.paid_until) == (Decimal("200.00"), date(2026, 12, 31))
    assert [period.invoice_id for period in stated.paid_periods] == ["F1"]
    assert periods(stated) == [(2026, "120.00", "120.00", "0.00", True)]
