"""A broker that keeps what is not acknowledged and gives it again, in front of the lanes of a real service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from aio_pika import Message

from schemas.base import Content
from schemas.envelope import Envelope, encode, routing_key, source_of
from schemas.reading import read, read_parts
from services.membership.consumers import SUBSCRIPTIONS
from shared.messaging.consumer import BatchSettings, QueueConsumer
from shared.messaging.topology import EXCHANGE
from tests.support.interleaving.hostile import Hostile

# A lane that is asked to stop and has no time is a process that is killed.
KILLED_AT_ONCE = BatchSettings(linger=0.001, drain_timeout=0.0)
LOST_ACKS, TWICE, SHUFFLED = 0.03, 0.1, 0.3
"""How often."""
DRAINED = 30.0
"""Seconds after which a message that is not settled is held to be lost."""
_SUBSCRIPTIONS = {subscription.fact: subscription for subscription in SUBSCRIPTIONS}


@dataclass(frozen=True, eq=False)
class Incoming:
    """One delivery: a message with its properties, where it was sent, and the channel that it came on."""

    queue: Queue
    channel: object
    message: Message
    routing_key: str
    exchange: str = EXCHANGE
    delivery_tag: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.message, name)

    async def ack(self, *, multiple: bool) -> None:
        """Forget it and all that came before it on its channel. Raises ConnectionError if that gets lost."""
        assert multiple, "a lane acknowledges many at once"
        self.queue.acknowledged(self)


class Queue:
    """One subscription's queue, and the lane of the process that consumes it: when that dies, another is started."""

    def __init__(self, lane: Callable[[], QueueConsumer], rng: Random) -> None:
        self._lane_of, self._rng = lane, rng
        self._unacknowledged: list[Incoming] = []
        self._empty = asyncio.Event()
        self._empty.set()
        self._start()

    def put(self, message: Incoming) -> None:
        """Let a message in; some come twice."""
        for _ in range(2 if self._rng.random() < TWICE else 1):
            self._deliver(message)

    def acknowledged(self, message: Incoming) -> None:
        """Forget what was settled, unless the acknowledgement is lost: then all of it comes again."""
        if message.channel is not self._channel:
            raise ConnectionError("the channel is closed")
        if self._rng.random() < LOST_ACKS:
            self._again()
            raise ConnectionError("the connection is gone, and the acknowledgement with it")
        del self._unacknowledged[: self._unacknowledged.index(message) + 1]
        if not self._unacknowledged:
            self._empty.set()

    async def kill(self) -> None:
        """The process dies in the middle of whatever it does."""
        await self._lane.drain()

    async def drained(self) -> None:
        """Wait until nothing is left."""
        async with asyncio.timeout(DRAINED):
            await self._empty.wait()

    async def close(self) -> None:
        """No other process takes the place of this one."""
        self._task.remove_done_callback(self._died)
        await self._lane.drain()

    def _start(self) -> None:
        self._open_channel()
        self._lane = self._lane_of()
        self._lane.start()
        task = self._lane._task  # pyright: ignore[reportPrivateUsage]
        assert task is not None, "it was started"
        self._task = task
        self._task.add_done_callback(self._died)

    def _died(self, _: asyncio.Task[None]) -> None:
        self._start()
        self._again()

    def _again(self) -> None:
        """Another channel, and on it all that was not acknowledged, sometimes in another order."""
        self._open_channel()
        left, self._unacknowledged = self._unacknowledged, []
        if self._rng.random() < SHUFFLED:
            self._rng.shuffle(left)
        for message in left:
            self._deliver(message)

    def _open_channel(self) -> None:
        self._channel, self._delivered = object(), 0

    def _deliver(self, message: Incoming) -> None:
        self._delivered += 1
        delivered = replace(message, channel=self._channel, delivery_tag=self._delivered)
        self._unacknowledged.append(delivered)
        self._empty.clear()
        self._lane.put(delivered)  # type: ignore[arg-type]


class Broker:
    """The queues of one cluster's story; each is there once something was published to it."""

    def __init__(self, engine: Any, unit_of_work: Callable[[Any], Any], clusters: Collection[str], rng: Random) -> None:
        self._engine, self._unit_of_work, self._clusters, self._rng = engine, unit_of_work, clusters, rng
        self._queues: dict[type[Content], Queue] = {}

    def attack(self, publisher: str, kind: type[Content], hostile: Hostile) -> None:
        """One message of a hostile ``<publisher>.membership`` under this routing key."""
        body, content_type, headers = hostile.message()
        self._put(publisher, kind, body, content_type=content_type, headers=dict(headers))

    def publish(self, publisher: str, facts: Sequence[Content], hostile: Hostile | None = None) -> list[Envelope[Any]]:
        """One message of one event or several of one type, as ``<publisher>.membership``; returns the events.

        ``hostile`` may spoil what surrounds them.
        """
        kind = type(facts[0])
        source = source_of(publisher, "membership")
        encoded = encode(source, facts)
        events = [
            message for message in read(kind, encoded.body, encoded.content_type, {}) if isinstance(message, Envelope)
        ]
        assert len(events) == len(facts), "they can be read"
        body, headers = hostile.around(encoded.body) if hostile else (encoded.body, {})
        self._put(
            publisher, kind, body,
            content_type=encoded.content_type, message_id=encoded.message_id, headers=dict(headers),
        )  # fmt: skip
        return events

    async def drained(self) -> None:
        """Wait until every queue is empty."""
        await asyncio.gather(*(queue.drained() for queue in self._queues.values()))

    async def kill(self) -> None:
        """Kill one consumer."""
        if self._queues:
            await self._rng.choice(list(self._queues.values())).kill()

    async def stop(self) -> None:
        """End every lane; nothing is left in the queues."""
        await asyncio.gather(*(queue.close() for queue in self._queues.values()))

    def _put(self, publisher: str, kind: type[Content], body: bytes, **properties: Any) -> None:
        queue = self._queues.get(kind) or self._open(kind)
        user, now = f"{publisher}.membership", datetime.now(UTC)
        message = Message(body, user_id=user, timestamp=now, **properties)
        queue.put(Incoming(queue, None, message, routing_key(publisher, kind)))

    def _open(self, kind: type[Content]) -> Queue:
        subscription = _SUBSCRIPTIONS[kind]

        def lane() -> QueueConsumer:
            return QueueConsumer(
                subscription.queue_name,
                "traboule.membership",
                subscription.fact.publishers(self._clusters),
                lambda delivery: read_parts(kind, delivery.body, delivery.content_type, delivery.headers),
                subscription.handler,
                self._engine,
                self._unit_of_work,
                KILLED_AT_ONCE,
            )

        self._queues[kind] = Queue(lane, self._rng)
        return self._queues[kind]
