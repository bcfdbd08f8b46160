"""The relay: outbox rows to the broker, in order of id, deleted when the broker has confirmed them.

What the broker refuses is tried again beside the rest, on channels of its own: a queue that is full, or that is not
there, keeps up nobody else. One row may overtake another so; whoever is told goes by versions and not by order.

One relay is active for each service: whoever holds an advisory lock; the others stand by. NOTIFY wakes it at each
commit, and it looks once a second in any case. A message may go out twice (a crash between confirm and delete) and
never not at all; its id stays the same, so consumers' inboxes drop the second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aio_pika
import asyncpg
import orjson
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, DeliveryMode
from aio_pika.exceptions import DeliveryError, PublishError
from pamqp.header import ContentHeader

from shared.messaging import metrics
from shared.messaging.outbox import CHANNEL
from shared.messaging.topology import FRAME_BYTES
from shared.messaging.unsent import Unsent
from shared.runtime.cancellation import reraise_if_cancelled
from shared.runtime.waiting import wait_at_most

log = structlog.get_logger()

LOCK = 0x7472_6162_6F75_6C65
"""Advisory lock of the one active relay in a service's database ("traboule" in ASCII)."""

CLOSING_SECONDS = 5.0
"""For so long a relay waits for a connection, a channel or a task to end."""

_FRAME_ITSELF = 8
"""Bytes of a frame around what it carries."""


class HeadersTooLargeError(Exception):
    """A message that is not sent: the broker would close the connection over it."""


ANSWERED = (DeliveryError.__name__, PublishError.__name__, HeadersTooLargeError.__name__)
"""Errors of a row alone: its queue is full, or there is none, or it is not sent. The channel stays open for others."""
Tried = tuple[Any, BaseException | None]
"""A row of the outbox, and why the broker does not have it: None when it has."""


