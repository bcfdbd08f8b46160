"""While the database works for one batch, the next one is read: in order, bounded, and settled like any other."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aio_pika.exceptions import ChannelInvalidStateError

from shared.messaging import consumer as module
from shared.messaging.batch_processor import BatchProcessor
from shared.messaging.consumer import BatchSettings, QueueConsumer
from shared.messaging.delivery import Delivery
from shared.messaging.work_items import WorkItem


class Channel:
    """What a lane asks of a channel."""

    is_closed = False


@dataclass
class Raw:
    """A message of the broker, as far as a lane reads it."""

    body: bytes
    delivery_tag: int
    over: Channel
    acknowledged: list[int]
    headers: dict[str, Any] = field(default_factory=dict[str, Any])
    exchange = content_type = message_id = timestamp = user_id = None
    routing_key = "a.b.c"

    @property
    def channel(self) -> Channel:
        if self.over.is_closed:
            raise ChannelInvalidStateError
        return self.over

    async def ack(self, multiple: bool) -> None:
        assert multiple
        self.acknowledged.append(self.delivery_tag)


@dataclass
class Fact:
    """As good as an envelope."""

    source: str
    id: str


@dataclass
class Lane:
    """A lane whose database answers when it is allowed to, and what it did."""

    consumer: QueueConsumer
    read: list[str]
    settled: list[list[str]] = field(default_factory=list[list[str]])
    acknowledged: list[int] = field(default_factory=list[int])
    answers: asyncio.Queue[Exception | None] = field(default_factory=asyncio.Queue[Exception | None])
    channel: Channel = field(default_factory=Channel)

    def receive(self, *numbers: int) -> None:
        for number in numbers:
            raw: Any = Raw(b"%d" % number, number, self.channel, self.acknowledged)
            self.consumer.put(raw)

    async def process(self, items: Sequence[WorkItem]) -> None:
        self.settled.append([item.message.id for item in items if item.message is not None])
        if (failure := await self.answers.get()) is not None:
            raise failure


@pytest.fixture
async def lane(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lane]:
    """Three facts are a batch; the database is asked at once."""
    read: list[str] = []

    def facts(delivery: Delivery) -> list[list[Any]]:
        read.append(delivery.body.decode())
        return [[Fact("/a/b", delivery.body.decode())]]

    anything: Any = None
    settings = BatchSettings(batch_events=3, linger=0.0)
    consumer = QueueConsumer("q", "own", None, facts, None, anything, anything, settings)
    lane = Lane(consumer, read)

    async def process(_: BatchProcessor, items: Sequence[WorkItem]) -> None:
        await lane.process(items)

    monkeypatch.setattr(BatchProcessor, "process", process)
    consumer.start()
    yield lane
    lane.answers.put_nowait(None)
    await consumer.drain()


async def quiet() -> None:
    await asyncio.sleep(0.05)


async def test_the_next_batch_is_read_meanwhile_and_no_more_than_that(lane: Lane) -> None:
    lane.receive(1)
    await quiet()
    lane.receive(2, 3, 4, 5, 6)
    assert lane.settled == [["1"]]
    lane.answers.put_nowait(None)
    await quiet()
    lane.receive(7, 8, 9, 10, 11)
    lane.answers.put_nowait(None)
    await quiet()
    assert lane.settled == [["1"], ["2", "3", "4"], ["5", "6", "7"]]
    assert lane.read == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"], "10 for the next batch, and 11 waits"
    assert lane.acknowledged == [1, 4]
    for _ in range(2):
        lane.answers.put_nowait(None)
    await quiet()
    assert lane.settled[3:] == [["8", "9", "10"], ["11"]]


async def test_a_batch_that_failed_is_settled_before_what_was_read_ahead(lane: Lane) -> None:
    lane.receive(1, 2, 3, 4)
    await quiet()
    assert (lane.settled, lane.read) == ([["1", "2", "3"]], ["1", "2", "3", "4"])
    lane.answers.put_nowait(RuntimeError("a test"))
    await asyncio.sleep(0.2)
    assert lane.settled[1:] == [["1", "2", "3"]]
    assert lane.acknowledged == []
    for _ in range(2):
        lane.answers.put_nowait(None)
    await quiet()
    assert lane.settled[2:] == [["4"]]
    assert lane.acknowledged == [3, 4]


async def test_an_orderly_end_settles_what_was_read_ahead(lane: Lane) -> None:
    lane.receive(1, 2, 3, 4)
    await quiet()
    ending = asyncio.create_task(lane.consumer.drain())
    for _ in range(2):
        lane.answers.put_nowait(None)
    await ending
    assert lane.acknowledged == [3, 4]


async def test_what_came_over_a_closed_channel_is_forgotten_although_it_was_read(lane: Lane) -> None:
    lane.receive(1, 2, 3, 4)
    await quiet()
    assert (lane.settled, lane.read) == ([["1", "2", "3"]], ["1", "2", "3", "4"])
    lane.channel.is_closed = True
    lane.channel = Channel()
    lane.receive(1)
    lane.answers.put_nowait(None)
    await quiet()
    assert lane.settled[1:] == [["1"]], "the broker has 4 back, and sends it again"


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(BatchSettings(batch_events=3, linger=0.0), id="half of a batch"),
        pytest.param(BatchSettings(prefetch=2, batch_events=100, linger=0.01), id="all that the broker gives it"),
    ],
)
async def test_a_lane_is_busy_with_a_large_hand_and_just_after(
    lane: Lane, settings: BatchSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.15)
    lane.consumer.settings = settings
    lane.receive(1)
    await quiet()
    assert (lane.settled[-1], lane.consumer.is_busy) == (["1"], False)
    lane.receive(2, 3)
    lane.answers.put_nowait(None)
    await quiet()
    assert (lane.settled[-1], lane.consumer.is_busy) == (["2", "3"], True)
    lane.answers.put_nowait(None)
    await quiet()
    assert (lane.acknowledged[-1], lane.consumer.is_busy) == (3, True)
    await asyncio.sleep(0.2)
    assert not lane.consumer.is_busy


async def test_a_lane_is_busy_no_longer_once_a_large_hand_was_settled_one_by_one(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(module, "ISOLATE_AFTER", 1)
    lane.receive(1, 2)
    await quiet()
    lane.answers.put_nowait(RuntimeError("a test"))
    await asyncio.sleep(0.15)
    assert (lane.settled, lane.consumer.is_busy) == ([["1", "2"], ["1"]], True)
    for _ in range(2):
        lane.answers.put_nowait(None)
    await asyncio.sleep(0.15)
    assert (lane.settled[-1], lane.acknowledged[-1], lane.consumer.is_busy) == (["2"], 2, False)
