"""The bus: a service's connection to the broker, with one lane for each line of its routing table."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.envelope import Refused
from shared.messaging.consumer import BatchSettings, QueueConsumer
from shared.messaging.delivery import Delivery, Message, first_death
from shared.messaging.properties import tolerate_unreadable_properties
from shared.messaging.subscription import Read, Subscription
from shared.messaging.topology import OWN_PUBLISHER, dead_queue, unrouted_queue
from shared.messaging.unit_of_work import UnitOfWork

_CLOSING_SECONDS = 5
_LAST_RESORT_PREFETCH = 4
"""Few messages come to a queue of last resort, and they may be the large ones that ended a process."""


class Bus:
    """Consumes every subscription of one service. Nothing is connected before :meth:`start`."""

    def __init__(
        self,
        service: str,
        broker_url: str,
        subscriptions: Sequence[Subscription],
        *,
        clusters: Collection[str],
        engine: AsyncEngine,
        unit_of_work: Callable[[AsyncConnection], UnitOfWork],
        read: Read,
        settings: BatchSettings,
    ) -> None:
        tolerate_unreadable_properties()
        self.user = f"{OWN_PUBLISHER}.{service}"
        # Types are not applied by FastStream: our reader validates whole batches in one pass.
        self.broker = RabbitBroker(
            broker_url,
            apply_types=False,
            logger=None,
            app_id=self.user,
            graceful_timeout=_CLOSING_SECONDS,
            reconnect_interval=1.0,
        )
        lane = partial(QueueConsumer, own_user=self.user, engine=engine, unit_of_work=unit_of_work)
        self.lanes = [
            lane(
                queue=subscription.queue_name,
                publishers=subscription.fact.publishers(clusters),
                read=partial(_read, read, subscription.fact),
                handler=subscription.handler,
                settings=replace(settings, prefetch=subscription.prefetch or settings.prefetch),
            )
            for subscription in subscriptions
        ]
        for queue, read_fallen in ((unrouted_queue(service), _unrouted), (dead_queue(service), _dead)):
            self.lanes.append(
                lane(
                    queue=queue.name,
                    publishers=None,
                    read=read_fallen,
                    handler=None,
                    settings=replace(settings, prefetch=_LAST_RESORT_PREFETCH),
                )
            )
        for consumer in self.lanes:
            self._subscribe(consumer)

    def _subscribe(self, lane: QueueConsumer) -> None:
        # A channel for each lane: a multiple acknowledgement must not cover another lane's messages.
        subscriber = self.broker.subscriber(
            RabbitQueue(lane.queue, declare=False),
            channel=Channel(prefetch_count=lane.settings.prefetch),
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            decoder=_undecoded,
        )

        async def receive(raw: AbstractIncomingMessage) -> None:
            lane.put(raw)

        subscriber(receive)

    @property
    def healthy(self) -> bool:
        """Every lane lives, none waits for the database, and none has had the same messages in hand for a minute."""
        return all(lane.healthy for lane in self.lanes)

    @property
    def is_busy(self) -> bool:
        """Whether a lane has much to do."""
        return any(lane.is_busy for lane in self.lanes)

    async def start(self) -> None:
        """Start the lanes, then let messages in. Raises OSError when the broker cannot be used yet; call it again."""
        for lane in self.lanes:
            lane.start()
        try:
            await self.broker.start()
        except (*CONNECTION_EXCEPTIONS, asyncio.CancelledError) as error:
            # A broker that boots, or a proxy before one that does not run, takes the connection and closes it again:
            # that surfaces as almost anything. Half a start must not leave consumers for the next one to double.
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            with contextlib.suppress(Exception):
                await self.broker.stop()
            raise ConnectionError(f"the broker cannot be used yet: {type(error).__name__}") from error

    @property
    def stop_seconds(self) -> float:
        """The most that :meth:`stop` takes, of a broker that answers."""
        return max(lane.stop_seconds for lane in self.lanes) + _CLOSING_SECONDS

    async def stop(self) -> None:
        """Let no more in, settle what is in hand, then close: what was not settled returns to its queue."""
        await asyncio.gather(*(subscriber.stop() for subscriber in self.broker.subscribers), return_exceptions=True)
        await asyncio.gather(*(lane.drain() for lane in self.lanes))
        await self.broker.stop()


async def _undecoded(message: Any) -> AbstractIncomingMessage:
    return message.raw_message


def _read(read: Read, fact: Any, delivery: Delivery) -> Iterable[Sequence[Message | Refused]]:
    return read(fact, delivery.body, delivery.content_type, delivery.headers)


def _unrouted(delivery: Delivery) -> Iterable[Sequence[Refused]]:
    detail = f"nothing subscribes to the routing key {delivery.routing_key}: see the list of facts for its spelling"
    return [[Refused("unrouted", detail, delivery.body, delivery.message_id)]]


def _dead(delivery: Delivery) -> Iterable[Sequence[Refused]]:
    death = first_death(delivery.headers)
    queue = death.get("queue", "its queue")
    if death.get("reason") == "expired":
        late = f"it waited in {queue} longer than its own property `expiration` allows: leave that property out"
        return [[Refused("expired", late, delivery.body, delivery.message_id)]]
    detail = f"{queue} gave it back more often than its delivery limit allows, as when a process dies on it"
    return [[Refused("returned-too-often", detail, delivery.body, delivery.message_id)]]
