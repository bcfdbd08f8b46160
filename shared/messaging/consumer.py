"""The consumer: messages in, one transaction for those that arrive together, one acknowledgement for all of them.

A *lane* is one queue of one process. FastStream hands each message to its lane and forgets it; the lane collects
what is there, up to ``batch_events`` events or ``linger`` seconds, and settles it:

    read → inbox → handler → outbox → commit → ack

If the transaction fails, the events are halved and tried again until the guilty one is alone; only that one is
retried later or parked. When an acknowledgement is sent, every event of every message before it is settled, so one
``multiple`` acknowledgement is enough.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import structlog
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import ChannelInvalidStateError
from aiormq.abc import AbstractChannel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.messaging import dead_letters, inbox, metrics
from shared.messaging.authenticity import forged_source, forgery
from shared.messaging.dead_letters import Parked
from shared.messaging.delivery import Delivery, Message
from shared.messaging.failures import Again, Decision, Hold, Park, Retry, Wait, decide
from shared.messaging.onward import measure, travelling
from shared.messaging.properties import UNREADABLE
from shared.messaging.subscription import Handler
from shared.messaging.topology import retry_exchange
from shared.messaging.unit_of_work import UnitOfWork

log = structlog.get_logger()

STRUCTURED = "application/cloudevents+json"
_REUSED = "this id was used before for another content: give every event an id of its own, and publish this one again"
_BAD_PROPERTIES = "a property or header is not valid AMQP: texts must be UTF-8, timestamps in seconds since 1970"
WAIT_SECONDS = 2.0
MAX_BODY = 4 * 1024 * 1024
"""Bytes of one message; 5,000 facts of 800 bytes. A larger one is parked: its publisher must send smaller batches."""


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """How a lane groups messages. ``prefetch`` bounds the messages in hand, and so the memory."""

    prefetch: int = 128
    batch_events: int = 1000
    linger: float = 0.003
    drain_timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Unit:
    """One event of a delivery: to be handled, or already known to be parked."""

    delivery: Delivery
    message: Message | None = None
    parked: Parked | None = None


class Stopping(Exception):
    """The process is asked to stop while it holds messages: they go back to the queue, unacknowledged."""


@dataclass(slots=True)
class Lane:
    """One queue's consumer in this process. ``read`` never raises; ``handler`` may."""

    queue: str
    own_user: str
    publishers: frozenset[str] | None
    read: Callable[[Delivery], Sequence[Any]]
    handler: Handler | None
    engine: AsyncEngine
    unit_of_work: Callable[[AsyncConnection], UnitOfWork]
    settings: LaneSettings = field(default_factory=LaneSettings)
    holding: bool = False
    _incoming: asyncio.Queue[AbstractIncomingMessage] = field(default_factory=asyncio.Queue)
    _hand: list[AbstractIncomingMessage] = field(default_factory=list[AbstractIncomingMessage])
    _channel: AbstractChannel | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def put(self, raw: AbstractIncomingMessage) -> None:
        """Take a message in hand. It stays unacknowledged until it is settled."""
        with contextlib.suppress(ChannelInvalidStateError):
            if raw.channel is not self._channel:
                self._channel = raw.channel
                self._forget_returned()
            self._incoming.put_nowait(raw)

    def start(self) -> None:
        """Begin settling what arrives; harmless a second time, as when the broker was away at the first."""
        if self._task is not None:
            return
        self._task = asyncio.create_task(self._run(), name=f"lane {self.queue}")
        metrics.watch_lane(self.queue, self.settings.prefetch, lambda: self._incoming.qsize() + len(self._hand))

    @property
    def alive(self) -> bool:
        """False once the lane's task has ended, which it never does by itself."""
        return self._task is not None and not self._task.done()

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
                while not self._incoming.empty() and not self.holding:  # noqa: ASYNC110 - either may change first
                    await asyncio.sleep(0.01)
        self._stopping.set()
        _, pending = await asyncio.wait({self._task}, timeout=self.settings.drain_timeout)
        for task in pending:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    # --- collecting ------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                # A hand that failed is tried again before any other message: an acknowledgement covers all that came
                # before it on its channel, so nothing may overtake what is not settled.
                if units := await self._collect():
                    await self._settle(units)
                    await self._acknowledge(self._hand)
                self._hand = []
            except Stopping:
                return
            except asyncio.CancelledError:
                # A connection that dies can cancel whoever waits on it; only our own cancellation ends the lane.
                if (task := asyncio.current_task()) and task.cancelling():
                    raise
            except Exception as error:
                # Nothing in here may end the lane. What it holds stays in hand and is tried again.
                log.exception("lane.failed", queue=self.queue, error=type(error).__name__)
                await asyncio.sleep(1)

    async def _collect(self) -> list[Unit]:
        """Fill the hand in the order of arrival, after what a failure left in it, and read it."""
        if not self._hand:
            if (first := await self._next()) is None:
                return []
            self._hand.append(first)
        units = [unit for raw in self._hand for unit in self._units(raw)]
        deadline = asyncio.get_running_loop().time() + self.settings.linger
        while len(units) < self.settings.batch_events:
            if self._incoming.empty():
                remaining = deadline - asyncio.get_running_loop().time()
                if remaining <= 0:
                    break
                # Sleeping is cheaper than a timed get, and messages pile up meanwhile.
                await asyncio.sleep(remaining)
                continue
            raw = self._incoming.get_nowait()
            self._hand.append(raw)
            units += self._units(raw)
        return units

    def _forget_returned(self) -> None:
        """Drop what came over a channel that is closed now: the broker has it back, and sends it again over the next.

        Else a lane that waits would hold one copy more with each connection that breaks meanwhile.
        """
        for _ in range(self._incoming.qsize()):
            raw = self._incoming.get_nowait()
            with contextlib.suppress(ChannelInvalidStateError):
                _ = raw.channel
                self._incoming.put_nowait(raw)

    async def _next(self) -> AbstractIncomingMessage | None:
        if not self._incoming.empty():
            return self._incoming.get_nowait()
        waiting = asyncio.ensure_future(self._incoming.get())
        stopping = asyncio.ensure_future(self._stopping.wait())
        done, pending = await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return waiting.result() if waiting in done else None

    def _units(self, raw: AbstractIncomingMessage) -> list[Unit]:
        delivery = Delivery.of(self.queue, raw, self.own_user)
        if UNREADABLE in delivery.headers:
            return [_park_whole(delivery, "unreadable-properties", _BAD_PROPERTIES)]
        if len(delivery.body) > MAX_BODY:
            size = f"{len(delivery.body):,} bytes are more than {MAX_BODY:,}: send smaller batches"
            return [_park_whole(delivery, "too-large", size)]
        if self.publishers is not None and (fault := forgery(delivery, self.publishers)):
            return [_park_whole(delivery, *fault)]
        try:
            events = self.read(delivery)
        except Exception as error:
            # A message left out here would be acknowledged with those after it, and so be lost.
            log.exception("message.unread", queue=self.queue, error=type(error).__name__)
            return [_park_whole(delivery, "unreadable", f"{type(error).__name__} in the reader: see the log")]
        if not events:
            return [_park_whole(delivery, "not-a-cloudevent", "the message holds no event: the batch is empty")]
        return [self._unit(delivery, event) for event in events]

    def _unit(self, delivery: Delivery, event: Any) -> Unit:
        if hasattr(event, "reason"):
            content_type = STRUCTURED if event.body is not delivery.body else delivery.content_type
            message_id = event.id or delivery.message_id
            parked = Parked(delivery, event.body, content_type, message_id, event.type, event.reason, event.detail)
            return Unit(delivery, parked=parked)
        if self.publishers is not None and (fault := forged_source(event.source, delivery.user)):
            return Unit(delivery, parked=_parked(delivery, event, *fault))
        return Unit(delivery, message=event)

    # --- settling --------------------------------------------------------------------------------------------------

    async def _settle(self, units: list[Unit]) -> None:
        """Return once every unit is applied, parked or scheduled to be tried later, and that is committed."""
        collisions = unexplained = 0
        while True:
            try:
                await self._transaction(units)
                self.holding = False
                metrics.HOLDING.labels(self.queue).set(0)
                return
            except (Exception, asyncio.CancelledError) as failure:
                error = failure
                if isinstance(error, asyncio.CancelledError) and (task := asyncio.current_task()) and task.cancelling():
                    raise
                decision = decide(error, units[0].delivery.attempt)
                log.warning(
                    "transaction.failed",
                    queue=self.queue,
                    events=len(units),
                    error=type(error).__name__,
                    decision=type(decision).__name__,
                    # Where it went wrong is told once, when the guilty event is alone.
                    exc_info=isinstance(decision, Retry) and len(units) == 1,
                )
            if isinstance(decision, Wait):
                await self._wait(decision.what_for)
                continue
            if isinstance(decision, Again):
                # Whoever is in the way gets done, or the database ends its session: however long, no message's fault.
                if self._stopping.is_set():
                    raise Stopping
                collisions += 1
                await asyncio.sleep(min(0.01 * collisions, 1))
                continue
            if isinstance(decision, Hold) and (unexplained < 3 or not await self._database_answers()):
                unexplained += await self._hold()
                continue
            break
        await self._isolate(units, decision)

    async def _isolate(self, units: list[Unit], decision: Decision) -> None:
        if len(units) > 1:
            middle = len(units) // 2
            await self._settle(units[:middle])
            await self._settle(units[middle:])
            return
        unit = units[0]
        match decision:
            case Park(reason, detail):
                await self._settle([_park_unit(unit, reason, detail)])
            case Retry(delay, reason):
                await self._retry_later(unit, delay, reason)
            case _:
                await self._settle([_park_unit(unit, "handler-failed", "the database fails on this message alone")])

    async def _wait(self, what_for: str) -> None:
        """Let an operator do what is needed."""
        log.error("consumer.waiting", queue=self.queue, what_for=what_for)
        self.holding = True
        metrics.HOLDING.labels(self.queue).set(1)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), WAIT_SECONDS)
            raise Stopping

    async def _hold(self) -> int:
        """Wait until the database answers; 1 if it answered at once, so the fault was not an absence."""
        if await self._database_answers():
            await asyncio.sleep(0.2)
            return 1
        self.holding = True
        metrics.HOLDING.labels(self.queue).set(1)
        delay = 0.1
        while not await self._database_answers():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
                raise Stopping
            delay = min(delay * 2, 2.0)
        return 0

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(5), self.engine.connect() as connection:
                await connection.execute(text("select 1"))
        except (Exception, asyncio.CancelledError):
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            return False
        return True

    async def _transaction(self, units: list[Unit]) -> None:
        started = perf_counter()
        messages, reused = _by_id(units)
        parked = [unit.parked for unit in units if unit.parked is not None]
        with travelling(self.queue, messages.values()):
            new = await self._write(units, messages, reused, parked)
        self._count(units, new, parked, perf_counter() - started)
        measure(self.queue, [messages[key] for key in new])

    async def _write(
        self,
        units: list[Unit],
        messages: Mapping[str, tuple[Delivery, Message]],
        reused: list[tuple[Delivery, Message]],
        parked: list[Parked],
    ) -> set[str]:
        """The transaction itself; returns the events that are new, and adds to ``parked`` those that may not be."""
        async with self.engine.begin() as connection:
            uow = self.unit_of_work(connection)
            new, used_before = set[str](), set[str]()
            if messages:
                digests = {key: message.digest for key, (_, message) in messages.items()}
                new, used_before = await inbox.admit(connection, digests)
            if new and self.handler is not None:
                await self.handler(uow, [message for key, (_, message) in messages.items() if key in new])
            reused += [messages[key] for key in sorted(used_before)]
            parked += [_parked(delivery, message, "id-reused", _REUSED) for delivery, message in reused]
            await dead_letters.resolve(connection, _replays(units, {id(message) for _, message in reused}))
            if parked:
                await dead_letters.park(connection, parked)
            await uow.outbox.flush(connection)
        return new

    async def _retry_later(self, unit: Unit, delay: int, reason: str) -> None:
        """Put the event in the outbox for the TTL queue, in a transaction of its own, without an inbox row."""
        assert unit.message is not None, "only handling fails; parking is a plain insert"
        delivery = unit.delivery
        back = dead_letters.send_back(
            delivery,
            attempt=delivery.attempt + 1,
            exchange=retry_exchange(delay),
            body=unit.message.encode(),
            content_type=STRUCTURED,
        )
        async with self.engine.begin() as connection:
            uow = UnitOfWork(connection)
            uow.outbox.add(back)
            await uow.outbox.flush(connection)
        metrics.EVENTS.labels(self.queue, "retried").inc()
        metrics.RETRIED.labels(self.queue, reason).inc()
        log.warning("event.retried", queue=self.queue, message_id=unit.message.id, delay=delay, error=reason)

    async def _acknowledge(self, deliveries: list[AbstractIncomingMessage]) -> None:
        # One acknowledgement for each channel: after a reconnection the batch may hold messages of two.
        last: dict[int, AbstractIncomingMessage] = {}
        for raw in deliveries:
            # A closed channel takes none: the broker has these back, and the inbox lets them pass when they return.
            with contextlib.suppress(ChannelInvalidStateError):
                last[id(raw.channel)] = raw
        for raw in last.values():
            try:
                await raw.ack(multiple=True)
            except (Exception, asyncio.CancelledError) as error:
                if (task := asyncio.current_task()) and task.cancelling():
                    raise
                # The effect is committed; the broker sends these again and the inbox lets them pass.
                log.info("ack.lost", queue=self.queue, error=type(error).__name__)

    def _count(self, units: list[Unit], new: set[str], parked: list[Parked], seconds: float) -> None:
        duplicates = len(units) - len(parked) - len(new)
        for outcome, count in (("applied", len(new)), ("parked", len(parked)), ("duplicate", duplicates)):
            if count:
                metrics.EVENTS.labels(self.queue, outcome).inc(count)
        metrics.TRANSACTION_SECONDS.labels(self.queue).observe(seconds)
        metrics.TRANSACTION_EVENTS.labels(self.queue).observe(len(units))
        log.info(
            "events.settled",
            queue=self.queue,
            applied=len(new),
            duplicates=duplicates,
            parked=len(parked),
            ms=round(seconds * 1000, 1),
            correlation_ids=_correlation_ids(units),
        )
        for one in parked:
            metrics.PARKED.labels(self.queue, one.reason).inc()
            log.warning(
                "event.parked", queue=self.queue, message_id=one.message_id, reason=one.reason, detail=one.detail
            )


