"""What a treasurer meets in the first year, as far as money goes: cases of the plan by their number, with amounts."""

from datetime import date
from decimal import Decimal
from typing import Any

from schemas.billing import AccountChanged, AccountInvoice, AccountPayment
from services.billing.accounts.account import InvoiceRow, account_of

DUE = date(2027, 2, 1)
YEAR, LAST = date(2027, 1, 1), date(2027, 12, 31)


def an_invoice(invoice_id: str, gross: str, paid: str | None = None, **different: Any) -> InvoiceRow:
    usual: dict[str, Any] = {"number": invoice_id, "issued_on": YEAR, "due_on": DUE, "vat": Decimal(0)}
    days: dict[str, Any] = {"period_starts_on": YEAR, "period_ends_on": LAST, "net": Decimal(gross)}
    received = None if paid is None else Decimal(paid)
    invoice = AccountInvoice(invoice_id=invoice_id, gross=Decimal(gross), paid=received, **usual | days | different)
    return InvoiceRow(invoice, corrects_cancelled=False, credited=False)


def a_payment(amount: str, invoice_id: str = "F1", day: int = 20) -> AccountPayment:
    return AccountPayment(
        payment_id=f"P{day}", invoice_id=invoice_id, paid_on=date(2027, 1, day), amount=Decimal(amount)
    )


def of(*rows: InvoiceRow, payments: tuple[AccountPayment, ...] = ()) -> AccountChanged:
    return account_of("numelink", "1042", rows, payments)


def period(account: AccountChanged) -> tuple[str, str, str, bool]:
    [each] = account.periods
    return str(each.billed), str(each.paid), str(each.outstanding), each.paid_up


def test_case_4_a_credit_note_on_an_invoice_half_paid_leaves_600_open_however_it_is_signed() -> None:
    for sign in (1, -1):
        credit = an_invoice("A1", "240.00", kind="credit-note", corrects="F1")
        credit = credit._replace(invoice=credit.invoice.model_copy(update={"gross": sign * Decimal("240.00")}))
        account = of(an_invoice("F1", "1240.00", "400.00"), credit, payments=(a_payment("400.00"),))
        assert (str(account.outstanding), period(account)) == ("600.00", ("1000.00", "400.00", "600.00", False))


def test_case_5_what_is_paid_too_much_is_free_on_the_account_and_never_paid_on_the_invoice() -> None:
    half = of(an_invoice("F1", "900.00", "500.00"), payments=(a_payment("500.00"),))
    assert (period(half), half.paid_until) == (("900.00", "500.00", "400.00", False), None)
    both = (a_payment("500.00"), a_payment("450.00", day=21))
    whole = of(an_invoice("F1", "900.00", "950.00"), payments=both)
    assert (period(whole), whole.paid_until) == (("900.00", "900.00", "0.00", True), LAST)
    assert str(whole.outstanding) == "-50.00", "50.00 are free"


def test_case_6_a_direct_debit_that_comes_back_opens_the_claim_again_with_its_first_due_date() -> None:
    returned = (a_payment("900.00"), a_payment("-900.00", day=28))
    account = of(an_invoice("F1", "900.00", "0.00"), payments=returned)
    assert (period(account), account.paid_until) == (("900.00", "0.00", "900.00", False), None)
    assert (str(account.outstanding), account.invoices[0].due_on) == ("900.00", DUE)
    again = (*returned, a_payment("900.00", day=30))
    assert period(of(an_invoice("F1", "900.00", "900.00"), payments=again)) == ("900.00", "900.00", "0.00", True)


def test_case_14_a_group_pays_for_its_subsidiaries_whose_accounts_are_settled_and_its_own_is_not() -> None:
    """Each part names the invoice that it pays; membership adds up accounts of one member alone."""
    amounts = ("320.00", "600.00", "600.00", "900.00")
    for number, amount in enumerate(amounts):
        subsidiary = of(an_invoice(f"F{number}", amount, amount))
        assert (period(subsidiary)[3], subsidiary.paid_until) == (True, LAST)
    parts = tuple(a_payment(amount, f"F{number}", 20 + number) for number, amount in enumerate(amounts))
    group = of(payments=parts)
    assert (str(group.received), str(group.outstanding), group.periods) == ("2420.00", "-2420.00", ())
