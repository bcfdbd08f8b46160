"""What a process listens on for HTTP: health and metrics, and what the public reaches."""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from starlette.types import ASGIApp

from shared.process.http_server import HttpLimits, LimitedServer, build_server, http_limits, serve
from shared.runtime.tls import TlsCertificate, TlsError

log = structlog.get_logger()

REQUESTS_SECONDS = 10
"""For requests that are in hand at the end: whoever downloads slowly does not keep us from stopping."""
HTTP_CLOSING_SECONDS = 5
"""For what a gateway has open, once the last request is answered."""


@dataclass(slots=True)
class HttpSide:
    """Apps with their ports, on one host and under one certificate. ``limits``: None for the usual ones."""

    apps: Sequence[tuple[ASGIApp, int]]
    host: str
    certificate: TlsCertificate | None = None
    trusted_proxies: Sequence[str] = ()
    limits: HttpLimits | None = None
    _servers: list[LimitedServer] = field(default_factory=list[LimitedServer])
    _tasks: list[asyncio.Task[None]] = field(default_factory=list["asyncio.Task[None]"])

    def start(self) -> None:
        """Listen from now on."""
        self._servers = [
            build_server(
                app,
                self.host,
                port,
                limits=self.limits or http_limits(),
                stop_seconds=REQUESTS_SECONDS,
                certificate=self.certificate,
                trusted_proxies=self.trusted_proxies,
            )
            for app, port in self.apps
        ]
        self._tasks = [asyncio.create_task(serve(server)) for server in self._servers]

    def end(self) -> None:
        """Take no more requests."""
        for server in self._servers:
            server.should_exit = True

    async def ended(self) -> None:
        """Until what was in hand is answered."""
        await asyncio.gather(*self._tasks)

    def renew(self) -> None:
        """Take a certificate that was renewed."""
        if self.certificate is None:
            return
        try:
            if self.certificate.refresh():
                log.info("service.certificate_renewed")
        except TlsError as error:
            log.error("service.certificate_unusable", error=str(error))


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
