"""Accounts, one thing at a time: what is stated, when, and of which record."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.billing import InvoiceRecorded, PaymentRecorded
from schemas.billing_lines import Allocation, InvoiceLine, VatOfRate
from schemas.envelope import Envelope, to_json
from services.billing.accounts.queries import ACCOUNTS
from services.billing.mirror.handlers import record_invoices, record_payments
from services.billing.mirror.parity import KINDS
from services.billing.mirror.repository import BillingUnitOfWork
from services.billing.mirror.republish import REPUBLISHED
from services.common.republish import PAGE
from services.common.sections import serialise_writers, state_the_rest, statements
from services.cutover.parity.mirror_reader import mirrored_records
from shared.messaging.failures import Refusal
from tests.integration.billing.accounts.stated import DAYS, KEY, begin, paid, stated
from tests.support.merging import envelope, handled
from tests.support.sections import CLUSTER, newest_stated


def an_invoice(version: int = 1, **different: Any) -> Envelope[Any]:
    usual: dict[str, Any] = {"invoice_id": "F1", "record_id": "M1", "number": "F", "issued_on": DAYS[0]}
    amounts: dict[str, Any] = {"net": Decimal("100.00"), "vat": Decimal("20.00"), "gross": Decimal("120.00")}
    return envelope(InvoiceRecorded(version=version, **usual | amounts | different), f"/{CLUSTER}/billing")


def a_payment(**different: Any) -> Envelope[Any]:
    usual: dict[str, Any] = {"version": 1, "payment_id": "P1", "record_id": "M1", "invoice_id": "F1"}
    fact = PaymentRecorded(**usual | {"paid_on": DAYS[0], "amount": Decimal("120.00")} | different)
    return envelope(fact, f"/{CLUSTER}/billing")


async def test_a_batch_states_each_record_once(engine: AsyncEngine) -> None:
    await handled(engine, begin, record_invoices, [an_invoice(invoice_id=f"F{n}") for n in range(20)])
    assert await stated(engine) == [("M1", 1, "2400.00", None)]


async def test_a_version_that_says_nothing_new_of_the_account_is_not_stated(engine: AsyncEngine) -> None:
    for version in (1, 2, 2, 1):
        await handled(engine, begin, record_invoices, [an_invoice(version)])
    assert await stated(engine) == [("M1", 1, "120.00", None)]


async def test_an_invoice_that_becomes_another_records_leaves_the_account_that_it_was_on(engine: AsyncEngine) -> None:
    await handled(engine, begin, record_invoices, [an_invoice(1)])
    await handled(engine, begin, record_invoices, [an_invoice(2, record_id="M2")])
    assert await stated(engine) == [("M1", 2, None, None), ("M2", 1, "120.00", None)]


async def test_a_payment_of_another_record_pays_the_invoice_that_it_names(engine: AsyncEngine) -> None:
    await handled(engine, begin, record_invoices, [an_invoice()])
    await handled(engine, begin, record_payments, [a_payment(record_id="M2")])
    async with engine.begin() as connection:
        first, second = await newest_stated(connection, KEY)
    assert first["invoices"][0]["paid"] == "120.00"
    assert (first.get("received"), second["received"]) == (None, "120.00")


@pytest.mark.parametrize("payment_first", [False, True])
async def test_a_payment_of_several_invoices_pays_its_part_of_each(engine: AsyncEngine, payment_first: bool) -> None:
    def parts(*amounts: tuple[str, str], version: int = 1) -> Envelope[Any]:
        allocations = tuple(Allocation(invoice_id=name, amount=Decimal(amount)) for name, amount in amounts)
        return a_payment(invoice_id=None, amount=Decimal("150.00"), allocations=allocations, version=version)

    invoices = [an_invoice(), an_invoice(invoice_id="F2", record_id="M2")]
    deliveries = [(record_invoices, invoices), (record_payments, [parts(("F1", "120.00"), ("F2", "30.00"))])]
    for handler, batch in reversed(deliveries) if payment_first else deliveries:
        await handled(engine, begin, handler, batch)
    assert await paid(engine) == {"F1": "120.00", "F2": "30.00"}
    await handled(engine, begin, record_payments, [parts(("F2", "120.00"), version=2)])
    assert await paid(engine) == {"F1": None, "F2": "120.00"}, "the account that it left is stated too"
    assert [item[3] for item in await stated(engine)] == ["150.00", None]


@pytest.mark.parametrize(
    ("different", "words"),
    [
        ({"invoice_id": "F1"}, "not in invoice_id"),
        ({"amount": Decimal("119.99")}, "more than the payment"),
        ({"amount": Decimal("-120.00")}, "the sign of its payment"),
    ],
)
async def test_allocations_that_would_count_money_twice_are_refused(
    engine: AsyncEngine, different: dict[str, Any], words: str
) -> None:
    whole = (Allocation(invoice_id="F1", amount=Decimal("120.00")),)
    with pytest.raises(Refusal, match=words):
        await handled(
            engine, begin, record_payments, [a_payment(**{"invoice_id": None, "allocations": whole} | different)]
        )
    assert await stated(engine) == []


async def test_lines_and_allocations_are_mirrored_just_as_they_were_recorded(engine: AsyncEngine) -> None:
    lines = (
        InvoiceLine(label="Cotisation", quantity=Decimal(2), unit_price=Decimal("50.123456"), net=Decimal("100.25")),
        InvoiceLine(net=Decimal("-0.25"), vat_rate=Decimal("20"), starts_on=DAYS[0], ends_on=DAYS[1]),
    )
    rates = (VatOfRate(rate=Decimal("20"), net=Decimal(100), vat=Decimal(20)),)
    with_lines = an_invoice(lines=lines, vat_rates=rates, written_off=Decimal("1.00"))
    plain = an_invoice(invoice_id="F2")
    parts = (Allocation(invoice_id="F1", amount=Decimal("20.00")),)
    payment = a_payment(invoice_id=None, allocations=parts)
    await handled(engine, begin, record_invoices, [with_lines, plain])
    await handled(engine, begin, record_payments, [payment])
    recorded: list[Any] = [with_lines.data, plain.data, payment.data]
    async with engine.begin() as connection:
        mirrored = [fact for kind in KINDS async for _, fact in mirrored_records(connection, CLUSTER, kind)]
        assert mirrored == recorded
        assert [to_json(fact) for fact in mirrored] == [to_json(fact) for fact in recorded]
        announced = await bodies(connection, "traboule.billing.*changed")
        await connection.exec_driver_sql("truncate outbox")
        uow = begin(connection)
        for again in REPUBLISHED[:2]:
            await again.page(uow, None)
        await uow.outbox.flush(connection)
        assert await bodies(connection, "traboule.billing.*changed") == announced


async def bodies(connection: AsyncConnection, pattern: str) -> list[Any]:
    """The data of all that was announced of mirrored records."""
    sql = "select body from outbox where routing_key ~ $1 and routing_key not like '%account%' order by id"
    trees = [orjson.loads(body) for body in (await connection.exec_driver_sql(sql, (pattern,))).scalars()]
    return [event["data"] for tree in trees for event in (tree if isinstance(tree, list) else [tree])]


async def test_what_a_replica_of_the_version_before_wrote_is_stated_by_the_task(engine: AsyncEngine) -> None:
    async def record_only(uow: BillingUnitOfWork, messages: Sequence[Envelope[Any]]) -> None:
        await uow.save_invoices(messages)

    await handled(engine, begin, record_invoices, [an_invoice()])
    await handled(engine, begin, record_only, [an_invoice(2, gross=Decimal("60.00")), an_invoice(invoice_id="F2")])
    await handled(engine, begin, record_payments, [a_payment(record_id="M3", invoice_id=None)])
    assert await stated(engine) == [("M1", 1, "120.00", None), ("M3", 1, None, "120.00")]
    await state_the_rest(ACCOUNTS, begin, engine)
    assert await stated(engine) == [("M1", 2, "180.00", None), ("M3", 1, None, "120.00")]
    await state_the_rest(ACCOUNTS, begin, engine)
    assert (await stated(engine))[0][1] == 2, "there is no mark left"


async def test_who_finds_nothing_to_state_waits_for_nobody(engine: AsyncEngine) -> None:
    await handled(engine, begin, record_invoices, [an_invoice()])
    async with engine.begin() as another:
        await serialise_writers(another)
        async with asyncio.timeout(5):
            await state_the_rest(ACCOUNTS, begin, engine)


async def test_marks_of_any_number_are_stated_page_by_page(engine: AsyncEngine) -> None:
    async def record_only(uow: BillingUnitOfWork, messages: Sequence[Envelope[Any]]) -> None:
        await uow.save_invoices(messages)

    several = [an_invoice(invoice_id=f"F{n}", record_id=f"M{n}") for n in range(PAGE + 20)]
    await handled(engine, begin, record_only, several)
    await state_the_rest(ACCOUNTS, begin, engine)
    assert len(await stated(engine)) == PAGE + 20


async def test_an_account_is_told_again_as_it_was_stated_and_anew_if_it_changed(engine: AsyncEngine) -> None:
    await handled(engine, begin, record_invoices, [an_invoice()])
    again = statements(ACCOUNTS)

    async def retell() -> list[bytes]:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("truncate outbox")
            uow = begin(connection)
            page = await again.page(uow, None)
            assert (page.published, page.next) == (1, None)
            await uow.outbox.flush(connection)
            return list((await connection.exec_driver_sql("select message_id from outbox")).scalars())

    first = await retell()
    assert await stated(engine) == [("M1", 1, "120.00", None)]
    assert await retell() == first, "the same event, under the same id"
    async with engine.begin() as connection:
        await connection.exec_driver_sql("update invoices set gross = 60")
    assert await retell() != first
    assert await stated(engine) == [("M1", 2, "60.00", None)]
