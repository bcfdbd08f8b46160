"""The consumer: messages in, one transaction for those that arrive together, one acknowledgement for all of them.

A *lane* is one queue of one process. FastStream hands each message to its lane and forgets it; the lane collects
what is there, up to ``batch_events`` events or ``linger`` seconds, and settles it:

    read (work_items) → inbox → handler → outbox → commit (batch_processor) → ack (acknowledging)

While the database works for one batch, the next one is read. No message holds a lane: what cannot be read, handled or
parked as a fact ends as a dead letter of its bytes alone.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import inf

import structlog
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import ChannelInvalidStateError
from aiormq.abc import AbstractChannel
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.envelope import Refused
from shared.messaging import metrics
from shared.messaging.acknowledging import GRACE_SECONDS, ChannelTags
from shared.messaging.arrivals import Arrivals
from shared.messaging.batch_processor import BatchProcessor, Stopping, UnparkableError
from shared.messaging.delivery import Delivery, Message
from shared.messaging.failures import Park, Retry
from shared.messaging.subscription import Handler
from shared.messaging.unit_of_work import UnitOfWork
from shared.messaging.work_items import MAX_BODY, MessageReader, WorkItem, raw_item

__all__ = ["MAX_BODY", "BatchSettings", "QueueConsumer"]

log = structlog.get_logger()

ISOLATE_AFTER = 3
"""So many failures of one hand, whatever they are, and each of its messages is settled by itself."""
STUCK_SECONDS = 60.0
"""A hand that is older makes its process unready: nothing takes so long."""
BUSY_SECONDS = 0.5
"""So long after a large hand a lane still counts as busy: the next one is on its way."""


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How a lane groups messages. ``prefetch`` times the largest message is the memory that a queue may take."""

    prefetch: int = 32
    batch_events: int = 1000
    linger: float = 0.003
    drain_timeout: float = 10.0


