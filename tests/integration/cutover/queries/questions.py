"""Questions to billing, and what the broker counts of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
from aio_pika import Message

from deploy.provisioning import definitions
from shared.messaging import metrics
from shared.messaging.rpc import REPLY_TO, queries_queue
from tests.integration.cutover.staff import Staff
from tests.support.waiting import eventually

MIRROR = "/billing/mirror"
QUEUE = queries_queue("billing")


async def answers(staff: Staff) -> None:
    """Wait until billing takes questions."""

    async def works() -> bool:
        return (await staff.get(MIRROR, role="staff")).status_code == 200

    await eventually(works, 30)


def counted(outcome: str) -> float:
    return metrics.QUERIES.labels("billing", outcome)._value.get()


@asynccontextmanager
async def channel_of(staff: Staff, service: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    """A channel of a service's own broker user."""
    url = staff.stack.env[f"TRABOULE_{service.upper()}_BROKER_URL"]
    async with await aio_pika.connect(url, timeout=10) as connection:
        yield await connection.channel()


async def waiting(staff: Staff) -> int:
    """Questions in billing's queue, as the broker counts them."""
    queue = definitions.call(staff.stack.management_url, "GET", f"/api/queues/{staff.stack.vhost}/{QUEUE}")
    return queue.get("messages", 0)


async def asked_as(staff: Staff, service: str, body: bytes) -> Any:
    """The reply to one question of this service's user."""
    replies: asyncio.Queue[Any] = asyncio.Queue()
    async with channel_of(staff, service) as channel:
        await (await channel.get_queue(REPLY_TO, ensure=False)).consume(replies.put, no_ack=True)
        question = Message(body, correlation_id="1", reply_to=REPLY_TO, user_id=f"traboule.{service}")
        await channel.default_exchange.publish(question, QUEUE)
        return await asyncio.wait_for(replies.get(), 10)