def _by_id(units: list[Unit]) -> tuple[dict[str, tuple[Delivery, Message]], list[tuple[Delivery, Message]]]:
    """Readable events by what the inbox calls them, the first of each; and those whose id is used again for another."""
    first: dict[str, tuple[Delivery, Message]] = {}
    reused: list[tuple[Delivery, Message]] = []
    for unit in units:
        if (message := unit.message) is not None:
            _, held = first.setdefault(f"{message.source} {message.id}", (unit.delivery, message))
            if held.digest != message.digest:
                reused.append((unit.delivery, message))
    return first, reused


def _replays(units: list[Unit], parked_again: set[int]) -> list[int]:
    """The dead letters whose replay came to its end: applied now, or found applied already."""
    return sorted(
        unit.delivery.replay_of
        for unit in units
        if unit.delivery.replay_of is not None and unit.message is not None and id(unit.message) not in parked_again
    )


def _correlation_ids(units: list[Unit]) -> list[str]:
    """The first ten distinct correlation ids of a batch; an event that has none starts one with its own id."""
    ids = dict.fromkeys(u.message.correlationid or u.message.id for u in units[:50] if u.message is not None)
    return list(ids)[:10]


def _park_whole(delivery: Delivery, reason: str, detail: str) -> Unit:
    parked = Parked(delivery, delivery.body, delivery.content_type, delivery.message_id, None, reason, detail)
    return Unit(delivery, parked=parked)


def _parked(delivery: Delivery, event: Message, reason: str, detail: str) -> Parked:
    return Parked(delivery, event.encode(), STRUCTURED, event.id, event.type, reason, detail)


def _park_unit(unit: Unit, reason: str, detail: str) -> Unit:
    assert unit.message is not None, "what is parked already cannot fail in the handler"
    return Unit(unit.delivery, parked=_parked(unit.delivery, unit.message, reason, detail))
