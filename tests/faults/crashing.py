"""A service as it runs in production, except that it kills itself (SIGKILL) at one exact step.

    python -m tests.faults.crashing billing before-commit 3      dies at its third commit of messages
    python -m tests.faults.crashing billing failing-handler 2    its handlers raise on "marked" events, twice each

The steps are made by wrapping the libraries from outside: production code knows nothing of this.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import aio_pika
import aiormq
from sqlalchemy.engine.default import DefaultDialect

from services.cli.registry import definition_of
from tests.support.statements import notice_statements

RETRY_SECONDS = (1, 2, 3)
"""For handlers that fail: the whole chain of retries in seconds instead of minutes."""
MARK = "marked"


class Countdown:
    """Dies at the n-th call."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self) -> None:
        if self.due():
            die()

    def due(self) -> bool:
        """Whether this call is the n-th."""
        self.left -= 1
        return self.left == 0


def die() -> None:
    """As a power cut would: nothing is flushed, nobody is told."""
    os.kill(os.getpid(), signal.SIGKILL)


TAKES_IN = ("insert into inbox", "insert into dead_letters")
DECIDES = ("insert into decisions",)


def at_commit(countdown: Countdown, *, after: bool, of: tuple[str, ...] = TAKES_IN) -> None:
    """Around the commit of a transaction that took messages in, or a decision (housekeeping does not count)."""
    taking = set[int]()

    def notice(driver: Any, statement: str) -> None:
        if any(text in statement for text in of):
            taking.add(id(driver))

    notice_statements(notice)
    commit = DefaultDialect.do_commit

    def crash(self: DefaultDialect, connection: Any) -> None:
        raw = id(connection.driver_connection)
        counts = raw in taking
        taking.discard(raw)
        dies = counts and countdown.due()
        if dies and not after:
            die()
        commit(self, connection)
        if dies:
            die()

    DefaultDialect.do_commit = crash  # type: ignore[method-assign]


def before_publish(countdown: Countdown) -> None:
    """When a message of the outbox is about to go to the broker."""
    publish = aio_pika.Exchange.publish

    async def crash(self: Any, *args: Any, **options: Any) -> Any:
        countdown()
        return await publish(self, *args, **options)

    aio_pika.Exchange.publish = crash  # type: ignore[method-assign]


def after_publish(countdown: Countdown) -> None:
    """When a message has left for the broker, before anything can have come back."""
    publish = aiormq.Channel.basic_publish

    async def crash(self: Any, *args: Any, **options: Any) -> Any:
        if countdown.due():
            sending = asyncio.ensure_future(publish(self, *args, **options))
            # The bytes are with the kernel once the writer has had its turn; the broker needs longer to fsync.
            for _ in range(3):
                await asyncio.sleep(0)
            await asyncio.sleep(0.0005)
            die()
            return await sending
        return await publish(self, *args, **options)

    aiormq.Channel.basic_publish = crash  # type: ignore[method-assign]


def before_confirm(countdown: Countdown) -> None:
    """When the broker's confirm has arrived, before the relay hears of it."""
    confirm = aiormq.Channel._confirm_delivery

    def crash(self: Any, *args: Any, **options: Any) -> Any:
        countdown()
        return confirm(self, *args, **options)

    aiormq.Channel._confirm_delivery = crash  # type: ignore[method-assign]


def after_confirm(countdown: Countdown) -> None:
    """When the relay has its confirm, before the row leaves the outbox."""
    publish = aio_pika.Exchange.publish

    async def crash(self: Any, *args: Any, **options: Any) -> Any:
        result = await publish(self, *args, **options)
        countdown()
        return result

    aio_pika.Exchange.publish = crash  # type: ignore[method-assign]


def at_ack(countdown: Countdown, *, after: bool) -> None:
    """Around the acknowledgement of what was committed."""
    ack = aio_pika.IncomingMessage.ack

    async def crash(self: Any, *args: Any, **options: Any) -> None:
        dies = countdown.due()
        if dies and not after:
            die()
        await ack(self, *args, **options)
        if dies:
            await asyncio.sleep(0.02)  # let the bytes reach the broker
            die()

    aio_pika.IncomingMessage.ack = crash  # type: ignore[method-assign]


STEPS: dict[str, Callable[[Countdown], None]] = {
    "before-commit": lambda countdown: at_commit(countdown, after=False),
    "after-commit": lambda countdown: at_commit(countdown, after=True),
    "before-decision": lambda countdown: at_commit(countdown, after=False, of=DECIDES),
    "after-decision": lambda countdown: at_commit(countdown, after=True, of=DECIDES),
    "before-publish": before_publish,
    "after-publish": after_publish,
    "before-confirm": before_confirm,
    "after-confirm": after_confirm,
    "before-ack": lambda countdown: at_ack(countdown, after=False),
    "after-ack": lambda countdown: at_ack(countdown, after=True),
}


# --- handlers that fail, without dying -----------------------------------------------------------------------------


def failing_handlers(service: str, times: int) -> None:
    """Every handler raises on a batch that holds a marked event, until it has failed ``times`` on that event alone."""
    failed = Counter[str]()

    def failing(handle: Callable[..., Any]) -> Callable[..., Any]:
        async def fail(uow: Any, messages: Any) -> None:
            marked = [message.id for message in messages if MARK in message.encode().decode()]
            if marked and any(failed[item] < times for item in marked):
                if len(messages) == 1:
                    failed[marked[0]] += 1
                raise RuntimeError("a bug")
            await handle(uow, messages)

        return fail

    for route in definition_of(service).routes:
        object.__setattr__(route, "handler", failing(route.handler))


def slow_handlers(service: str, milliseconds: int) -> None:
    """Every handler takes its time, inside its transaction."""

    def slow(handle: Callable[..., Any]) -> Callable[..., Any]:
        async def dawdle(uow: Any, messages: Any) -> None:
            await handle(uow, messages)
            await asyncio.sleep(milliseconds / 1000)

        return dawdle

    for route in definition_of(service).routes:
        object.__setattr__(route, "handler", slow(route.handler))


def shorten_retries() -> None:
    """Before anything reads them."""
    from shared.messaging import failures

    failures.RETRY_DELAYS = RETRY_SECONDS  # type: ignore[assignment]


def main() -> None:
    service, step, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    shorten_retries()
    if step == "failing-handler":
        failing_handlers(service, number)
    elif step == "slow-handler":
        slow_handlers(service, number)
    elif step != "nothing":
        STEPS[step](Countdown(number))
    sys.argv[1:] = ["serve", service]
    from services.cli.main import main as serve

    serve()


if __name__ == "__main__":
    main()
