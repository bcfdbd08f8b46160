"""The HTTP server of a process. Its limits hold before anybody's key is looked at.

It is uvicorn with httptools. A subclass of its protocol costs the common request some microseconds; uvicorn's h11 has a
limit for heads too, but reads several times slower, and neither has a deadline for a request that never ends.

A connection that TLS is not agreed on yet is not counted here: the event loop ends it after a minute.
"""

import asyncio
import contextlib
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import httptools
import uvicorn
from prometheus_client import Counter
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.runtime.tls import TlsCertificate

REFUSED = Counter(
    "traboule_http_refused", "Connections that were ended before their request was answered, by what was wrong", ["why"]
)
MOST_CONNECTIONS = 1_000
HSTS_SECONDS = 31_536_000
"""A year: so long a browser that came by HTTPS comes by nothing else."""

_ANSWERS = {
    "unreadable": (400, "This is no HTTP request."),
    "too-slow": (408, "The request did not arrive in time: send it whole, head and body."),
    "url-too-long": (414, "The address is too long: at most {url_bytes} bytes."),
    "head-too-long": (431, "The headers are too long: at most {header_bytes} bytes in all."),
    "too-many-connections": (503, "Too many connections are busy: try again in a moment."),
}
_PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one connection may take. Bytes and seconds; how long a body may be is said by each route."""

    header_bytes: int = 32 * 1024
    url_bytes: int = 8 * 1024
    request_seconds: float = 15
    """From the connection, or from a request's first byte, until its head and its body are here."""
    answer_seconds: float = 300
    """From then on until the last byte of the answer was taken: whoever reads slowly keeps what the answer needs."""
    idle_seconds: int = 5
    closing_seconds: float = 30
    """For taking what was still written to a connection that is closed."""
    connections: int = MOST_CONNECTIONS


def raise_open_files() -> int:
    """Let this process open as many files and sockets as it may (RLIMIT_NOFILE); returns how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # Some systems name a hard limit that they do not grant.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def http_limits() -> HttpLimits:
    """The usual limits, and half of what this process may open: database and broker need the rest."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return HttpLimits(connections=MOST_CONNECTIONS if soft < 0 else min(MOST_CONNECTIONS, soft // 2))


class LimitedServer(uvicorn.Server):
    """Looks once a second for connections that take too long."""

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second; whether to end."""
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, LimitedProtocol):
                    connection.check(now)
        return await super().on_tick(counter)


class LimitedProtocol(HttpToolsProtocol):
    """One connection within :class:`HttpLimits`."""

    def __init__(self, *arguments: Any, limits: HttpLimits, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits = limits
        self._most = limits.header_bytes + limits.url_bytes
        # Of the request that is coming in. ``_later``: its bytes but the body's, after the chunk that it began in.
        self._whole = False
        self._since = self.loop.time()
        self._chunk = self._later = 0
        self._wrong = "unreadable"
        self._closing_since: float | None = None

    # --- what uvicorn and the parser call ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or say that there are too many."""
        super().connection_made(transport)  # pyright: ignore[reportArgumentType]
        self._since = self.loop.time()
        if len(self.connections) > self._limits.connections and not self._make_room():
            self._refuse("too-many-connections")

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head, or what frames a body, grows too long."""
        if self._whole:
            # Even if it is a line break alone: who sends one must not be taken for idle, nor for answered.
            self._begin()
        self._chunk = len(data)
        self._later += self._chunk
        super().data_received(data)
        if not self._whole and self._later > self._most and not self.transport.is_closing():
            self._refuse("url-too-long" if len(getattr(self, "url", b"")) > self._limits.url_bytes else "head-too-long")

    def on_message_begin(self) -> None:
        """By the parser."""
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        """By the parser, which gives up on the connection when this raises."""
        # What came in one small piece cannot be too long.
        if self._later or self._chunk > self._limits.url_bytes:
            if len(self.url) > self._limits.url_bytes:
                self._wrong = "url-too-long"
            elif sum(len(name) + len(value) for name, value in self.headers) > self._limits.header_bytes:
                self._wrong = "head-too-long"
            if self._wrong != "unreadable":
                raise httptools.HttpParserError(self._wrong)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """By the parser."""
        self._later -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """By the parser."""
        self._whole = True
        self._since = self.loop.time()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """By uvicorn, when the parser gave up."""
        self._refuse(self._wrong)

    # --- limits ---

    @property
    def _answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def check(self, now: float) -> None:
        """End the connection if what it is at took too long."""
        waited = now - self._since
        if self.transport.is_closing():
            # Closed already, but not all that was written is taken.
            self._closing_since = self._closing_since or now
            if now - self._closing_since > self._limits.closing_seconds:
                self.transport.abort()
        elif self._answering and (self._whole or self.flow.read_paused):
            if waited > self._limits.answer_seconds:
                self._end("answer-not-taken")
        elif not self._whole and waited > self._limits.request_seconds:
            self._refuse("too-slow")

    def _begin(self) -> None:
        self._whole = False
        self._since = self.loop.time()
        self._later = 0

    def _make_room(self) -> bool:
        """End the connection that has waited longest without a whole request, if there is one: it costs nobody much.

        So whoever holds many open connections only ends his own, and health is still answered.
        """
        waiting = [
            connection
            for connection in self.connections
            if isinstance(connection, LimitedProtocol)
            and connection is not self
            and not connection._answering
            and not connection.transport.is_closing()
        ]
        if not waiting:
            return False
        min(waiting, key=lambda protocol: protocol._since)._end("made-room")
        return True

    def _refuse(self, why: str) -> None:
        """Say what is wrong, where no answer is under way, and close."""
        if self._answering and (self.cycle.response_started or self.pipeline):
            self._end(why)
            return
        REFUSED.labels(why).inc()
        status, words = _ANSWERS[why]
        body = words.format(url_bytes=self._limits.url_bytes, header_bytes=self._limits.header_bytes).encode() + b"\n"
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        head = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, _PHRASES[status].encode(), head, body))
        self.transport.close()

    def _end(self, why: str) -> None:
        REFUSED.labels(why).inc()
        self.transport.abort()


def build_server(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    limits: HttpLimits,
    stop_seconds: int,
    certificate: TlsCertificate | None = None,
    trusted_proxies: Sequence[str] = (),
) -> LimitedServer:
    """The server of one app; nothing listens yet. With a certificate it speaks HTTPS, and says so to browsers.

    Whom a request came from is what these proxies say of it; others are not believed.
    """
    headers = [("x-content-type-options", "nosniff")]
    if certificate is not None:
        headers.append(("strict-transport-security", f"max-age={HSTS_SECONDS}"))
    config = uvicorn.Config(
        app,
        host,
        port,
        http=partial(LimitedProtocol, limits=limits),  # pyright: ignore[reportArgumentType]
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=headers,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        lifespan="on",
        loop="none",
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=stop_seconds,
        ssl_context_factory=None if certificate is None else lambda *_: certificate.context,
    )
    server = LimitedServer(config)
    server.install_signal_handlers = lambda: None  # pyright: ignore[reportAttributeAccessIssue]
    return server


async def serve(server: uvicorn.Server) -> None:
    """Listen until ``server.should_exit``."""
    # uvicorn's own serve() takes over the signals; ours must reach the consumers first.
    with contextlib.suppress(asyncio.CancelledError):
        await server._serve()  # pyright: ignore[reportPrivateUsage]
