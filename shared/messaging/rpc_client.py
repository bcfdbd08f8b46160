"""Asks other services, and waits for their answers on one channel.

An answer is believed if it has the correlation id of a question that waits, and the broker-validated ``user_id`` of the
service that was asked. The id is random and known to that service alone, so nobody else can guess it. The user is
checked besides, because it costs nothing and shows a forgery for what it is.
"""

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import cast, get_args

import aio_pika
import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError, DeliveryError, PublishError

from shared.messaging import metrics
from shared.messaging.rpc import LONGEST_REPLY, REPLY_TO, Reply, ReplyKind, queries_queue
from shared.messaging.topology import OWN_PUBLISHER
from shared.messaging.waiting import BrokerUnavailableError
from shared.runtime.cancellation import reraise_if_cancelled

log = structlog.get_logger()


class ServiceAwayError(Exception):
    """A service did not answer in time, or nothing more can wait for it."""

    def __init__(self, service: str, message: str) -> None:
        super().__init__(message)
        self.service = service


@dataclass(slots=True)
class _Pending:
    service: str
    answered: "asyncio.Future[Reply]"


@dataclass(slots=True)
class RpcClient:
    """The asking side, as the broker user ``user``. It connects at the first question, and again when it has to."""

    broker_url: str
    user: str
    timeout: float
    _connection: AbstractConnection | None = None
    _channel: AbstractChannel | None = None
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _pending: dict[str, _Pending] = field(default_factory=dict[str, _Pending])

    async def ask(self, service: str, body: bytes) -> Reply:
        """One answer. Raises ServiceAwayError, BrokerUnavailableError."""
        try:
            async with asyncio.timeout(self.timeout):
                channel = await self._open_channel()
                reply = await self._answered(channel, service, body)
        except TimeoutError:
            metrics.QUESTIONS.labels(service, "timeout").inc()
            raise ServiceAwayError(service, f"{service} did not answer within {self.timeout:g} s") from None
        except (OSError, AMQPError, asyncio.CancelledError) as error:
            # A connection that dies surfaces as almost anything, CancelledError included.
            reraise_if_cancelled()
            metrics.QUESTIONS.labels(service, "broker-unavailable").inc()
            raise BrokerUnavailableError(f"the broker does not answer ({type(error).__name__}): ask again") from None
        metrics.QUESTIONS.labels(service, "answered").inc()
        return reply

    async def close(self) -> None:
        """Hang up; ask no more."""
        if self._connection is not None:
            await self._connection.close()

    async def _open_channel(self) -> AbstractChannel:
        async with self._connecting:
            if self._channel is None or self._channel.is_closed:
                await self.close()
                self._connection = await aio_pika.connect(self.broker_url, timeout=self.timeout)
                self._channel = await self._connection.channel(on_return_raises=True)
                self._channel.close_callbacks.add(self._lost)
                # Consumed and published on one channel: the broker joins the two by it.
                replies = await self._channel.get_queue(REPLY_TO, ensure=False)
                await replies.consume(self._receive, no_ack=True)
            return self._channel

    async def _answered(self, channel: AbstractChannel, service: str, body: bytes) -> Reply:
        correlation_id = secrets.token_hex(16)
        pending = _Pending(service, asyncio.get_running_loop().create_future())
        self._pending[correlation_id] = pending
        message = Message(
            body,
            content_type="application/json",
            delivery_mode=DeliveryMode.NOT_PERSISTENT,
            correlation_id=correlation_id,
            reply_to=REPLY_TO,
            user_id=self.user,
            expiration=self.timeout,
        )
        try:
            await channel.default_exchange.publish(message, queries_queue(service), mandatory=True)
            return await pending.answered
        except (DeliveryError, PublishError):
            metrics.QUESTIONS.labels(service, "refused").inc()
            raise ServiceAwayError(
                service, f"{service} takes no questions now: too many wait, or it has no queue"
            ) from None
        finally:
            del self._pending[correlation_id]
            if not pending.answered.cancel():
                pending.answered.exception()  # looked at, whoever ended first

    async def _receive(self, message: AbstractIncomingMessage) -> None:
        pending = self._pending.get(message.correlation_id or "")
        if pending is None or pending.answered.done():
            metrics.QUESTIONS.labels("", "late").inc()
        elif message.user_id != f"{OWN_PUBLISHER}.{pending.service}":
            log.warning("answer.forged", service=pending.service)
            metrics.QUESTIONS.labels(pending.service, "forged").inc()
        elif message.type not in get_args(ReplyKind) or len(message.body) > LONGEST_REPLY:
            pending.answered.set_result(Reply("failed"))
        else:
            pending.answered.set_result(Reply(cast("ReplyKind", message.type), message.body))

    def _lost(self, *_: object) -> None:
        for pending in self._pending.values():
            if not pending.answered.done():
                pending.answered.set_exception(ConnectionError("the connection ended"))
