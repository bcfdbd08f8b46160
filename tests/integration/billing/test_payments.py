"""Payments on a real database: recorded once, never spent twice, and never altered."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from services.billing.accounts.queries import ACCOUNTS
from services.billing.documents.repository import issue
from services.common.sections import state_the_rest
from shared.runtime.clock import Clock
from tests.integration.billing.test_numbering import a_draft, issuing
from tests.support.billing import Billing, a_description, a_former_invoice
from tests.support.dues import YEAR
from tests.support.payments import LAST, account, allocated, billed, euros, paid

TOMORROW = Clock().today() + timedelta(days=1)
UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def test_a_payment_that_is_recorded_twice_under_one_key_is_one(office: Billing) -> None:
    await billed(office, "600.00")
    first = await paid(office, "600.00", key="REL-12-4")
    assert await paid(office, "600.00", key="REL-12-4") == first
    assert [each["payment_id"] for each in (await office.ask("payments"))["items"]] == [first["payment_id"]]
    what: dict[str, Any] = {"issuer": "merged", "received_on": Clock().today(), "key": "REL-12-4"}
    kind, detail = await office.refusal("record-payment", record="numelink/1", amount="599.00", **what)
    assert (kind, "amount differ" in detail) == ("payment-key-used", True)


@pytest.mark.parametrize(
    ("different", "kind"),
    [
        ({"record": "numelink/nobody"}, "billed-member-unknown"),
        ({"issuer": "nobody"}, "issuer-unknown"),
        ({"received_on": TOMORROW}, "payment-invalid"),
        ({"received_on": date(2025, 12, 31)}, "payment-invalid"),
        ({"issuer": "clustr-numerique"}, "payment-invalid"),
        ({"amount": "0.00"}, "arguments-invalid"),
        ({"amount": "1.001"}, "arguments-invalid"),
        ({"means": "shells"}, "arguments-invalid"),
    ],
)
async def test_what_is_no_payment_is_refused(office: Billing, different: dict[str, Any], kind: str) -> None:
    await billed(office, "600.00")
    usual = {"issuer": "merged", "record": "numelink/1", "amount": "600.00", "key": "REL-0"}
    asked: dict[str, Any] = usual | {"received_on": Clock().today()} | different
    assert (await office.refusal("record-payment", **asked))[0] == kind
    assert await office.rows("select count(*) from payments_received") == [(0,)]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (("=600.01",), "600.01 of 600.00 € that are owed"),
        (("=600.00", "=101.00"), "101.00 € for F-{}-000002, and 100.00 € are free"),
        (("", "=100.01"), "100.01 € for F-{}-000002, and 100.00 € are free"),
    ],
)
async def test_no_more_is_allocated_than_is_free_and_owed(office: Billing, parts: tuple[str, ...], words: str) -> None:
    numbers = await billed(office, "600.00", "320.00")
    payment = await paid(office, "700.00")
    named = [dict(zip(("number", "amount"), f"{n}{part}".split("="), strict=False))
             for n, part in zip(numbers, parts, strict=False)]  # fmt: skip
    kind, detail = await office.refusal("allocate-payment", payment_id=payment["payment_id"], documents=named)
    assert (kind, words.format(Clock().today().year) in detail) == ("allocation-impossible", True), detail
    assert await office.rows("select count(*) from allocations") == [(0,)]


async def test_all_payments_of_a_cluster_are_listed_page_by_page(office: Billing) -> None:
    await billed(office, "600.00")
    await office.describe(a_description("clustr-numerique", "9"))
    await paid(office, "1.00", "clustr-numerique/9")
    known = [(await paid(office, f"{n}.00"))["payment_id"] for n in (1, 2, 3)]
    await office.ask("refund-payment", payment_id=known[2], amount="2.50")
    first = await office.ask("payments", cluster="numelink", limit=2, free=True)
    rest = await office.ask("payments", cluster="numelink", limit=2, after=first["next"])
    items = [*first["items"], *rest["items"]]
    assert [(each["payment_id"], each["pending"]) for each in items] == [
        (known[2], "2.50"), (known[1], "0.00"), (known[0], "0.00"),
    ]  # fmt: skip
    assert (first["count"], rest["count"], rest["next"]) == (3, 3, None)


async def test_what_is_asked_of_something_that_is_not_there_is_refused(office: Billing) -> None:
    [number] = await billed(office, "600.00")
    payment = (await paid(office, "700.00"))["payment_id"]
    part = [{"number": "F-1999-000001"}]
    assert (await office.refusal("allocate-payment", payment_id=payment, documents=part))[0] == "document-unknown"
    await office.bill_formerly("numelink", a_former_invoice("1", date(2026, 1, 1), date(2026, 12, 31)))
    kind, detail = await office.refusal("allocate-payment", payment_id=payment, documents=[{"number": "FA-1"}])
    assert (kind, "FA-1 is an invoice of a former system" in detail) == ("allocation-impossible", True)
    part = [{"number": number}]
    assert (await office.refusal("allocate-payment", payment_id=UNKNOWN, documents=part))[0] == "payment-unknown"
    assert (await office.refusal("undo-allocation", allocation_id=UNKNOWN))[0] == "allocation-unknown"
    approval = {"refund_id": UNKNOWN, "paid_on": Clock().today()}
    assert (await office.refusal("approve-refund", by="tresoriere", **approval))[0] == "refund-unknown"
    kind, detail = await office.refusal("refund-payment", payment_id=payment, amount="700.01")
    assert (kind, "700.01 € of 700.00 €" in detail) == ("refund-impossible", True)


async def test_a_credit_note_and_a_document_of_another_issuer_are_paid_by_nothing(office: Billing) -> None:
    [number] = await billed(office, "600.00")
    payment = (await paid(office, "700.00"))["payment_id"]
    lines = [{"place": 0, "amount": "1.00"}]
    correction = {"number": number, "cause": "gesture", "lines": lines}
    credit = (await office.ask("correct-document", by="tresoriere", **correction))["number"]
    part = [{"number": credit}]
    assert (await office.refusal("allocate-payment", payment_id=payment, documents=part))[0] == "allocation-impossible"
    [(document,)] = await office.rows("select document_id::text from documents where number = $1", number)
    await office.rows(_ANOTHER_ISSUERS, UNKNOWN)
    with pytest.raises(DBAPIError, match="pays no document of another"):
        await office.rows(_ALLOCATE, UNKNOWN, document, euros("1.00"))


_ANOTHER_ISSUERS = """
    insert into payments_received (payment_id, issuer, cluster, record_id, amount, received_on, means, reference, key,
                                   account, advances, recorded_by, reason)
    values ($1::uuid, 'numelink', 'numelink', '1', 10, now(), 'cash', '', 'K', '530', '4191', 'x', 'x') returning 1
