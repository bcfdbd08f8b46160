"""Publishing as a former system: its own broker user, confirmed, persistent, several messages in flight.

Message ids come from the content, so publishing again after a lost connection is harmless: whatever was not confirmed
is sent again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote, urlsplit

import aio_pika
from aio_pika.abc import AbstractExchange
from aio_pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    AuthenticationError,
    ChannelNotFoundEntity,
    DeliveryError,
    ProbableAuthenticationError,
    PublishError,
)
from aiormq.exceptions import ChannelAccessRefused, InvalidFrameError

from shared.importing.outgoing import NotPublishedError, Outgoing
from shared.messaging.delivery import PUBLISHED

__all__ = ["NotPublishedError", "Outgoing", "Publisher"]

IN_FLIGHT = 8
"""Messages that wait for their confirm at once. One by one, the broker's disk is idle most of the time."""
CONFIRM_TIMEOUT = 30.0
PATIENCE = 60.0
"""Seconds without any progress after which a broker that is away, or that refuses, is given up."""


class Publisher:
    """Publishes everything it is given to ``exchange`` on the broker at ``url``, in one call of :meth:`run`.

    The user in ``url`` is also written into every message (``user_id``), where the broker checks it.
    """

    def __init__(self, url: str, exchange: str, on_progress: Callable[[int], None] = lambda _: None) -> None:
        self._url = url
        self._exchange = exchange
        self._progress = on_progress
        self._user = unquote(urlsplit(url).username or "guest")
        self._again: deque[Outgoing] = deque()
        self._last_progress = 0.0
        self.published = 0

    async def run(self, messages: Iterable[Outgoing]) -> int:
        """Publish until every message is confirmed; the number of events that were.

        Raises:
            NotPublishedError: refused by the broker, or no progress for :data:`PATIENCE` seconds.
        """
        waiting = iter(messages)
        self._last_progress = asyncio.get_running_loop().time()
        pause = 0.2
        while True:
            before = self.published
            try:
                if await self._one_connection(waiting):
                    return self.published
            except (AuthenticationError, ProbableAuthenticationError):
                raise NotPublishedError(
                    f"the broker does not know the user {self._user}, or not with this password"
                ) from None
            except InvalidFrameError:
                # This is how the library tells of a broker that closes the connection while it is being opened.
                self._give_up_late(f"the broker lets {self._user} in no further (too many open connections?)")
            except (AMQPConnectionError, OSError, TimeoutError) as error:
                self._give_up_late(f"the broker cannot be reached: {str(error) or type(error).__name__}")
            pause = 0.2 if self.published > before else min(pause * 2, 5.0)
            await asyncio.sleep(pause)

    async def _one_connection(self, waiting: Iterator[Outgoing]) -> bool:
        """Publish over one connection until nothing is left (True) or it is lost (False)."""
        connection = await aio_pika.connect(
            self._url, timeout=10, client_properties={"connection_name": "traboule import"}
        )
        try:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            exchange = await channel.get_exchange(self._exchange, ensure=False)
            lanes = [asyncio.create_task(self._lane(exchange, waiting)) for _ in range(IN_FLIGHT)]
            try:
                return all(await asyncio.gather(*lanes))
            finally:
                for lane in lanes:
                    lane.cancel()
                await asyncio.gather(*lanes, return_exceptions=True)
        finally:
            await asyncio.wait({asyncio.ensure_future(connection.close())}, timeout=5)

    async def _lane(self, exchange: AbstractExchange, waiting: Iterator[Outgoing]) -> bool:
        while (message := self._next(waiting)) is not None:
            if not await self._publish(exchange, message):
                self._again.append(message)
                return False
        return True

    def _next(self, waiting: Iterator[Outgoing]) -> Outgoing | None:
        return self._again.popleft() if self._again else next(waiting, None)

    async def _publish(self, exchange: AbstractExchange, message: Outgoing) -> bool:
        """True when confirmed, False when the connection is gone; raises when the broker will never take it."""
        body = aio_pika.Message(
            message.body,
            content_type=message.content_type,
            message_id=message.message_id,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            user_id=self._user,
            headers={PUBLISHED: time.time_ns() // 1_000_000},
        )
        try:
            await exchange.publish(body, message.routing_key, mandatory=True, timeout=CONFIRM_TIMEOUT)
        except PublishError:
            raise NotPublishedError(
                f"no queue takes {message.routing_key}: is the service installed on this broker?"
            ) from None
        except DeliveryError:
            self._give_up_late("the broker does not accept messages now (is a queue full?)")
            await asyncio.sleep(0.5)
            return False
        except ChannelAccessRefused as error:
            raise NotPublishedError(f"the user {self._user} may not publish {message.routing_key}: {error}") from None
        except ChannelNotFoundEntity:
            raise NotPublishedError(f"the broker has no exchange {self._exchange}: start Traboule first") from None
        except asyncio.CancelledError:
            # A heartbeat that dies in the middle of a confirm raises this too, without anyone having cancelled us.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                self._again.append(message)
                raise
            return False
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            self._give_up_late(f"the broker went away: {str(error) or type(error).__name__}")
            return False
        self.published += message.events
        self._last_progress = asyncio.get_running_loop().time()
        self._progress(message.events)
        return True

    def _give_up_late(self, reason: str) -> None:
        if asyncio.get_running_loop().time() - self._last_progress > PATIENCE:
            raise NotPublishedError(f"{reason}; gave up after {PATIENCE:.0f} s without progress")
