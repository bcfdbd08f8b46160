"""One transaction for facts that arrive together; what fails is halved until the guilty fact is alone.

    first step of the handler, if it has one → inbox → handler → outbox → commit

Only the guilty fact is tried later or parked. Whatever cannot be parked as a fact is parked as its message came.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.messaging import dead_letters, inbox, metrics
from shared.messaging.dead_letters import Parked
from shared.messaging.delivery import Delivery, Message
from shared.messaging.failures import (
    Decision,
    Park,
    PauseForOperator,
    PauseUntilDatabase,
    Retry,
    RetryNow,
    decide,
    decide_alone,
)
from shared.messaging.propagation import measure, propagating
from shared.messaging.subscription import Handler, PreparingHandler
from shared.messaging.unit_of_work import UnitOfWork
from shared.messaging.work_items import Retried, WorkItem, to_park, to_retry

log = structlog.get_logger()

_REUSED = "this id was used before for another content: give every event an id of its own, and publish this one again"
WAIT_SECONDS = 2.0


class Stopping(Exception):
    """The process is asked to stop while it holds messages: they go back to the queue, unacknowledged."""


@dataclass(slots=True)
class BatchProcessor:
    """Applies, parks or puts off the facts of one queue. ``handler`` may raise; None where nothing is handled."""

    queue: str
    handler: Handler | None
    engine: AsyncEngine
    unit_of_work: Callable[[AsyncConnection], UnitOfWork]
    stopping: asyncio.Event
    paused: bool = False

    async def process(self, items: Sequence[WorkItem]) -> None:
        """Return once every item is applied, parked or scheduled to be tried later, and that is committed.

        Raises Stopping. Any other error means that an item can neither be handled nor parked; nothing of it is lost.
        """
        decision = await self._commit(items)
        if decision is None:
            return
        if len(items) > 1:
            middle = len(items) // 2
            await self.process(items[:middle])
            await self.process(items[middle:])
            return
        await self._set_aside(items[0], decision)

    async def _commit(self, items: Sequence[WorkItem]) -> Decision | None:
        """None when the transaction is through; else what to do about it, once waiting does not help."""
        collisions = unexplained = 0
        while True:
            try:
                await self._transaction(items)
                self._pause(False)
                return None
            except (Exception, asyncio.CancelledError) as failure:
                _raise_if_ours(failure)
                decision = decide(failure, items[0].delivery.attempt)
                log.warning(
                    "transaction.failed",
                    queue=self.queue,
                    events=len(items),
                    error=type(failure).__name__,
                    decision=type(decision).__name__,
                    # Where it went wrong is told once, when the guilty event is alone.
                    exc_info=isinstance(decision, Retry) and len(items) == 1,
                )
            if isinstance(decision, PauseForOperator):
                await self._wait(decision.what_for)
            elif isinstance(decision, RetryNow):
                # Whoever is in the way gets done, or the database ends its session: however long, no message's fault.
                if self.stopping.is_set():
                    raise Stopping
                collisions += 1
                await asyncio.sleep(min(0.01 * collisions, 1))
            elif isinstance(decision, PauseUntilDatabase) and (unexplained < 3 or not await self._database_answers()):
                unexplained += await self._pause_until_database()
            else:
                return decision

    async def _set_aside(self, item: WorkItem, decision: Decision) -> None:
        if (message := item.message) is None:
            # Neither parking nor putting off depends on a handler: what fails here is ours, and tried again.
            raise UnparkableError(decision)
        match decide_alone(decision, item.delivery.attempt):
            case Retry(delay, reason):
                await self.process([to_retry(item.delivery, message, delay, reason)])
            case Park(reason, detail):
                await self.process([to_park(item.delivery, message, reason, detail)])

    # --- waiting ---------------------------------------------------------------------------------------------------

    async def _wait(self, what_for: str) -> None:
        """Let an operator do what is needed."""
        log.error("consumer.waiting", queue=self.queue, what_for=what_for)
        self._pause(True)
        await self._sleep(WAIT_SECONDS)

    async def _pause_until_database(self) -> int:
        """Wait until the database answers; 1 if it answered at once, so the fault was not an absence."""
        if await self._database_answers():
            await asyncio.sleep(0.2)
            return 1
        self._pause(True)
        delay = 0.1
        while not await self._database_answers():
            await self._sleep(delay)
            delay = min(delay * 2, 2.0)
        return 0

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)
            raise Stopping

    def _pause(self, paused: bool) -> None:
        self.paused = paused
        metrics.PAUSED.labels(self.queue).set(paused)

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(5), self.engine.connect() as connection:
                await connection.execute(text("select 1"))
        except (Exception, asyncio.CancelledError) as error:
            _raise_if_ours(error)
            return False
        return True

    # --- the transaction -------------------------------------------------------------------------------------------

    async def _transaction(self, items: Sequence[WorkItem]) -> None:
        batch = _Batch.of(items)
        started = perf_counter()
        with propagating(self.queue, batch.messages.values()):
            new = await self._write(batch, await self._prepare(batch))
        try:
            _count(self.queue, batch, new, perf_counter() - started)
            measure(self.queue, [batch.messages[key] for key in new])
        except Exception as error:
            # The effect is committed; that it cannot be counted is no reason to do it once more.
            log.warning("transaction.uncounted", queue=self.queue, error=type(error).__name__)

    async def _prepare(self, batch: "_Batch") -> Any:
        """The handler's own first step, if it has one."""
        if not batch.messages or not isinstance(self.handler, PreparingHandler):
            return None
        messages = [message for _, message in batch.messages.values()]
        return await self.handler.prepare(self.engine, self.unit_of_work, messages)

    async def _write(self, batch: "_Batch", prepared: Any) -> set[str]:
        """The transaction itself; returns the facts that are new, and adds to what is parked those that may not be."""
        async with self.engine.begin() as connection:
            uow = self.unit_of_work(connection)
            uow.prepared = prepared
            new, used_before = set[str](), set[str]()
            if batch.messages:
                digests = {key: message.digest for key, (_, message) in batch.messages.items()}
                new, used_before = await inbox.admit(connection, digests)
            if new and self.handler is not None:
                await self.handler(uow, [message for key, (_, message) in batch.messages.items() if key in new])
            reused = batch.reused + [batch.messages[key] for key in sorted(used_before)]
            again = [to_park(delivery, message, "id-reused", _REUSED).parked for delivery, message in reused]
            batch.parked += [parked for parked in again if parked is not None]
            await dead_letters.resolve(connection, _replays(batch.items, {id(message) for _, message in reused}))
            if batch.parked:
                await dead_letters.park(connection, batch.parked)
            for retried in batch.retried:
                uow.outbox.add(retried.outgoing)
            await uow.outbox.flush(connection)
        return new


