"""Accounts are the same in whatever order their rows come, and in the bytes of the version before."""

import asyncio
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.billing import InvoiceRecorded, PaymentRecorded
from schemas.envelope import Envelope
from services.billing.mirror.handlers import record_invoices, record_payments
from services.membership.records.record import RecordKey, Related
from services.membership.views import dues as views
from services.membership.views.unannounced import with_unannounced
from tests.integration.billing.accounts.stated import DAYS, KEY, begin
from tests.support import sections_before
from tests.support.examples import examples
from tests.support.merging import Database, deliveries, envelope, handled
from tests.support.sections import CLUSTER, kept

_versions = st.integers(1, 3)
_records = st.sampled_from(["M1", "M2", "M3"])
_invoices = st.builds(
    InvoiceRecorded,
    version=_versions,
    invoice_id=st.sampled_from(["F1", "F2", "F3"]),
    record_id=_records,
    number=st.just("F"),
    kind=st.sampled_from(["invoice", "invoice", "credit-note"]),
    corrects=st.sampled_from([None, "F1", "F2"]),
    status=st.sampled_from(["issued", "paid", "cancelled", "draft"]),
    label=st.sampled_from([None, "Cotisation"]),
    issued_on=st.sampled_from(DAYS),
    period_starts_on=st.sampled_from([None, date(2026, 1, 1)]),
    period_ends_on=st.sampled_from([None, *DAYS]),
    net=st.just(Decimal("100.00")),
    vat=st.just(Decimal("20.00")),
    gross=st.sampled_from([Decimal("120.00"), Decimal("60.00"), Decimal("-60.00")]),
)
_payments = st.builds(
    PaymentRecorded,
    version=_versions,
    payment_id=st.sampled_from(["P1", "P2", "P3"]),
    record_id=_records,
    invoice_id=st.sampled_from([None, "F1", "F2"]),
    paid_on=st.sampled_from(DAYS),
    amount=st.sampled_from([Decimal("60.00"), Decimal("120.00"), Decimal("-60.00")]),
)
_facts = st.lists(st.one_of(_invoices, _payments), min_size=2, max_size=14).map(
    lambda facts: [envelope(fact, f"/{CLUSTER}/billing") for fact in facts]
)


@settings(
    max_examples=examples(30),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_two_deliveries_end_in_the_same_accounts_and_in_the_bytes_of_the_version_before(
    billing: Database, data: st.DataObject
) -> None:
    facts = data.draw(_facts)
    item, other = data.draw(deliveries(facts), label="one"), data.draw(deliveries(facts), label="other")

    async def compare() -> None:
        async with billing.engine() as engine:
            stated = await accounts_after(engine, item)
            assert stated == await accounts_after(engine, other)
            before = items_of(facts)
            assert orjson.dumps(as_before(views.dues(stated))) == orjson.dumps(dues_before(before))
            assert views.paid_until(stated) == sections_before.paid_through(dues_before(before))
            unannounced = with_unannounced(before)["account"]
            assert orjson.dumps(views.dues(unannounced)) == orjson.dumps(dues_before(before))
            assert periods(unannounced) == periods(stated)

    asyncio.run(compare())


def as_before(dues: dict[str, Any]) -> dict[str, Any]:
    """What the version before knew of dues: it stated no periods."""
    return {name: value for name, value in dues.items() if name != "periods"}


async def accounts_after(engine: AsyncEngine, batches: list[list[Envelope[Any]]]) -> list[Related]:
    """The newest account of each record, as membership keeps it; each batch is a transaction of its own."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql("truncate invoices, payments, outbox, section_versions, section_changes")
    for batch in batches:
        handler = record_invoices if isinstance(batch[0].data, InvoiceRecorded) else record_payments
        await handled(engine, begin, handler, batch)
    async with engine.begin() as connection:
        assert list(await connection.exec_driver_sql("select * from section_changes")) == [], "nothing is left to state"
        return await kept(connection, "account", KEY)


def items_of(facts: Sequence[Envelope[Any]]) -> list[Related]:
    """The newest version of every invoice and payment, as membership of the version before kept it."""
    newest: dict[tuple[str, str], Envelope[Any]] = {}
    for message in sorted(facts, key=lambda fact: (fact.data.version, fact.digest)):
        kind = "invoice" if isinstance(message.data, InvoiceRecorded) else "payment"
        newest[kind, getattr(message.data, f"{kind}_id")] = message
    return [
        Related(kind, RecordKey(CLUSTER, message.data.record_id), item_id, orjson.loads(message.document))
        for (kind, item_id), message in newest.items()
    ]


def dues_before(items: Sequence[Related]) -> dict[str, Any]:
    kinds = {kind: [item for item in items if item.kind == kind] for kind in ("invoice", "payment")}
    return sections_before.dues(kinds["invoice"], kinds["payment"])


def periods(accounts: Sequence[Related]) -> list[tuple[Any, ...]]:
    return sorted(
        (str(account.key), *period.values())
        for account in accounts
        for period in account.document.get("paid_periods", ())
    )
