"""Waiting until every message that was published is applied or parked.

Queue counts lag behind, and leave out what a service has in hand, so a single zero proves nothing: all queues must
stand empty, all outboxes too, no transaction may be under way, and the inboxes must not have grown, several times in a
row.
"""

import asyncio
import time
from collections.abc import Mapping

import aio_pika
import asyncpg

from deploy.errors import NodeError
from deploy.provisioning.provision import SERVICES, queues
from shared.messaging.topology import dead_queue, retry_queues, unrouted_queue

CALM = 4
"""Looks in a row, 0.15 s apart, at which nothing may move."""


async def wait_until_settled(env: Mapping[str, str], patience: float = 120) -> float:
    """Return after how many seconds all was calm.

    Raises NodeError after ``patience`` seconds, with what still waits.
    """
    began = last_move = time.monotonic()
    before: list[int] = []
    calm = 0
    pools = [await asyncpg.connect(env[f"TRABOULE_{service.upper()}_DATABASE_URL"]) for service in SERVICES]
    connections = [await aio_pika.connect(env[f"TRABOULE_{service.upper()}_BROKER_URL"]) for service in SERVICES]
    try:
        # RabbitMQ 4 tells each service of its own queues alone; of those that wait for a retry it tells any of them.
        channels = [await connection.channel() for connection in connections]
        own = [(channel, queues_of(service)) for channel, service in zip(channels, SERVICES, strict=True)]
        while calm < CALM:
            asked = [*own, (channels[0], retry_queues())]
            queued = sum([await _messages(channel, queue) for channel, names in asked for queue in names])
            counts = [await pool.fetchval(_COUNTS) for pool in pools]
            waiting = queued + sum([await pool.fetchval(_UNDER_WAY) for pool in pools])
            moved = waiting > 0 or counts != before
            calm, before = (0, counts) if moved else (calm + 1, before)
            if moved:
                last_move = time.monotonic()
            if time.monotonic() - began > patience:
                raise NodeError(f"{waiting} messages still wait after {patience:.0f} s: look with `traboule status`")
            await asyncio.sleep(0.15)
    finally:
        for connection in connections:
            await connection.close()
        for pool in pools:
            await pool.close()
    return last_move - began


def queues_of(service: str) -> list[str]:
    """The queues that a service reads."""
    return [queue.name for queue in (*queues(service), unrouted_queue(service), dead_queue(service))]


_UNDER_WAY = """
    select (select count(*) from outbox)
        + (select count(*) from pg_stat_activity
           where usename = current_user and state <> 'idle' and pid <> pg_backend_pid())
"""
_COUNTS = "select (select count(*) from inbox) + (select coalesce(sum(count), 0) from dead_letters)"


async def _messages(channel: aio_pika.abc.AbstractChannel, queue: str) -> int:
    declared = await channel.declare_queue(queue, passive=True)
    return declared.declaration_result.message_count or 0
