"""A mirror holds the newest version of each record, whatever comes late; what nobody hears is not lost."""

from deploy.local.local_services import LocalServices
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.messages import NUMELINK
from tests.support.servers import query
from tests.support.waiting import eventually


async def test_an_older_version_that_comes_late_changes_nothing_and_is_not_announced(billing: OwnService) -> None:
    new = an_invoice(version=7, number="new")
    old = new.model_copy(update={"version": 3, "number": "old"})
    await billing.publish_as(NUMELINK, new)
    await billing.publish_as(NUMELINK, old)

    async def both_came() -> bool:
        return await billing.column("select count(*) from inbox") == [2]

    await eventually(both_came)
    assert await billing.column("select number from invoices") == ["new"]


async def test_of_two_writings_of_one_version_the_same_one_is_held_in_either_order(empty_billing: OwnService) -> None:
    item = an_invoice(version=1, number="one")
    other = item.model_copy(update={"number": "other"})
    stored = []
    for order in ((item, other), (other, item)):
        await empty_billing.empty()
        async with empty_billing.running():
            for fact in order:
                await empty_billing.publish_as(NUMELINK, fact)

            async def both_came() -> bool:
                return await empty_billing.column("select count(*) from inbox") == [2]

            await eventually(both_came)
            stored.append(await empty_billing.column("select number from invoices"))
    assert stored[0] == stored[1]


async def test_a_fact_of_our_own_that_no_queue_wants_stays_in_the_outbox_and_is_told(stack: LocalServices) -> None:
    await query(
        stack.env,
        "billing",
        "insert into outbox (exchange, routing_key, message_id, content_type, headers, body) "
        "values ('traboule', 'traboule.billing.heard-by-nobody', 'unheard', 'application/json', '{}', '{}')",
    )
    parked = "select 1 from dead_letters where message_id = 'unheard'"

    async def tried() -> bool:
        rows = await query(stack.env, "billing", "select attempts, last_error from outbox where message_id = 'unheard'")
        assert len(rows) == 1
        return rows[0]["attempts"] > 1 and rows[0]["last_error"] is not None

    try:
        assert await eventually(tried)
        assert await query(stack.env, "billing", parked) == []
    finally:
        await query(stack.env, "billing", "delete from outbox where message_id = 'unheard'")
