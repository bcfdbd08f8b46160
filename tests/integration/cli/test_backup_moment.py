"""The moment of a backup: writers who want the same tables in another order, and what waits in queues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import asyncpg
import pytest
from sqlalchemy.engine import make_url

from deploy.local.nodes import Nodes
from services.cli.backup import broker as backup_broker
from services.cli.backup.databases import snapshots
from services.cli.environment import settings_of
from shared.persistence.database import asyncpg_url
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.waiting import eventually

_WAITS = """
    select exists (select from pg_locks where relation = 'outbox'::regclass and mode = 'ShareLock' and not granted)
"""


@pytest.fixture
async def writer(empty_billing: OwnService, nodes: Nodes) -> AsyncIterator[asyncpg.Connection[Any]]:
    """The administrator, who alone may be so patient that the other is told of a deadlock."""
    with empty_billing.environment():
        theirs = make_url(settings_of("billing").database_url).database
        url = make_url(nodes.database.url).set(database=theirs).render_as_string(hide_password=False)
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            asyncpg_url(url), server_settings={"deadlock_timeout": "60s"}
        )
        try:
            yield connection
        finally:
            await connection.close()


async def test_a_deadlock_with_a_writer_costs_the_backup_another_attempt(writer: asyncpg.Connection[Any]) -> None:
    begun = writer.transaction()
    await begun.start()
    await writer.execute("lock table outbox in row exclusive mode")

    async def taken() -> int:
        async with snapshots({"billing": settings_of("billing")}) as moment:
            return len(moment.snapshots)

    backup = asyncio.create_task(taken())

    async def waits() -> bool:
        return await writer.fetchval(_WAITS)

    await eventually(waits)
    # Now each has what the other wants.
    await writer.execute("lock table inbox in row exclusive mode")
    await begun.commit()
    assert await asyncio.wait_for(backup, 30) == 1


async def test_what_former_systems_said_and_still_waits_is_counted(empty_billing: OwnService) -> None:
    for number in range(2):
        await empty_billing.publish_as("numelink.billing", an_invoice(invoice_id=f"F-{number}"))
    await empty_billing.publish_as("numelink.billing", b"{}", key="numelink.billing.nobody-hears-this")
    async with await aio_pika.connect(empty_billing.admin_url, timeout=10) as connection:
        channel = await connection.channel()
        # What our own services say, and tell again: to each other, and to a former system.
        exchange = await channel.get_exchange("traboule", ensure=False)
        for key in ("traboule.membership.members-merged", "traboule.billing.member-changed.numelink"):
            await exchange.publish(aio_pika.Message(b"{}"), key, mandatory=True, timeout=10)
        # One is in the hand of a consumer, and lost with the queue like the others.
        queue = await channel.get_queue("billing.invoice-recorded", ensure=False)
        assert await queue.get(timeout=10) is not None

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", empty_billing.management_url)
            definitions = backup_broker.export(empty_billing.vhost)
            published: dict[str, int] = {}

            async def counted() -> bool:
                published.clear()
                published.update(backup_broker.waiting(definitions, empty_billing.vhost))
                return sum(published.values()) >= 3

            await eventually(counted)
    assert published == {"billing.invoice-recorded": 2, "billing.unrouted": 1}
    await empty_billing.empty()
