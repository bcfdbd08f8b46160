"""What is to be done with one fact of a delivery, and how a delivery becomes such work. Nothing in here raises.

Whatever fails in reading ends as an item that parks the delivery: one that was left out would be acknowledged with its
neighbours, and so be lost.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog
from aio_pika.abc import AbstractIncomingMessage

from schemas.envelope import Refused
from shared.messaging.authenticity import forged_source, forgery
from shared.messaging.dead_letters import Parked, send_back
from shared.messaging.delivery import Delivery, Message
from shared.messaging.outbox import Outgoing
from shared.messaging.properties import UNREADABLE
from shared.messaging.topology import retry_exchange

log = structlog.get_logger()

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MAX_BODY = 4 * 1024 * 1024
"""Bytes of one message; 5,000 facts of 800 bytes. A larger one is parked: its publisher must send smaller batches."""
PARKED_ALONE = 100
"""So many refused facts of one message are dead letters of their own. More of them are one dead letter, a batch."""
_BAD_PROPERTIES = "a property or header is not valid AMQP: texts must be UTF-8, timestamps in seconds since 1970"


@dataclass(frozen=True, slots=True)
class Retried:
    """A fact that is tried again after ``delay`` seconds, since handling failed with ``error``."""

    outgoing: Outgoing
    message_id: str
    delay: int
    error: str


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One fact of a delivery: to be handled, or to be parked, or to be tried later. Exactly one of the three is set."""

    delivery: Delivery
    message: Message | None = None
    parked: Parked | None = None
    retried: Retried | None = None


def to_park(delivery: Delivery, message: Message, reason: str, detail: str) -> WorkItem:
    """A fact that could be read, to be set aside."""
    return WorkItem(
        delivery, parked=Parked(delivery, message.encode(), STRUCTURED, message.id, message.type, reason, detail)
    )


def to_retry(delivery: Delivery, message: Message, delay: int, error: str) -> WorkItem:
    """A fact that could be read, to be tried later: a message to the queue that waits so long."""
    back = send_back(
        delivery,
        attempt=delivery.attempt + 1,
        exchange=retry_exchange(delay),
        body=message.encode(),
        content_type=STRUCTURED,
    )
    return WorkItem(delivery, retried=Retried(back, message.id, delay, error))


def as_it_came(delivery: Delivery, reason: str, detail: str) -> Parked:
    """Park a whole delivery: its own bytes, whatever they are."""
    return Parked(delivery, delivery.body, delivery.content_type, delivery.message_id, None, reason, detail)


def raw_item(queue: str, raw: AbstractIncomingMessage, reason: str, detail: str) -> WorkItem:
    """Park a message by its bytes alone: no header is kept, nothing of it is read."""
    key = raw.routing_key if isinstance(raw.routing_key, str) else ""
    user = raw.user_id if isinstance(raw.user_id, str) else None
    message_id = raw.message_id if isinstance(raw.message_id, str) else None
    delivery = Delivery(queue, bytes(raw.body), None, {}, message_id, user, key)
    return WorkItem(delivery, parked=as_it_came(delivery, reason, detail))


@dataclass(frozen=True, slots=True)
class MessageReader:
    """Turns what one queue delivers into work. ``read`` gives the facts of a delivery in parts, each read in
    milliseconds; ``publishers`` are the users that may publish to the queue, None for a queue of last resort."""

    queue: str
    own_user: str
    publishers: frozenset[str] | None
    read: Callable[[Delivery], Iterable[Sequence[Message | Refused]]]

    async def items(self, raw: AbstractIncomingMessage) -> list[WorkItem]:
        """Every fact of a message, in order; at least one item."""
        try:
            delivery = Delivery.of(self.queue, raw, self.own_user)
            if fault := self._fault(delivery):
                return [_whole(delivery, *fault)]
            return _grouped(delivery, [self._item(delivery, fact) for fact in await self._facts(delivery)])
        except Exception as error:
            log.exception("message.unread", queue=self.queue, error=type(error).__name__)
            return [raw_item(self.queue, raw, "unreadable", f"{type(error).__name__} in the reader: see the log")]

    def _fault(self, delivery: Delivery) -> tuple[str, str] | None:
        if UNREADABLE in delivery.headers:
            return "unreadable-properties", _BAD_PROPERTIES
        if len(delivery.body) > MAX_BODY:
            return "too-large", f"{len(delivery.body):,} bytes are more than {MAX_BODY:,}: send smaller batches"
        return None if self.publishers is None else forgery(delivery, self.publishers)

    async def _facts(self, delivery: Delivery) -> list[Message | Refused]:
        facts: list[Message | Refused] = []
        for part in self.read(delivery):
            facts += part
            # A large batch takes a second: heartbeats and readiness are answered meanwhile.
            await asyncio.sleep(0)
        return facts

    def _item(self, delivery: Delivery, fact: Message | Refused) -> WorkItem:
        if isinstance(fact, Refused):
            content_type = fact.content_type or delivery.content_type
            message_id = fact.id or delivery.message_id
            parked = Parked(delivery, fact.body, content_type, message_id, fact.type, fact.reason, fact.detail)
            return WorkItem(delivery, parked=parked)
        if self.publishers is not None and (fault := forged_source(fact.source, delivery.user)):
            return to_park(delivery, fact, *fault)
        return WorkItem(delivery, message=fact)


def _grouped(delivery: Delivery, items: list[WorkItem]) -> list[WorkItem]:
    """The items; where very many are refused, one item in the place of all those, a batch that can be sent again."""
    if not items:
        return [_whole(delivery, "not-a-cloudevent", "the message holds no event: the batch is empty")]
    refused = [item.parked for item in items if item.parked is not None]
    if len(refused) <= PARKED_ALONE:
        return items
    ((reason, _),) = Counter(item.reason for item in refused).most_common(1)
    detail = f"{len(refused):,} of {len(items):,} facts of the message are refused; the first: {refused[0].detail}"
    body = b"[" + b",".join(item.body for item in refused) + b"]"
    parked = Parked(delivery, body, BATCH, delivery.message_id, None, reason, detail, facts=len(refused))
    return [*(item for item in items if item.parked is None), WorkItem(delivery, parked=parked)]


def _whole(delivery: Delivery, reason: str, detail: str) -> WorkItem:
    return WorkItem(delivery, parked=as_it_came(delivery, reason, detail))
