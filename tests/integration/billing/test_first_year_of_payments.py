"""What a treasurer meets in the first year once money comes: cases of the plan by their number, with amounts."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from shared.runtime.clock import Clock
from tests.support.billing import Billing
from tests.support.payments import LAST, account, allocated, billed, paid


async def test_case_2_what_was_paid_on_an_invoice_that_a_merge_takes_off_is_free(office: Billing) -> None:
    [number] = await billed(office, "320.00")
    await allocated(office, first := await paid(office, "320.00"), number)
    lines = [{"place": 0}]
    await office.ask("correct-document", by="tresoriere", number=number, cause="duplicate", lines=lines)
    shown = await office.ask("payment", payment_id=first["payment_id"])
    assert (shown["free"], shown["allocations"]) == ("320.00", [])
    assert (await account(office, "1"))["outstanding"] == "-320.00"


async def test_a_credit_of_a_part_frees_just_that_part(office: Billing) -> None:
    [number] = await billed(office, "900.00")
    await allocated(office, first := await paid(office, "500.00"), number)
    await allocated(office, second := await paid(office, "400.00"), number)
    lines = [{"place": 0, "amount": "450.00"}]
    await office.ask("correct-document", by="tresoriere", number=number, cause="gesture", lines=lines)
    shown = [await office.ask("payment", payment_id=each["payment_id"]) for each in (first, second)]
    assert sorted(each["free"] for each in shown) == ["400.00", "50.00"], "the newest is undone first"
    assert (await account(office, "1"))["period"] == ("450.00", "0.00", True)


async def test_case_5_50_00_are_free_after_a_partial_and_an_over_payment_and_two_persons_pay_them_back(
    office: Billing,
) -> None:
    [number] = await billed(office, "900.00")
    await allocated(office, await paid(office, "500.00"), number)
    assert (await account(office, "1"))["period"] == ("500.00", "400.00", False)
    second = await allocated(office, await paid(office, "450.00"), number)
    assert (second["free"], second["allocations"][0]["amount"]) == ("50.00", "400.00")
    whole = await account(office, "1")
    assert (whole["period"], whole["received"], whole["outstanding"]) == (("900.00", "0.00", True), "950.00", "-50.00")
    assert whole["paid_until"] == LAST
    asked = await office.ask("refund-payment", payment_id=second["payment_id"])
    [refund] = asked["refunds"]
    assert (refund["amount"], refund["approved_by"], asked["free"]) == ("50.00", None, "50.00")
    approve: dict[str, Any] = {"refund_id": refund["refund_id"], "paid_on": Clock().today()}
    for by, written in (("secretaire", ""), ("tresoriere", "secretaire"), ("stagiaire", "")):
        assert (await office.refusal("approve-refund", by=by, written=written, **approve))[0] == "second-person"
    back = await office.ask("approve-refund", by="tresoriere", **approve)
    assert (back["free"], back["refunds"][0]["approved_by"]) == ("0.00", "tresoriere")
    settled = await account(office, "1")
    assert (settled["received"], settled["outstanding"]) == ("900.00", "0.00")
    assert (await office.refusal("approve-refund", by="tresoriere", **approve))[0] == "refund-state"


async def test_case_6_a_returned_direct_debit_opens_the_claim_again_with_its_original_due_date(office: Billing) -> None:
    [number] = await billed(office, "900.00")
    before = await office.ask("document", number=number)
    debit = await allocated(office, await paid(office, "900.00", means="direct-debit"), number)
    assert (await account(office, "1"))["period"] == ("900.00", "0.00", True)
    back: dict[str, Any] = {"payment_id": debit["payment_id"], "returned_on": Clock().today(), "code": "MD06"}
    returned = await office.ask("return-payment", **back, fee="12.30")
    assert (returned["free"], returned["allocations"]) == ("0.00", [])
    assert (returned["returned"]["code"], returned["returned"]["fee"]) == ("MD06", "12.30")
    opened = await account(office, "1")
    assert (opened["period"], opened["outstanding"]) == (("0.00", "900.00", False), "900.00")
    assert (opened["received"], opened["paid_until"]) == ("0.00", None)
    assert await office.ask("document", number=number) == before, "its due date is the first one"
    assert (await office.refusal("return-payment", **back))[0] == "payment-returned"
    again = await allocated(office, await paid(office, "900.00", means="direct-debit"), number)
    assert (again["free"], (await account(office, "1"))["period"]) == ("0.00", ("900.00", "0.00", True))


async def test_case_14_a_group_pays_for_four_subsidiaries_in_one_transfer(office: Billing) -> None:
    amounts = ("320.00", "600.00", "600.00", "900.00")
    numbers = await billed(office, *amounts, others=("group",))
    transfer = await paid(office, "2420.00", "numelink/group")
    assert (await account(office, "group"))["outstanding"] == "-2420.00"
    transfer = await allocated(office, transfer, *numbers)
    assert [(part["number"], part["amount"]) for part in transfer["allocations"]] == [
        *zip(numbers, amounts, strict=True)
    ]
    assert transfer["free"] == "0.00"
    for place, amount in enumerate(amounts, 1):
        subsidiary = await account(office, f"{place}")
        assert subsidiary["period"] == (amount, "0.00", True)
        assert (subsidiary["received"], subsidiary["transferred"], subsidiary["outstanding"]) == (None, amount, "0.00")
    group = await account(office, "group")
    assert (group["received"], group["transferred"], group["outstanding"]) == ("2420.00", "-2420.00", "0.00")
    [last] = [part for part in transfer["allocations"] if part["number"] == numbers[3]]
    await office.ask("undo-allocation", allocation_id=last["allocation_id"])
    assert (await account(office, "4"))["period"] == ("0.00", "900.00", False)
    assert (await account(office, "group"))["outstanding"] == "-900.00"


async def test_who_may_approve_a_refund_does_not_hang_on_the_day_that_they_write(office: Billing) -> None:
    await billed(office, "600.00")
    today = Clock().today()
    day = {days: today - timedelta(days=days) for days in (5, 10, 20)}
    merged = office.issuers["merged"]
    [first] = merged.settings
    settings = (
        first.model_copy(update={"since": day[20], "approvers": ("stagiaire", "tresoriere"), "approval_limit": None}),
        first.model_copy(update={"since": day[5], "approvers": ("tresoriere",), "approval_limit": Decimal(100)}),
    )
    office = replace(office, issuers={**office.issuers, "merged": merged.model_copy(update={"settings": settings})})
    payment = await paid(office, "200.00", received_on=day[20])
    for _ in range(2):
        payment = await office.ask("refund-payment", payment_id=payment["payment_id"], amount="60.00")
    halves: list[dict[str, Any]] = [{"refund_id": each["refund_id"], "paid_on": day[10]} for each in payment["refunds"]]
    first_half, second_half = halves
    assert (await office.refusal("approve-refund", by="stagiaire", **first_half))[0] == "second-person"
    later: dict[str, Any] = first_half | {"paid_on": today + timedelta(days=1)}
    assert (await office.refusal("approve-refund", by="tresoriere", **later))[0] == "payment-invalid"
    await office.ask("approve-refund", by="tresoriere", **first_half)
    kind, detail = await office.refusal("approve-refund", by="tresoriere", **second_half)
    assert (kind, "it comes to 120.00 €" in detail) == ("second-person", True), "both parts of one payment together"


async def test_what_is_undone_by_a_return_is_not_booked_before_it_was_allocated(office: Billing) -> None:
    today = Clock().today()
    [number] = await billed(office, "600.00")
    payment = await allocated(office, await paid(office, "600.00", received_on=today - timedelta(days=9)), number)
    back = {"payment_id": payment["payment_id"], "returned_on": today - timedelta(days=2), "code": "AC04"}
    await office.ask("return-payment", **back)
    booked = await office.rows("select label, booked_on from entries where journal in ('OD', 'BQ') order by place")
    assert booked[1:] == [
        (f"Affectation, {number}", today),
        (f"Affectation annulée, {number}", today),
        ("Rejet AC04", today - timedelta(days=2)),
    ]
