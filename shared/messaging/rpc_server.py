"""Answers questions from a service's queue: each by one replica, at most once.

A question is acknowledged before it is looked at. So one that ends the process, or that nobody can read, is gone: it
neither comes again nor stops what comes after. Whoever asked waits until the timeout, and asks again if he likes.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

import aio_pika
import structlog
from aio_pika import Message
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage

from shared.messaging import metrics
from shared.messaging.rpc import LONGEST_QUESTION, REPLY_TO, TTL_SECONDS, Reply, queries_queue
from shared.runtime.cancellation import reraise_if_cancelled

log = structlog.get_logger()

WORKERS = 2
"""Questions that one replica answers at a time: each takes a database connection."""
_RETRY_SECONDS = 1.0

Answer = Callable[[bytes], Awaitable[Reply]]


@dataclass(slots=True)
class RpcServer:
    """The answering side of one service, as the broker user ``user``. Only ``askers`` are answered.

    It has a connection of its own: whatever happens to it, facts are consumed and published meanwhile.
    """

    service: str
    broker_url: str
    user: str
    askers: Collection[str]
    answer: Answer
    _waiting: "asyncio.Queue[AbstractIncomingMessage]" = field(default_factory=asyncio.Queue)
    _settling: "set[asyncio.Task[None]]" = field(default_factory=set["asyncio.Task[None]"])
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the background: the broker may come later. Harmless a second time."""
        if self._task is None:
            for outcome in ("done", "refused", "away", "failed", "dropped"):
                metrics.QUERIES.labels(self.service, outcome)
            self._task = asyncio.create_task(self._run(), name="queries")

    async def stop(self) -> None:
        """Take no more in, answer what is in hand, and hang up. What nobody acknowledged goes to another replica."""
        self._ended.set()
        if self._task is not None:
            if self._settling:
                await asyncio.wait(self._settling, timeout=TTL_SECONDS)
            self._task.cancel()
            await asyncio.wait([self._task], timeout=TTL_SECONDS)

    async def _run(self) -> None:
        # A cancellation that a library swallows while it connects must not leave this running for ever.
        while not self._ended.is_set():
            try:
                await self._serve()
            except (Exception, asyncio.CancelledError) as error:
                # A heartbeat that dies inside a confirm surfaces as CancelledError.
                reraise_if_cancelled()
                log.warning("queries.interrupted", error=type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _serve(self) -> None:
        """Answer until the connection ends."""
        self._waiting = asyncio.Queue()
        closed = asyncio.Event()
        async with await aio_pika.connect(self.broker_url, timeout=TTL_SECONDS) as connection:
            connection.close_callbacks.add(lambda *_: closed.set())
            # Without confirms: an answer that does not arrive is no loss but a timeout.
            channel = await connection.channel(publisher_confirms=False)
            channel.close_callbacks.add(lambda *_: closed.set())
            await channel.set_qos(prefetch_count=WORKERS)
            queue = await channel.get_queue(queries_queue(self.service), ensure=False)
            await queue.consume(self._waiting.put)
            if self._ended.is_set():
                return
            log.info("queries.serving", queue=queue.name)
            work = [self._work(channel.default_exchange) for _ in range(WORKERS)]
            tasks = [asyncio.create_task(each) for each in (closed.wait(), *work)]
            try:
                # A worker ends with its connection alone: then begin anew, rather than answer with one less.
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, exchange: AbstractExchange) -> None:
        while True:
            question = await self._waiting.get()
            if self._ended.is_set():
                continue
            await question.ack()
            settling = asyncio.create_task(self._settle(question, exchange))
            self._settling.add(settling)
            settling.add_done_callback(self._settling.discard)
            await settling

    async def _settle(self, question: AbstractIncomingMessage, exchange: AbstractExchange) -> None:
        fault = self._unanswerable(question)
        if fault:
            # By the fault alone: what a stranger wrote belongs into no log.
            log.warning("query.dropped", reason=fault)
            metrics.QUERIES.labels(self.service, "dropped").inc()
            return
        reply = await self._reply(question.body)
        metrics.QUERIES.labels(self.service, reply.kind).inc()
        message = Message(
            reply.body,
            type=reply.kind,
            content_type="application/json",
            correlation_id=question.correlation_id,
            user_id=self.user,
        )
        with contextlib.suppress(aio_pika.exceptions.AMQPError):
            await exchange.publish(message, str(question.reply_to), mandatory=False)

    async def _reply(self, body: bytes) -> Reply:
        try:
            async with asyncio.timeout(TTL_SECONDS):
                return await self.answer(body)
        except TimeoutError:
            return Reply("away")
        except Exception as error:
            log.error("query.failed", error=type(error).__name__)
            return Reply("failed")

    def _unanswerable(self, question: AbstractIncomingMessage) -> str:
        """Why nobody is answered, in a word, or nothing."""
        if question.user_id not in self.askers:
            return "stranger"
        # By the default exchange a reply reaches any queue: we must not be made to write into somebody else's.
        if not (question.reply_to or "").startswith(f"{REPLY_TO}.") or not question.correlation_id:
            return "nowhere-to-reply"
        return "too-large" if len(question.body) > LONGEST_QUESTION else ""
