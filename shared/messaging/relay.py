"""The relay: outbox rows to the broker, in order of id, deleted when the broker has confirmed them.

One is active for each service: whoever holds an advisory lock; the others stand by. NOTIFY wakes it at each commit,
and it looks once a second in any case. A message may go out twice (a crash between confirm and delete) and never not
at all; its id stays the same, so consumers' inboxes drop the second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aio_pika
import asyncpg
import orjson
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, DeliveryMode

from shared.messaging import metrics
from shared.messaging.outbox import CHANNEL

log = structlog.get_logger()

LOCK = 0x7472_6162_6F75_6C65
"""Advisory lock of the one active relay in a service's database ("traboule" in ASCII)."""

_DUE = """
    select id, exchange, routing_key, message_id, content_type, headers, body
    from outbox where not_before <= now() order by id limit $1
"""
_DELETE = "delete from outbox where id = any($1::bigint[])"
_POSTPONE = """
    update outbox set attempts = attempts + 1, last_error = $2,
        not_before = now() + least(60, power(2, least(attempts, 6))) * interval '0.25 seconds'
    where id = any($1::bigint[])
"""


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
    _window: int = 1
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

    async def stop(self) -> None:
        """Publish what the outbox holds, for as long as one publish may take; the rest goes out after a start."""
        self._stopping.set()
        self._wake.set()
        if self._task is None:
            return
        _, pending = await asyncio.wait({self._task}, timeout=self.publish_timeout + 2)
        for task in pending:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        delay = 0.1
        while not self._stopping.is_set():
            try:
                await self._serve()
                delay = 0.1
            except (Exception, asyncio.CancelledError) as error:
                # A heartbeat that dies inside a confirm surfaces as CancelledError; only our own cancellation ends us.
                if (task := asyncio.current_task()) and task.cancelling():
                    raise
                log.warning("relay.interrupted", error=type(error).__name__)
                metrics.RELAY_FAILURES.labels(type(error).__name__).inc()
            finally:
                self.active = False
                metrics.RELAY_ACTIVE.set(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(delay * 2, 2.0)

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
            async with connection:
                channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
                await self._publish_for_ever(database, connection, channel)
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
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self.poll)

    async def _publish_for_ever(
        self, database: asyncpg.Connection[Any], connection: AbstractConnection, channel: AbstractChannel
    ) -> None:
        exchanges: dict[str, AbstractExchange] = {"": channel.default_exchange}
        while True:
            self._wake.clear()
            rows = await database.fetch(_DUE, self._window)
            if not rows and self._stopping.is_set():
                return
            if not rows:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self.poll)
                if connection.is_closed or channel.is_closed:
                    raise ConnectionError("the broker closed the connection")
                continue
            for name in {row["exchange"] for row in rows} - exchanges.keys():
                exchanges[name] = await channel.get_exchange(name, ensure=False)
            failed = await self._publish(database, rows, exchanges)
            # One message that the broker will not have closes the channel under its neighbours as well:
            # after a failure go one at a time, so that only the guilty one waits, and widen again from there.
            self._window = 1 if failed else min(self._window * 2, self.window)
            if channel.is_closed:
                raise ConnectionError("the broker closed the channel")

    async def _publish(
        self, database: asyncpg.Connection[Any], rows: Sequence[Any], exchanges: dict[str, AbstractExchange]
    ) -> bool:
        results = await asyncio.gather(
            *(self._publish_one(exchanges[row["exchange"]], row) for row in rows), return_exceptions=True
        )
        confirmed = [
            row["id"] for row, result in zip(rows, results, strict=True) if not isinstance(result, BaseException)
        ]
        if confirmed:
            await database.execute(_DELETE, confirmed)
            metrics.RELAYED.inc(len(confirmed))
        failed = False
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, BaseException):
                failed = True
                error = type(result).__name__
                await database.execute(_POSTPONE, [row["id"]], error)
                metrics.RELAY_FAILURES.labels(error).inc()
                log.warning(
                    "relay.unconfirmed", routing_key=row["routing_key"], message_id=row["message_id"], error=error
                )
        return failed

    async def _publish_one(self, exchange: AbstractExchange, row: Any) -> None:
        message = aio_pika.Message(
            row["body"],
            headers=orjson.loads(row["headers"]),
            content_type=row["content_type"],
            message_id=row["message_id"],
            delivery_mode=DeliveryMode.PERSISTENT,
            user_id=self.user,
        )
        await exchange.publish(message, row["routing_key"], mandatory=True, timeout=self.publish_timeout)
