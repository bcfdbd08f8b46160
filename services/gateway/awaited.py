"""Who waits in this process for an answer is woken when a consumer of the same process keeps it.

Another replica may keep it: so whoever waits looks now and then as well.
"""

import asyncio
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Final


class AwaitedAnswers:
    """Requests that somebody waits for, by id."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}

    @contextmanager
    def expecting(self, request_id: str) -> Generator[asyncio.Event]:
        """An event that is set when the answer is about to be committed."""
        event = self._events.setdefault(request_id, asyncio.Event())
        try:
            yield event
        finally:
            self._events.pop(request_id, None)

    def arrived(self, request_ids: Iterable[str]) -> None:
        """Wake whoever waits for these."""
        for request_id in request_ids:
            if (event := self._events.get(request_id)) is not None:
                event.set()


AWAITED: Final = AwaitedAnswers()
"""Consumers and gateway share a process, and an event loop."""
