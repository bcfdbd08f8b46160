"""Commands that end in order, whoever ends them: a person at the terminal, an init system, a container engine."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def in_order(work: Coroutine[Any, Any, T]) -> T:
    """Do it, and let SIGTERM and SIGHUP end it as Ctrl-C does: what it began is taken away first.

    A signal that somebody has a use for, such as ``nohup`` for SIGHUP, is left to him. Raises SystemExit.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "a coroutine runs in a task"
    numbers: list[int] = []

    def end(number: int) -> None:
        numbers.append(number)
        task.cancel()

    # Only the main thread hears of signals.
    ours = threading.current_thread() is threading.main_thread()
    heard = [item for item in (signal.SIGTERM, signal.SIGHUP) if ours and signal.getsignal(item) is signal.SIG_DFL]
    for signals in heard:
        loop.add_signal_handler(signals, end, signals)
    try:
        return await work
    except asyncio.CancelledError:
        if numbers:
            # As a shell tells of a program that a signal ended.
            raise SystemExit(128 + numbers[0]) from None
        raise
    finally:
        for signals in heard:
            loop.remove_signal_handler(signals)