@dataclass(slots=True)
class QueueConsumer:
    """One queue's consumer in this process. ``read`` gives the facts of a delivery in parts; ``handler`` may raise."""

    queue: str
    own_user: str
    publishers: frozenset[str] | None
    read: Callable[[Delivery], Iterable[Sequence[Message | Refused]]]
    handler: Handler | None
    engine: AsyncEngine
    unit_of_work: Callable[[AsyncConnection], UnitOfWork]
    settings: BatchSettings = field(default_factory=BatchSettings)
    _in_flight: list[AbstractIncomingMessage] = field(default_factory=list[AbstractIncomingMessage])
    _in_flight_since: float | None = None
    _is_large: bool = False
    _large_until: float = -inf
    _processing: bool = False
    _failures: int = 0
    _channel: AbstractChannel | None = None
    _tags: ChannelTags = field(default_factory=ChannelTags)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _reader: MessageReader = field(init=False)
    _arrivals: Arrivals = field(init=False)
    _processor: BatchProcessor = field(init=False)

    def __post_init__(self) -> None:
        self._reader = MessageReader(self.queue, self.own_user, self.publishers, self.read)
        self._arrivals = Arrivals(self._reader, self.settings.batch_events)
        self._processor = BatchProcessor(self.queue, self.handler, self.engine, self.unit_of_work, self._stopping)

    def put(self, raw: AbstractIncomingMessage) -> None:
        """Take a message in hand. It stays unacknowledged until it is settled."""
        with contextlib.suppress(ChannelInvalidStateError):
            if raw.channel is not self._channel:
                self._channel = raw.channel
                self._tags = ChannelTags()
                self._arrivals.forget_returned()
            if self._tags.receive(raw):
                self._arrivals.put(raw)

    def start(self) -> None:
        """Begin settling what arrives; harmless a second time, as when the broker was away at the first."""
        if self._task is not None:
            return
        self._task = asyncio.create_task(self._run(), name=f"lane {self.queue}")
        in_flight = lambda: len(self._arrivals) + len(self._in_flight)  # noqa: E731 - read when somebody asks
        metrics.watch_consumer(self.queue, self.settings.prefetch, in_flight, lambda: self.in_flight_seconds)

    @property
    def alive(self) -> bool:
        """False once the lane's task has ended, which it never does by itself."""
        return self._task is not None and not self._task.done()

    @property
    def paused(self) -> bool:
        """Whether it waits for its database, or for an operator."""
        return self._processor.paused

    @property
    def in_flight_seconds(self) -> float:
        """How long the messages that are being settled have been in hand; 0 when there are none."""
        return 0.0 if self._in_flight_since is None else asyncio.get_running_loop().time() - self._in_flight_since

    @property
    def is_busy(self) -> bool:
        """Whether it has a large hand, or just had one: half of a batch, or all that the broker gives it at once."""
        has_large = self._is_large and bool(self._in_flight)
        return has_large or asyncio.get_running_loop().time() - self._large_until < BUSY_SECONDS

    @property
    def healthy(self) -> bool:
        """It lives, waits for nothing, and settles what it has."""
        return self.alive and not self.paused and self.in_flight_seconds < STUCK_SECONDS

    @property
    def stop_seconds(self) -> float:
        """The most that :meth:`drain` takes."""
        return 2 * self.settings.drain_timeout

    async def drain(self) -> None:
        """Take what arrived in hand, then settle it, within ``drain_timeout`` seconds each; the rest goes back when the
        channel closes."""
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.drain_timeout):
                while self._arrivals and not self.paused:  # noqa: ASYNC110 - either may change first
                    await asyncio.sleep(0.01)
        self._stopping.set()
        _, pending = await asyncio.wait({self._task}, timeout=self.settings.drain_timeout)
        for task in pending:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                # A hand that failed is tried again before any other message: an acknowledgement covers all that came
                # before it on its channel, so nothing may overtake what is not settled.
                if self._failures < ISOLATE_AFTER:
                    await self._settle_together()
                else:
                    await self._settle_one_by_one()
                self._failures = 0
            except Stopping:
                return
            except asyncio.CancelledError:
                # A connection that dies can cancel whoever waits on it; only our own cancellation ends the lane.
                if (task := asyncio.current_task()) and task.cancelling():
                    raise
            except Exception as error:
                # Nothing in here may end the lane. What it holds stays in hand and is tried again.
                self._failures += 1
                log.exception("lane.failed", queue=self.queue, error=type(error).__name__, failures=self._failures)
                await asyncio.sleep(min(0.1 * self._failures, 2))

    # --- collecting ------------------------------------------------------------------------------------------------

    async def _settle_together(self) -> None:
        if items := await self._collect():
            all_of_them = len(self._in_flight) >= self.settings.prefetch
            self._is_large = all_of_them or len(items) * 2 >= self.settings.batch_events
            await self._process(items)
            await self._acknowledge(self._in_flight)
            if self._is_large:
                self._large_until = asyncio.get_running_loop().time()
        self._in_flight, self._in_flight_since = [], None
        await self._give_back_missing()

    async def _process(self, items: Sequence[WorkItem]) -> None:
        self._processing = True
        reading = asyncio.create_task(self._arrivals.read_ahead(lambda: self._processing))
        try:
            # A message may hold more than one transaction should.
            for start in range(0, len(items), self.settings.batch_events):
                await self._processor.process(items[start : start + self.settings.batch_events])
        finally:
            self._processing = False
            await reading

    async def _collect(self) -> list[WorkItem]:
        """Fill the hand in the order of arrival, after what a failure left in it, and read it."""
        if not self._in_flight and not self._arrivals:
            seconds = GRACE_SECONDS / 2 if self._tags.incomplete else None
            if (first := await self._arrivals.wait(self._stopping, seconds)) is None:
                return []
            self._take(first)
        items = [item for raw in self._in_flight for item in await self._reader.items(raw)]
        deadline = asyncio.get_running_loop().time() + self.settings.linger
        while self._arrivals.has_room(self._in_flight, len(items)):
            if self._arrivals:
                raw, read = self._arrivals.take()
                self._take(raw)
                items += await self._reader.items(raw) if read is None else read
            elif (remaining := deadline - asyncio.get_running_loop().time()) > 0:
                # Sleeping is cheaper than a timed get, and messages pile up meanwhile.
                await asyncio.sleep(remaining)
            else:
                break
        return items

    def _take(self, raw: AbstractIncomingMessage) -> None:
        self._in_flight.append(raw)
        if self._in_flight_since is None:
            self._in_flight_since = asyncio.get_running_loop().time()

    # --- settling --------------------------------------------------------------------------------------------------

    async def _settle_one_by_one(self) -> None:
        """Settle each message in hand by itself; one that fails for its own reason is parked by its bytes alone."""
        while self._in_flight:
            raw = self._in_flight[0]
            try:
                await self._process(await self._reader.items(raw))
            except UnparkableError as error:
                (decision,) = error.args
                if not isinstance(decision, Retry | Park):
                    raise
                await self._park_raw(raw, error.__cause__ or error)
            except Stopping:
                raise
            except Exception as error:
                await self._park_raw(raw, error)
            await self._acknowledge([raw])
            del self._in_flight[0]
        self._in_flight_since = None

    async def _park_raw(self, raw: AbstractIncomingMessage, error: BaseException) -> None:
        log.error("message.unsettled", queue=self.queue, error=type(error).__name__)
        detail = f"it can neither be handled nor parked as a fact ({type(error).__name__}): see the log"
        await self._processor.process([raw_item(self.queue, raw, "unprocessable", detail)])

    async def _acknowledge(self, settled: Sequence[AbstractIncomingMessage]) -> None:
        # A closed channel takes no acknowledgement: the broker has its messages back, and the inbox lets them pass when
        # they return.
        ours = [raw for raw in settled if self._comes_over_the_channel(raw)]
        last = self._tags.settle(ours)
        if last is None:
            return
        try:
            await last.ack(multiple=True)
        except (Exception, asyncio.CancelledError) as error:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            # The effect is committed; the broker sends these again and the inbox lets them pass.
            log.info("ack.lost", queue=self.queue, error=type(error).__name__)

    def _comes_over_the_channel(self, raw: AbstractIncomingMessage) -> bool:
        with contextlib.suppress(ChannelInvalidStateError):
            return raw.channel is self._channel
        return False

    async def _give_back_missing(self) -> None:
        """Give back what the broker delivered and this lane never received; it comes again, under another tag."""
        tags = self._tags.missing(asyncio.get_running_loop().time())
        if not tags or self._channel is None or self._channel.is_closed:
            return
        log.error("delivery.missing", queue=self.queue, messages=len(tags))
        metrics.MISSING.labels(self.queue).inc(len(tags))
        for tag in tags:
            await self._channel.basic_reject(tag, requeue=True)
        self._tags.give_back(tags)
        await self._acknowledge([])
