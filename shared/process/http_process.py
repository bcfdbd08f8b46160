"""A process that answers HTTP alone: what it writes to the outbox is published by the others of its service."""

from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.process.http_side import HTTP_CLOSING_SECONDS, REQUESTS_SECONDS, HttpSide, stop_signal
from shared.runtime.waiting import wait_at_most

log = structlog.get_logger()

RENEW_SECONDS = 5.0


@dataclass(slots=True)
class HttpProcess:
    """``engine`` is that of its readiness."""

    name: str
    engine: AsyncEngine
    side: HttpSide

    @property
    def stop_seconds(self) -> float:
        """The most that an orderly end takes: whoever ends the process by force should wait longer."""
        return REQUESTS_SECONDS + HTTP_CLOSING_SECONDS

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT, then answer what is in hand. The database may come later than we do."""
        stopping = stop_signal()
        self.side.start()
        try:
            log.info("service.started", http_port=self.side.apps[0][1])
            while not stopping.is_set():
                self.side.renew()
                await wait_at_most(RENEW_SECONDS, stopping)
        finally:
            log.info("service.stopping")
            self.side.end()
            await self.side.ended()
            await self.engine.dispose()
            log.info("service.stopped")
