"""Who waits for an answer is woken when it is kept, whichever process of membership keeps it (LISTEN and NOTIFY).

While the connection for that is away nobody is woken: so whoever waits looks now and then as well.
"""

import asyncio
import contextlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import asyncpg
import structlog

from shared.runtime.cancellation import reraise_if_cancelled

log = structlog.get_logger()

CHANNEL: Final = "answers"
"""Of notifications; each carries the id of one request."""
WAKE: Final = f"select pg_notify('{CHANNEL}', id) from unnest($1::text[]) as n (id)"
"""SQL that wakes at the commit whoever waits for these."""
_AGAIN_SECONDS: Final = 1.0


class AwaitedAnswers:
    """Requests that somebody waits for in this process, by id. It listens from the first on."""

    def __init__(self, database_url: str, application: str) -> None:
        self._database_url, self._application = database_url, application
        self._events: dict[str, asyncio.Event] = {}
        self._listening: asyncio.Task[None] | None = None

    @contextmanager
    def expecting(self, request_id: str) -> Generator[asyncio.Event]:
        """An event that is set when the answer is committed."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="answers")
        event = self._events.setdefault(request_id, asyncio.Event())
        try:
            yield event
        finally:
            self._events.pop(request_id, None)

    async def close(self) -> None:
        """Listen no longer."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (Exception, asyncio.CancelledError) as error:
                reraise_if_cancelled()
                log.warning("answers.interrupted", error=type(error).__name__)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _listen_once(self) -> None:
        """Until the connection ends."""
        ended = asyncio.Event()
        connection = await asyncpg.connect(
            self._database_url, timeout=5, server_settings={"application_name": self._application}
        )
        try:
            connection.add_termination_listener(lambda _: ended.set())
            await connection.add_listener(CHANNEL, self._wake)
            await ended.wait()
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(connection.close(), 5)

    def _wake(self, *notification: Any) -> None:
        if (event := self._events.get(notification[-1])) is not None:
            event.set()
