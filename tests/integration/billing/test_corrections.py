"""Credit notes by hand: by line or by days, never above what is left, and no run bills again what they took off."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemas.billing_grids import Flat, GridLine, Vat
from services.billing.documents.files import render_the_rest
from tests.support.billing import Billing, a_description
from tests.support.dues import DUES, FEE, YEAR
from tests.support.payments import allocated, paid


@pytest.fixture
async def invoice(office: Billing) -> str:
    """Dues of 600.00 and a joining fee of 50.00, billed on one invoice; its number."""
    await office.describe(a_description("numelink", "1", "12", member_since=YEAR))
    await office.adopted(lines=(DUES, FEE))
    await office.takes_over("clustr-numerique", "numelink")
    [number] = (await office.issued(YEAR))["numbers"]
    return number


async def corrected(office: Billing, number: str, by: str = "tresoriere", **what: Any) -> dict[str, Any]:
    return await office.ask("correct-document", by=by, number=number, **{"cause": "gesture"} | what)


async def refused(office: Billing, number: str, by: str = "tresoriere", **what: Any) -> tuple[str, str]:
    return await office.refusal("correct-document", by=by, number=number, **{"cause": "gesture"} | what)


async def test_a_line_is_credited_in_part_and_then_what_is_left_and_no_run_bills_it_again(
    office: Billing, invoice: str
) -> None:
    credit = await corrected(office, invoice, lines=[{"place": 1, "amount": "20.00"}])
    assert (credit["kind"], credit["gross"], credit["corrects"]) == ("credit-note", "20.00", invoice)
    assert credit["why"] == "Geste de l'association : un test"
    assert credit["lines"][0]["label"] == "Avoir sur Droit d'entrée"
    assert (await office.issued(YEAR))["documents"] == 0
    rest = await corrected(office, invoice, lines=[{"place": 1}])
    assert rest["gross"] == "30.00"
    assert (await office.issued(YEAR))["documents"] == 0
    owed = await office.ask("dues", member="numelink/1", issuer="merged", first=YEAR)
    assert owed["amount"] == "600.00"
    kind, detail = await refused(office, invoice, lines=[{"place": 1, "amount": "0.01"}])
    assert (kind, "0.01 € of 0.00 € that are left" in detail) == ("correction-impossible", True)


async def test_credits_of_parts_carry_the_vat_of_the_invoice_together(office: Billing) -> None:
    merged = office.issuers["merged"]
    settings = tuple(
        each.model_copy(update={"regime": "taxed", "vat_number": "FR06323456780"}) for each in merged.settings
    )
    office = replace(office, issuers={**office.issuers, "merged": merged.model_copy(update={"settings": settings})})
    await office.describe(a_description("numelink", "1"))
    line = GridLine(
        code="dues", label="Cotisation", price=Flat(amount=Decimal("10.00")), vat=Vat(regime="taxed", rate=Decimal(20))
    )
    await office.adopted(lines=(line,))
    await office.takes_over("clustr-numerique", "numelink")
    [number] = (await office.issued(YEAR))["numbers"]
    payment = await allocated(office, await paid(office, "12.00"), number)
    for _ in range(2):
        await office.ask("decide-due", kind="remit", record="numelink/1", first=YEAR, amount="3.33")
        await office.issued(YEAR)
    assert (await corrected(office, number, lines=[{"place": 0}]))["gross"] == "4.01"
    documents = await office.rows("select vat from documents where kind = 'credit-note' order by place")
    assert documents == [(Decimal("0.67"),), (Decimal("0.66"),), (Decimal("0.67"),)]
    assert (await office.ask("payment", payment_id=payment["payment_id"]))["free"] == "12.00"
    await render_the_rest(office.engine)
    assert {item["files"] for item in (await office.ask("documents"))["items"]} == {"ready"}


async def test_days_are_credited_by_their_share_and_all_shares_add_up(office: Billing, invoice: str) -> None:
    halves = [(date(2027, 7, 1), date(2027, 12, 31)), (date(2027, 1, 1), date(2027, 6, 30))]
    amounts = [
        Decimal((await corrected(office, invoice, cause="error", first=first, last=last))["gross"])
        for first, last in halves
    ]
    assert amounts == [Decimal("302.47"), Decimal("297.53")]
    assert (await office.issued(YEAR))["documents"] == 0
    await render_the_rest(office.engine)
    assert {item["files"] for item in (await office.ask("documents"))["items"]} == {"ready"}


async def test_the_same_days_are_not_credited_twice(office: Billing, invoice: str) -> None:
    july: dict[str, Any] = {"first": date(2027, 7, 1), "last": date(2027, 7, 31)}
    await corrected(office, invoice, **july)
    kind, detail = await refused(office, invoice, **july)
    assert (kind, "credited du 01/07/2027 au 31/07/2027 already" in detail) == ("correction-impossible", True)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"lines": [{"place": 0, "amount": "600.01"}]}, "600.01 € of 600.00 € that are left"),
        ({"lines": [{"place": 7}]}, "it has no line 7: its lines are 0 to 1"),
        ({"first": date(2026, 1, 1), "last": date(2026, 12, 31)}, "it bills none of these days"),
    ],
)
async def test_what_cannot_be_credited_is_refused_and_nothing_stays(
    office: Billing, invoice: str, what: dict[str, Any], words: str
) -> None:
    kind, detail = await refused(office, invoice, **what)
    assert (kind, words in detail) == ("correction-impossible", True), detail
    assert await office.rows("select count(*) from documents") == [(1,)]
    assert await office.rows("select count(*) from due_decisions") == [(0,)]


@pytest.mark.parametrize(
    "what",
    [
        {},
        {"first": YEAR},
        {"lines": [{"place": 0}], "first": YEAR, "last": YEAR},
        {"lines": [{"place": 0}, {"place": 0}]},
        {"lines": [{"place": 0, "amount": "-1.00"}]},
        {"lines": [{"place": 0}], "cause": "because"},
    ],
)
async def test_what_is_no_correction_is_not_understood(office: Billing, what: dict[str, Any]) -> None:
    assert (await refused(office, "F-2027-000001", **what))[0] == "arguments-invalid"


async def test_who_may_correct_and_what(office: Billing, invoice: str) -> None:
    line: dict[str, Any] = {"lines": [{"place": 0, "amount": "1.00"}]}
    assert (await refused(office, invoice, by="stagiaire", **line))[0] == "second-person"
    assert (await refused(office, "F-1999-000001", **line))[0] == "document-unknown"
    credit = (await corrected(office, invoice, **line))["number"]
    assert (await refused(office, credit, **line))[0] == "correction-impossible"
    await office.rows("update stages set stage = 'mirror' where cluster = 'numelink' returning 1")
    assert (await refused(office, invoice, **line))[0] == "not-the-authority"
