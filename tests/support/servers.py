"""Talking to a provisioned broker and its databases, by the names in a house's environment."""

from collections.abc import Mapping, Sequence
from typing import Any

import aio_pika
import asyncpg

from schemas.base import Fact
from schemas.envelope import encode, routing_key, source_of
from shared.messaging.topology import EXCHANGE


def broker_url(env: Mapping[str, str], user: str) -> str:
    """The URL of a former system (``numelink.billing``) or of one of our services (``traboule.billing``)."""
    cluster, service = user.split(".")
    if cluster == "traboule":
        return env[f"TRABOULE_{service.upper()}_BROKER_URL"]
    return env[f"TRABOULE_BROKER_URL_{cluster.replace('-', '_').upper()}_{service.upper()}"]


async def publish_as(
    env: Mapping[str, str], user: str, what: Fact | Sequence[Fact] | bytes, *, key: str | None = None, **properties: Any
) -> str:
    """Publish as a former system and wait for the broker's confirm; returns the message id.

    ``what`` is one fact, several of one type (a batch), or a raw body, which needs the routing ``key``. ``properties``
    are those of an AMQP message; ``user_id`` is the user's own unless it is given, None included.
    """
    cluster, service = user.split(".")
    if isinstance(what, bytes):
        assert key is not None, "a raw body needs a routing key"
        properties = {"content_type": "application/cloudevents+json"} | properties
        body = what
    else:
        facts = [what] if isinstance(what, Fact) else list(what)
        encoded = encode(source_of(cluster, service), facts)
        key = key or routing_key(cluster, type(facts[0]))
        properties = {"content_type": encoded.content_type, "message_id": encoded.message_id} | properties
        body = encoded.body
    message = aio_pika.Message(
        body, **{"user_id": user, "delivery_mode": aio_pika.DeliveryMode.PERSISTENT, "message_id": "raw"} | properties
    )
    async with await aio_pika.connect(broker_url(env, user), timeout=10) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange(EXCHANGE, ensure=False)
        await exchange.publish(message, key, mandatory=True, timeout=20)
        await channel.close()
    return str(message.message_id)


async def query(env: Mapping[str, str], service: str, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Rows of a service's own database."""
    connection = await asyncpg.connect(env[f"TRABOULE_{service.upper()}_DATABASE_URL"], timeout=10)
    try:
        return [dict(row) for row in await connection.fetch(sql, *values)]
    finally:
        await connection.close()
