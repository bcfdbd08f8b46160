"""How many messages wait in queues, as the broker says."""

from collections.abc import Awaitable, Callable, Collection

import aio_pika
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity

TIMEOUT_SECONDS = 5

CountWaiting = Callable[[Collection[str]], Awaitable[dict[str, int]]]
"""Of these queues, how many messages wait in each; one that is not there is left out. Raises BrokerUnavailableError."""


class BrokerUnavailableError(Exception):
    """The broker does not answer, so its queues cannot be looked at."""


async def count_waiting(broker_url: str, names: Collection[str]) -> dict[str, int]:
    """Messages that are ready, by queue; those in a consumer's hand are not counted. Raises BrokerUnavailableError."""
    result: dict[str, int] = {}
    try:
        async with await aio_pika.connect(broker_url, timeout=TIMEOUT_SECONDS) as connection:
            channel = await connection.channel()
            for name in names:
                try:
                    queue = await channel.declare_queue(name, passive=True, timeout=TIMEOUT_SECONDS)
                except ChannelNotFoundEntity:
                    channel = await connection.channel()  # the broker closed the former one over it
                    continue
                result[name] = queue.declaration_result.message_count or 0
    except (OSError, TimeoutError, AMQPError) as error:
        raise BrokerUnavailableError(
            f"the broker does not answer ({type(error).__name__}): its queues cannot be looked at"
        ) from None
    return result