@dataclass(slots=True)
class Relay:
    """Publishes one service's outbox as the broker user ``user``. ``window`` is how many may await their confirm.

    ``lease`` is after how many silent seconds the database gives the lock to another; longer than ``publish_timeout``.
    """

    database_url: str
    broker_url: str
    user: str
    window: int = 100
    poll: float = 1.0
    publish_timeout: float = 10.0
    lease: float = 30.0
    active: bool = False
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the background."""
        self._task = asyncio.create_task(self._run(), name="relay")

    @property
    def alive(self) -> bool:
        """False once the relay's task has ended, which it never does by itself."""
        return self._task is not None and not self._task.done()

    @property
    def stop_seconds(self) -> float:
        """The most that :meth:`stop` takes."""
        return self.publish_timeout + 2

    async def stop(self) -> None:
        """Publish what the outbox holds, for as long as one publish may take; the rest goes out after a start."""
        self._stopping.set()
        self._wake.set()
        if self._task is None:
            return
        _, pending = await asyncio.wait({self._task}, timeout=self.stop_seconds)
        for task in pending:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        delay = 0.1
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            try:
                await self._serve()
            except (Exception, asyncio.CancelledError) as error:
                # A heartbeat that dies inside a confirm surfaces as CancelledError.
                reraise_if_cancelled()
                log.warning("relay.interrupted", error=type(error).__name__)
                metrics.RELAY_FAILURES.labels(type(error).__name__).inc()
            finally:
                self.active = False
                metrics.RELAY_ACTIVE.set(0)
            await wait_at_most(delay, self._stopping)
            # What breaks once an hour is no reason to wait longer each time.
            delay = min(delay * 2, 2.0) if asyncio.get_running_loop().time() - began < 10 else 0.1

    async def _serve(self) -> None:
        """Hold the lock and publish until something breaks or the process stops."""
        database = await asyncpg.connect(
            self.database_url,
            timeout=5,
            command_timeout=30,
            # A relay whose machine or network vanished never says goodbye, and TCP would keep its lock for hours.
            server_settings={"idle_session_timeout": str(int(self.lease * 1000))},
        )
        try:
            await self._become_active(database)
            if self._stopping.is_set():
                return
            await database.add_listener(CHANNEL, lambda *_: self._wake.set())
            connection = await aio_pika.connect(self.broker_url, timeout=5)
            unsent = Unsent(database)
            again = asyncio.create_task(self._try_refused_again(unsent, connection), name="relay again")
            try:
                await self._publish_new(unsent, connection, again)
            finally:
                again.cancel()
                await _end_within_seconds(again)
                await _close(connection)
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(database.close(), 5)

    async def _become_active(self, database: asyncpg.Connection[Any]) -> None:
        while not self._stopping.is_set():
            if await database.fetchval("select pg_try_advisory_lock($1)", LOCK):
                self.active = True
                metrics.RELAY_ACTIVE.set(1)
                log.info("relay.active")
                return
            await wait_at_most(self.poll, self._stopping)

    async def _publish_new(self, unsent: Unsent, connection: AbstractConnection, again: asyncio.Task[None]) -> None:
        """Publish what was never tried, until the process stops; raises what ended ``again``, which never ends well."""
        channel = await self._channel(connection)
        while True:
            self._wake.clear()
            rows = await unsent.new(self.window)
            if rows:
                # One that the broker will not have closes the channel under its neighbours as well; then all of them
                # are tried again one at a time.
                results = await asyncio.gather(*(self._publish(channel, row) for row in rows), return_exceptions=True)
                await _settle(unsent, list(zip(rows, results, strict=True)))
            elif self._stopping.is_set():
                return
            else:
                await wait_at_most(self.poll, self._wake)
            if again.done():
                again.result()
            if connection.is_closed:
                raise ConnectionError("the broker closed the connection")
            if channel.is_closed:
                channel = await self._channel(connection)

    async def _try_refused_again(self, unsent: Unsent, connection: AbstractConnection) -> None:
        """Once a second one refused row of each routing key; the others of it as soon as the broker has that one."""
        while True:
            rows = await unsent.first_of_each(self.window)
            if not any(await asyncio.gather(*(self._try_alike(unsent, connection, row) for row in rows))):
                await asyncio.sleep(self.poll)

    async def _try_alike(self, unsent: Unsent, connection: AbstractConnection, first: Any) -> bool:
        """Publish one row, and those of its routing key while the broker takes them; whether it took the first.

        Their channel may be closed without harm to others.
        """
        taken = False
        channel = await self._channel(connection)
        try:
            rows: Sequence[Any] = [first]
            while rows and await self._publish_alike(unsent, channel, rows):
                taken = True
                rows = await unsent.alike(first, self.window)
        finally:
            await _close(channel)
        return taken

    async def _publish_alike(self, unsent: Unsent, channel: AbstractChannel, rows: Sequence[Any]) -> bool:
        """Publish rows together; one after another until one fails, if any may be what closed a channel before.

        Returns whether the broker has them all.
        """
        answered = all(row["last_error"] in ANSWERED for row in rows)
        tried: list[Tried] = []
        for step in [rows] if answered else [[row] for row in rows]:
            results = await asyncio.gather(*(self._publish(channel, row) for row in step), return_exceptions=True)
            tried += zip(step, results, strict=True)
            if any(result is not None for result in results):
                break
        return await _settle(unsent, tried) == len(rows)

    async def _publish(self, channel: AbstractChannel, row: Any) -> None:
        message = aio_pika.Message(
            row["body"],
            headers=orjson.loads(row["headers"]),
            content_type=row["content_type"],
            message_id=row["message_id"],
            delivery_mode=DeliveryMode.PERSISTENT,
            user_id=self.user,
        )
        if len(row["headers"]) > FRAME_BYTES // 4 and _header_bytes(message) > FRAME_BYTES - _FRAME_ITSELF:
            raise HeadersTooLargeError("more than a frame of the broker: it would close the connection")
        exchange = await channel.get_exchange(row["exchange"], ensure=False)
        await exchange.publish(message, row["routing_key"], mandatory=True, timeout=self.publish_timeout)

    async def _channel(self, connection: AbstractConnection) -> AbstractChannel:
        """Open a channel. Raises TimeoutError if the broker does not answer: the connection may be dead."""
        async with asyncio.timeout(self.publish_timeout):
            return await connection.channel(publisher_confirms=True, on_return_raises=True)


async def _settle(unsent: Unsent, tried: Sequence[Tried]) -> int:
    """Write down what became of these rows; returns how many the broker has."""
    confirmed = [row["id"] for row, error in tried if error is None]
    refused = [(row, type(error).__name__) for row, error in tried if error is not None]
    await unsent.settle(confirmed, [(row["id"], error) for row, error in refused])
    metrics.RELAYED.inc(len(confirmed))
    for (routing_key, error), messages in Counter((row["routing_key"], error) for row, error in refused).items():
        metrics.RELAY_FAILURES.labels(error).inc(messages)
        log.warning("relay.unconfirmed", routing_key=routing_key, messages=messages, error=error)
    return len(confirmed)


def _header_bytes(message: aio_pika.Message) -> int:
    return len(ContentHeader(0, len(message.body), message.properties).marshal())


async def _close(closed: AbstractConnection | AbstractChannel) -> None:
    """Close, as well as may be: the broker may never answer, as when it ended in the middle of a closing."""
    await _end_within_seconds(asyncio.ensure_future(closed.close()))


async def _end_within_seconds(task: asyncio.Future[Any]) -> None:
    """Wait for a task that need not end well, and go on without it if it does not end at all."""
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    await asyncio.wait({task}, timeout=CLOSING_SECONDS)
