"""Documents that were issued here, in the account of their record and in the view of the member."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemas.base import RecordRef
from schemas.billing import PaymentRecorded
from services.billing.accounts.queries import ACCOUNTS
from services.billing.mirror.handlers import record_payments
from services.common.sections import state_the_rest
from services.membership.views import dues as views
from tests.support.billing import Billing, a_description, a_former_invoice
from tests.support.dues import YEAR
from tests.support.merging import envelope, handled, merged
from tests.support.sections import kept

KEY = "traboule.billing.account-changed"
FIRST, SECOND = ("clustr-numerique", "1"), ("numelink", "2")
LAST = date(2027, 12, 31)


@pytest.fixture
async def billed(office: Billing) -> Billing:
    """Two members, billed for 2027."""
    await office.describe(a_description(*FIRST, "12"), a_description(*SECOND, "3"))
    await office.adopted()
    await office.takes_over("clustr-numerique", "numelink")
    await office.issued(YEAR)
    return office


async def section(office: Billing) -> dict[str, Any]:
    """The dues of one member that has all records, as membership adds them up."""
    await state_the_rest(ACCOUNTS, office.begin, office.engine)
    async with office.engine.begin() as connection:
        return views.dues(await kept(connection, "account", KEY))


def periods(dues: dict[str, Any]) -> list[tuple[str, ...]]:
    names = ("starts_on", "billed", "paid", "outstanding", "paid_up")
    return [tuple(str(period[name]) for name in names) for period in dues["periods"]]


async def test_a_corrected_merge_shows_in_the_period_with_its_reasons(billed: Billing) -> None:
    dues = await section(billed)
    assert periods(dues) == [("2027-01-01", "920.00", "0.00", "920.00", "False")]
    await billed.merge(
        merged(1, "M", RecordRef(cluster=FIRST[0], record_id="1"), RecordRef(cluster=SECOND[0], record_id="2"))
    )
    await billed.issued(YEAR)
    dues = await section(billed)
    assert periods(dues) == [("2027-01-01", "600.00", "0.00", "600.00", "False")]
    assert (dues["invoiced"], dues["outstanding"]) == ("600.00", "600.00")
    assert [(item["from"], item["kind"], item["gross"]) for item in dues["documents"]] == [
        ("clustr-numerique/1", "invoice", "600.00"),
        ("numelink/2", "credit-note", "320.00"),
        ("numelink/2", "invoice", "320.00"),
    ]
    [reason] = [item["reason"] for item in dues["periods"][0]["reasons"] if "-320,00 €" in item["reason"]]
    assert "déjà compris dans la cotisation de votre autre fiche, clustr-numerique/1" in reason


async def test_a_former_system_that_says_our_document_again_has_it_counted_and_covered_once(billed: Billing) -> None:
    [(number,)] = await billed.rows("select number from documents where cluster = 'numelink'")
    again = a_former_invoice("2", YEAR, LAST, "320.00", number=number, status="paid")
    await billed.bill_formerly("numelink", again)
    dues = await section(billed)
    assert (dues["invoiced"], periods(dues)) == ("920.00", [("2027-01-01", "920.00", "320.00", "600.00", "False")])
    assert (await billed.issued(YEAR))["documents"] == 0, "it covers no days but those that our document billed"


async def test_a_payment_that_names_our_number_pays_it(billed: Billing) -> None:
    [(number,)] = await billed.rows("select number from documents where cluster = 'numelink'")
    paid = PaymentRecorded(
        version=1, payment_id="P1", record_id="2", invoice_id=number, paid_on=YEAR, amount=Decimal("320.00")
    )
    await handled(billed.engine, billed.begin, record_payments, [envelope(paid, "/numelink/billing")])
    assert periods(await section(billed)) == [("2027-01-01", "920.00", "320.00", "600.00", "False")]
