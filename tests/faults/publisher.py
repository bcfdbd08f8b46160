"""Former systems that do not give up: each message is sent until the broker has confirmed it."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

import aio_pika
from aio_pika.abc import AbstractExchange, DeliveryMode

from shared.messaging.topology import EXCHANGE
from tests.faults.sent import Message

IN_FLIGHT = 4


class Publishing(threading.Thread):
    """Publishes in the background, each message as its own former system, spread over ``seconds``."""

    def __init__(self, urls: Mapping[str, str], messages: Sequence[Message], seconds: float) -> None:
        super().__init__(name="publishing", daemon=True)
        self._urls = urls
        self._messages = messages
        self._pause = seconds / max(1, len(messages))
        self.confirmed = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        """Publish all, and keep what went wrong for whoever waits."""
        try:
            asyncio.run(self._publish_all())
        except BaseException as error:
            self.error = error

    def finish(self, seconds: float = 90) -> None:
        """Wait until all of it is confirmed."""
        self.join(seconds)
        if self.error is not None:
            raise self.error
        assert not self.is_alive(), f"only {self.confirmed} of {len(self._messages)} messages were confirmed"

    def wait_for(self, share: float, seconds: float = 60) -> None:
        """Wait until this share of it is confirmed."""
        target = int(len(self._messages) * share)
        for _ in range(int(seconds * 100)):
            if self.confirmed >= target or not self.is_alive():
                return
            self.join(0.01)
        raise AssertionError(f"only {self.confirmed} of {target} messages were confirmed after {seconds} s")

    async def _publish_all(self) -> None:
        by_user: defaultdict[str, deque[Message]] = defaultdict(deque)
        for message in self._messages:
            by_user[message.user].append(message)
        await asyncio.gather(*(self._publish_as(user, waiting) for user, waiting in by_user.items()))

    async def _publish_as(self, user: str, waiting: deque[Message]) -> None:
        share = len(self._messages) / len(waiting)
        while waiting:
            try:
                connection = await aio_pika.connect(self._urls[user], timeout=5)
                try:
                    channel = await connection.channel(publisher_confirms=True)
                    exchange = await channel.get_exchange(EXCHANGE, ensure=False)
                    while waiting:
                        await self._publish_some(exchange, user, waiting)
                        await asyncio.sleep(self._pause * share * IN_FLIGHT)
                finally:
                    with suppress(Exception, asyncio.CancelledError):
                        await asyncio.wait_for(connection.close(), 2)
            except (TypeError, ValueError):
                raise  # the message itself is at fault, and always will be
            except (Exception, asyncio.CancelledError):
                if (task := asyncio.current_task()) and task.cancelling():
                    raise
                await asyncio.sleep(0.3)

    async def _publish_some(self, exchange: AbstractExchange, user: str, waiting: deque[Message]) -> None:
        sent = [waiting.popleft() for _ in range(min(IN_FLIGHT, len(waiting)))]
        results = await asyncio.gather(
            *(self._publish(exchange, user, message) for message in sent), return_exceptions=True
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        waiting.extendleft(
            message for message, result in zip(sent, results, strict=True) if isinstance(result, BaseException)
        )
        self.confirmed += len(sent) - len(failures)
        if failures:
            raise failures[0]

    @staticmethod
    async def _publish(exchange: AbstractExchange, user: str, message: Message) -> None:
        await exchange.publish(
            aio_pika.Message(
                message.body,
                headers=message.headers,
                content_type=message.content_type,
                message_id=message.message_id,
                delivery_mode=DeliveryMode.PERSISTENT,
                user_id=user,
            ),
            message.routing_key,
            timeout=20,
        )
