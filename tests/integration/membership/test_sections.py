"""From a former system's invoice to the view, over billing and membership with a real broker and real databases."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest

from deploy.local.nodes import Nodes
from schemas.base import Fact
from schemas.billing import AccountChanged, AccountInvoice, InvoiceChanged
from schemas.membership import MemberRemoved
from services.billing.mirror.repository import BillingUnitOfWork
from shared.persistence.database import create_engine
from tests.support.builders import a_member, a_payment, an_invoice
from tests.support.command import traboule
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.merging import envelope, speaker_in
from tests.support.waiting import eventually

PAID: dict[str, Any] = {"period_starts_on": date(2026, 1, 1), "period_ends_on": date(2026, 12, 31), "status": "paid"}


@dataclass(frozen=True)
class Pair:
    """Membership and billing in one place; each runs if its block is entered."""

    membership: OwnService
    billing: OwnService

    async def write(self, cluster: str, *facts: Fact) -> None:
        for fact in facts:
            await self.membership.publish_as(f"{cluster}.{fact.service}", fact)

    async def views(self) -> list[dict[str, Any]]:
        rows = await self.membership.query("select document from views order by sort_key, member_id")
        return [orjson.loads(row["document"]) for row in rows]

    async def bytes_of_views(self) -> list[bytes]:
        return await self.membership.column("select document from views order by member_id")

    async def shows(self, *dues: tuple[str, str]) -> None:
        """Return once the views show these sums, invoiced and received."""

        async def so() -> bool:
            return [(view["dues"]["invoiced"], view["dues"]["received"]) for view in await self.views()] == [*dues]

        await eventually(so)

    async def settled(self) -> None:
        """Return once nothing is on its way."""

        async def so() -> bool:
            waiting = [
                await item.column("select (select count(*) from outbox) + (select count(*) from section_changes)")
                for item in (self.membership, self.billing)
            ]
            return waiting == [[0], [0]]

        await eventually(so)
        await asyncio.sleep(0.5)


@pytest.fixture(scope="module")
def place(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership", "billing") as own:
        yield own


@pytest.fixture
async def silent(place: OwnService) -> Pair:
    """Neither runs yet."""
    pair = Pair(place, replace(place, name="billing"))
    await pair.billing.empty()
    await pair.membership.empty()
    return pair


@pytest.fixture
async def both(silent: Pair) -> AsyncIterator[Pair]:
    """Both run."""
    async with silent.membership.running(), silent.billing.running():
        yield silent


async def test_an_account_that_is_announced_is_shown_and_follows_what_is_paid(both: Pair) -> None:
    await both.write("numelink", a_member(record_id="M1"), an_invoice(record_id="M1", invoice_id="F1"))
    await both.shows(("120.00", "0"))
    payment = a_payment(record_id="M1", invoice_id="F1", amount=Decimal("50.00"))
    await both.write("numelink", payment, payment, payment)
    await both.shows(("120.00", "50.00"))
    [view] = await both.views()
    assert (view["dues"]["outstanding"], view["dues"]["invoices"][0]["paid"]) == ("70.00", "50.00")


async def test_a_member_that_comes_after_its_account_shows_it(both: Pair) -> None:
    await both.write("numelink", an_invoice(record_id="M1"))
    await both.settled()
    await both.write("numelink", a_member(record_id="M1"))
    await both.shows(("120.00", "0"))


async def test_accounts_add_up_in_a_merge_and_part_again(both: Pair) -> None:
    company = {"name": "Ateliers du Gier", "siren": "552100554"}
    await both.write(
        "numelink", a_member(record_id="M1", **company), an_invoice(record_id="M1", invoice_id="F1", **PAID)
    )
    other = an_invoice(record_id="X1", invoice_id="F1", **PAID)
    await both.write("clustr-numerique", a_member(record_id="X1", **company), other)
    await both.shows(("240.00", "0"))
    [view] = await both.views()
    assert view["paid_until"] == "2026-12-31"
    assert [item["kind"] for item in view["conflicts"]] == ["paid-twice"], "what needs several records stays here"
    with both.membership.environment():
        answer = await traboule("duplicates", "separate", "numelink/M1", "--reason", "the parent company")
        assert answer.exit_code == 0, answer.err
    await both.shows(("120.00", "0"), ("120.00", "0"))
    assert [view["conflicts"] for view in await both.views()] == [[], []]


async def test_a_debt_stays_when_its_record_is_removed(both: Pair) -> None:
    company = {"name": "Ateliers du Gier", "siren": "552100554"}
    await both.write("numelink", *(a_member(record_id=item, **company) for item in ("M1", "M2")))
    await both.write("numelink", an_invoice(record_id="M2"))
    await both.shows(("120.00", "0"))
    await both.write("numelink", MemberRemoved(version=2, record_id="M2"))

    async def removed() -> bool:
        return [view.get("removed_sources") for view in await both.views()] == [["numelink/M2"]]

    await eventually(removed)
    await both.shows(("120.00", "0"))


def an_account(version: int, gross: str) -> AccountChanged:
    invoice = AccountInvoice(
        invoice_id="F1",
        number="F",
        issued_on=date(2026, 1, 5),
        net=Decimal(gross),
        vat=Decimal(),
        gross=Decimal(gross),
    )
    amounts: dict[str, Any] = {"invoiced": Decimal(gross), "outstanding": Decimal(gross)}
    return AccountChanged(version=version, cluster="numelink", record_id="M1", invoices=(invoice,), **amounts)


async def test_accounts_that_come_late_or_twice_change_nothing(silent: Pair, passwords: Passwords) -> None:
    billing = speaker_in(silent.membership, passwords, "billing")
    async with silent.membership.running():
        await silent.write("numelink", a_member(record_id="M1"))
        await billing.publishes(an_account(2, "60.00"), an_account(1, "30.00"), an_account(2, "60.00"))

        async def all_came() -> bool:
            sql = "select count(*) from inbox where message like '/traboule/billing %'"
            return await silent.membership.column(sql) >= [2]

        await eventually(all_came)
        await silent.shows(("60.00", "0"))


async def test_single_invoices_of_a_billing_of_the_version_before_are_shown_until_it_states_accounts(
    silent: Pair, passwords: Passwords
) -> None:
    billing = speaker_in(silent.membership, passwords, "billing")
    invoice = an_invoice(record_id="M1", invoice_id="F1").model_dump()
    async with silent.membership.running():
        await silent.write("numelink", a_member(record_id="M1"))
        await billing.publishes(InvoiceChanged(**invoice, cluster="numelink"))
        await silent.shows(("120.00", "0"))
        await billing.publishes(an_account(1, "60.00"))
        await silent.shows(("60.00", "0"))
        await billing.publishes(
            InvoiceChanged(**invoice | {"version": 2, "gross": Decimal("999.00")}, cluster="numelink")
        )

        async def came() -> bool:
            return await silent.membership.column("select version from related where kind = 'invoice'") == [2]

        await eventually(came)
        await silent.shows(("60.00", "0"))


async def test_an_upgrade_leaves_the_bytes_of_every_view_but_for_periods_and_states_every_account_by_itself(
    silent: Pair, passwords: Passwords
) -> None:
    """Billing of the version before mirrored and announced all this; the migration marked it; then we start."""
    facts = [an_invoice(record_id="M1", invoice_id=f"F{n}", **PAID if n else {}) for n in range(3)]
    payment = a_payment(record_id="M1", invoice_id="F0", amount=Decimal("20.00"))
    speaker = speaker_in(silent.membership, passwords, "billing")
    async with silent.membership.running():
        await silent.write("numelink", a_member(record_id="M1"))
        await speaker.publishes(*(InvoiceChanged(**fact.model_dump(), cluster="numelink") for fact in facts))
        await silent.shows(("360.00", "0"))
        before = await silent.bytes_of_views()
        await mirrored_before(silent.billing, facts)
        async with silent.billing.running():

            async def stated() -> bool:
                sql = "select document::text from related where kind = 'account'"
                return len(await silent.membership.column(sql)) == 1

            await eventually(stated)
            await silent.settled()
            [after] = await silent.bytes_of_views()
            # Periods are all that an account says and its items did not.
            assert [without_periods(after)] == [without_periods(item) for item in before]
            assert orjson.loads(after)["dues"]["periods"]
            await silent.write("numelink", payment)
            await silent.shows(("360.00", "20.00"))


def without_periods(view: bytes) -> bytes:
    document = orjson.loads(view)
    document["dues"].pop("periods", None)
    return orjson.dumps(document)


async def mirrored_before(billing: OwnService, facts: Sequence[Any]) -> None:
    """What a replica of the version before writes: rows, and no statement of ours."""
    engine = create_engine(billing.env["TRABOULE_BILLING_DATABASE_URL"], application="tests", pool_size=1)
    async with engine.begin() as connection:
        uow = BillingUnitOfWork(connection, "tresorerie")
        await uow.save_invoices([envelope(fact, "/numelink/billing") for fact in facts])
    await engine.dispose()