class UnparkableError(Exception):
    """A message could not be set aside; the argument is what was decided about the failure."""


@dataclass(slots=True)
class _Batch:
    """Items by what is to be done with them. ``messages`` are by what the inbox calls them, the first of each."""

    items: Sequence[WorkItem]
    messages: dict[str, tuple[Delivery, Message]] = field(default_factory=dict[str, tuple[Delivery, Message]])
    reused: list[tuple[Delivery, Message]] = field(default_factory=list[tuple[Delivery, Message]])
    parked: list[Parked] = field(default_factory=list[Parked])
    retried: list[Retried] = field(default_factory=list[Retried])

    @classmethod
    def of(cls, items: Sequence[WorkItem]) -> "_Batch":
        batch = cls(items)
        for item in items:
            if item.parked is not None:
                batch.parked.append(item.parked)
            elif item.retried is not None:
                batch.retried.append(item.retried)
            elif (message := item.message) is not None:
                _, first = batch.messages.setdefault(f"{message.source} {message.id}", (item.delivery, message))
                if first is not message and first.digest != message.digest:
                    batch.reused.append((item.delivery, message))
        return batch


def _replays(items: Sequence[WorkItem], parked_again: set[int]) -> list[int]:
    """The dead letters whose replay came to its end: applied now, or found applied already."""
    return sorted(
        item.delivery.replay_of
        for item in items
        if item.delivery.replay_of is not None and item.message is not None and id(item.message) not in parked_again
    )


def _count(queue: str, batch: _Batch, new: set[str], seconds: float) -> None:
    parked = sum(item.facts for item in batch.parked)
    duplicates = sum(item.message is not None for item in batch.items) - len(new)
    duplicates -= sum(item.reason == "id-reused" for item in batch.parked)
    outcomes = {"applied": len(new), "parked": parked, "duplicate": duplicates, "retried": len(batch.retried)}
    for outcome, count in outcomes.items():
        if count:
            metrics.EVENTS.labels(queue, outcome).inc(count)
    metrics.TRANSACTION_SECONDS.labels(queue).observe(seconds)
    metrics.TRANSACTION_EVENTS.labels(queue).observe(len(batch.items))
    log.info(
        "events.settled",
        queue=queue,
        applied=len(new),
        duplicates=duplicates,
        parked=parked,
        retried=len(batch.retried),
        ms=round(seconds * 1000, 1),
        correlation_ids=_correlation_ids(batch.items),
    )
    by_reason: dict[str, list[Parked]] = {}
    for entry in batch.parked:
        by_reason.setdefault(entry.reason, []).append(entry)
    for reason, alike in by_reason.items():
        facts = sum(item.facts for item in alike)
        metrics.PARKED.labels(queue, reason).inc(facts)
        log.warning(
            "event.parked",
            queue=queue,
            facts=facts,
            message_id=alike[0].message_id,
            reason=reason,
            detail=alike[0].detail,
        )
    for entry in batch.retried:
        metrics.RETRIED.labels(queue, entry.error).inc()
        log.warning("event.retried", queue=queue, message_id=entry.message_id, delay=entry.delay, error=entry.error)


def _correlation_ids(items: Sequence[WorkItem]) -> list[str]:
    """The first ten distinct correlation ids of a batch; an event that has none starts one with its own id."""
    ids = dict.fromkeys(i.message.correlationid or i.message.id for i in items[:50] if i.message is not None)
    return list(ids)[:10]


def _raise_if_ours(error: BaseException) -> None:
    """A connection that dies can cancel whoever waits on it; only our own cancellation ends the consumer."""
    if isinstance(error, asyncio.CancelledError) and (task := asyncio.current_task()) and task.cancelling():
        raise error