"""
_ALLOCATE = """
    insert into allocations (allocation_id, payment_id, document_id, amount, booked_on, author, reason)
    values (gen_random_uuid(), $1::uuid, $2::uuid, $3, now(), 'x', 'x') returning 1
"""


async def test_the_database_itself_refuses_to_spend_what_is_not_free_or_not_owed(office: Billing) -> None:
    [number] = await billed(office, "600.00")
    payment = (await paid(office, "700.00"))["payment_id"]
    [(document,)] = await office.rows("select document_id::text from documents where number = $1", number)
    with pytest.raises(DBAPIError, match="than is owed on it"):
        await office.rows(_ALLOCATE, payment, document, euros("600.01"))
    await office.rows(_ALLOCATE, payment, document, euros("600.00"))
    [(allocation,)] = await office.rows("select allocation_id::text from allocations")
    undo = _ALLOCATE.replace("amount,", "amount, undoes,").replace("$3,", "$3, $4::uuid,")
    with pytest.raises(DBAPIError, match="undone whole"):
        await office.rows(undo, payment, document, euros("-1.00"), allocation)
    for table in ("payments_received", "allocations"):
        with pytest.raises(DBAPIError, match="is never altered"):
            await office.rows(f"update {table} set amount = 1 returning 1")
        with pytest.raises(DBAPIError, match="is never altered"):
            await office.rows(f"delete from {table} returning 1")
    refund = (await office.ask("refund-payment", payment_id=payment, amount="100.00"))["refunds"][0]["refund_id"]
    approve = """
        insert into refund_approvals (refund_id, paid_on, account, approved_by, approved_key, reason)
        values ($1::uuid, now(), '512', 'x', $2, 'x') returning 1
    """
    with pytest.raises(DBAPIError, match="by another key"):
        await office.rows(approve, refund, "key of secretaire")
    returned = """
        insert into payment_returns (payment_id, return_id, returned_on, code, fee, bank, fees, author, reason)
        values ($1::uuid, gen_random_uuid(), now(), 'AC04', 0, '512', '627', 'x', 'x') returning 1
    """
    with pytest.raises(DBAPIError, match="returned whole"):
        await office.rows(returned, payment)


async def test_of_ten_who_allocate_and_refund_the_same_money_at_once_it_is_spent_once(office: Billing) -> None:
    numbers = await billed(office, "600.00", "600.00")
    payment = (await paid(office, "600.00"))["payment_id"]
    refund = (await office.ask("refund-payment", payment_id=payment))["refunds"][0]["refund_id"]
    asked = [("allocate-payment", {"payment_id": payment, "documents": [{"number": numbers[n % 2]}]}) for n in range(8)]
    asked += [("approve-refund", {"refund_id": refund, "paid_on": Clock().today()})] * 2
    results = await asyncio.gather(*(office.result(name, what, by="tresoriere") for name, what in asked))
    assert [result.outcome for result in results].count("done") == 1, results
    assert (await office.ask("payment", payment_id=payment))["free"] == "0.00"


async def test_two_who_bypass_the_turn_do_not_pay_one_document_twice(office: Billing) -> None:
    [number] = await billed(office, "600.00")
    payments = [(await paid(office, "600.00"))["payment_id"] for _ in range(4)]
    [(document,)] = await office.rows("select document_id::text from documents where number = $1", number)
    rows = [office.rows(_ALLOCATE, payment, document, euros("600.00")) for payment in payments]
    results = await asyncio.gather(*rows, return_exceptions=True)
    assert sum(not isinstance(result, DBAPIError) for result in results) == 1, results


async def test_a_credit_note_that_frees_no_money_is_refused_at_commit(office: Billing) -> None:
    """As the version before would issue it, during an upgrade."""
    [number] = await billed(office, "600.00")
    await allocated(office, await paid(office, "600.00"), number)
    [(document,)] = await office.rows("select document_id::text from documents where number = $1", number)
    credit = a_draft("1", kind="credit-note", corrects=document, corrects_place=0)
    with pytest.raises(DBAPIError, match="is credited now is free again"):
        async with office.engine.begin() as connection:
            await issue(connection, issuing(office), [credit])
    assert await office.rows("select count(*) from documents") == [(1,)]


async def test_a_second_undoing_is_refused_and_a_refund_waits_for_its_money(office: Billing) -> None:
    [number] = await billed(office, "600.00")
    payment = await paid(office, "700.00")
    refund = (await office.ask("refund-payment", payment_id=payment["payment_id"]))["refunds"][0]["refund_id"]
    [part] = (await allocated(office, payment, f"{number}=600.00"))["allocations"]
    approval = {"refund_id": refund, "paid_on": Clock().today()}
    kind, detail = await office.refusal("approve-refund", by="tresoriere", **approval)
    assert (kind, "700.00 € of 100.00 €" in detail) == ("refund-impossible", True)
    undone = await office.ask("undo-allocation", allocation_id=part["allocation_id"])
    assert (undone["free"], undone["allocations"]) == ("700.00", [])
    assert (await office.refusal("undo-allocation", allocation_id=part["allocation_id"]))[0] == "allocation-unknown"
    with pytest.raises(IntegrityError):
        await office.rows(
            "insert into allocations select gen_random_uuid(), payment_id, document_id, amount, undoes, booked_on, "
            "author, reason from allocations where undoes is not null returning 1"
        )
    early = {"refund_id": refund, "paid_on": date(2026, 1, 1)}
    assert (await office.refusal("approve-refund", by="tresoriere", **early))[0] == "payment-invalid"
    await office.ask("approve-refund", by="tresoriere", **approval)
    back = {"payment_id": payment["payment_id"], "returned_on": Clock().today(), "code": "AC04"}
    assert (await office.refusal("return-payment", **back))[0] == "payment-invalid", "it was paid back"


async def test_no_more_is_asked_back_than_is_free_and_not_asked_back_yet(office: Billing) -> None:
    await billed(office, "600.00")
    payment = (await paid(office, "100.00"))["payment_id"]
    await office.ask("refund-payment", payment_id=payment, amount="60.00")
    kind, detail = await office.refusal("refund-payment", payment_id=payment, amount="40.01")
    assert (kind, "40.01 € of 40.00 € that are free of it, and 60.00 € wait" in detail) == ("refund-impossible", True)
    assert (await office.ask("refund-payment", payment_id=payment))["pending"] == "100.00"


async def test_where_a_former_system_bills_it_records_the_payments_too(office: Billing) -> None:
    [number] = await billed(office, "600.00")
    payment = (await paid(office, "600.00"))["payment_id"]
    await office.rows("update stages set stage = 'mirror' where cluster = 'numelink' returning 1")
    part = [{"number": number}]
    assert (await office.refusal("allocate-payment", payment_id=payment, documents=part))[0] == "not-the-authority"
    what = {"issuer": "merged", "record": "numelink/1", "amount": "1.00", "key": "K", "received_on": Clock().today()}
    assert (await office.refusal("record-payment", **what))[0] == "not-the-authority"


async def test_a_document_that_the_former_system_says_too_stays_paid(office: Billing) -> None:
    [number] = await billed(office, "600.00")
    await allocated(office, await paid(office, "600.00"), number)
    again = a_former_invoice("1", YEAR, LAST, "600.00", number=number)
    await office.bill_formerly("numelink", again)
    stated = await account(office, "1")
    assert (stated["period"], stated["outstanding"]) == (("600.00", "0.00", True), "0.00")


async def test_whatever_a_payment_changes_is_stated_again(office: Billing) -> None:
    [number] = await billed(office, "600.00", others=("group",))
    versions = "select record_id, version from section_versions order by record_id"

    async def stated() -> dict[str, int]:
        await state_the_rest(ACCOUNTS, office.begin, office.engine)
        return dict(await office.rows(versions))

    assert await stated() == {"1": 1}
    payment = await paid(office, "700.00", "numelink/group")
    assert await stated() == {"1": 1, "group": 1}
    await allocated(office, payment, number)
    assert await stated() == {"1": 2, "group": 2}
    refund = (await office.ask("refund-payment", payment_id=payment["payment_id"], amount="40.00"))["refunds"][0]
    assert await stated() == {"1": 2, "group": 2}, "nothing moved yet"
    approval = {"refund_id": refund["refund_id"], "paid_on": Clock().today()}
    await office.ask("approve-refund", by="tresoriere", **approval)
    assert await stated() == {"1": 2, "group": 3}
    other = await paid(office, "5.00", "numelink/group", means="cheque")
    assert await stated() == {"1": 2, "group": 4}
    back = {"payment_id": other["payment_id"], "returned_on": Clock().today(), "code": "UNPAID"}
    await office.ask("return-payment", **back)
    assert await stated() == {"1": 2, "group": 5}
