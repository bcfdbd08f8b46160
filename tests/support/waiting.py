"""Waiting for what happens elsewhere: poll, never sleep and hope."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], timeout: float = 15.0, *, every: float = 0.03) -> T:  # noqa: ASYNC109
    """Ask until the answer is true, and return it. An AssertionError inside ``look`` counts as not yet."""
    deadline = time.monotonic() + timeout
    while True:
        seen: object
        try:
            if answer := await look():
                return answer
            seen = answer
        except AssertionError as not_yet:
            seen = not_yet
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so after {timeout} s; last seen: {seen!r}")
        await asyncio.sleep(every)
