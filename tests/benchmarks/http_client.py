"""A small HTTP client, cheap enough that it measures the server: keep-alive GETs on bare sockets."""

import asyncio
import re
import time
from collections.abc import Sequence
from typing import cast
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def request(url: str, path: str, key: str = "") -> bytes:
    """The bytes of a GET."""
    bearer = f"Authorization: Bearer {key}\r\n" if key else ""
    return f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n{bearer}\r\n".encode()


class Connection(asyncio.Protocol):
    """One connection, one request at a time: ``await connection.get(request)`` gives status and body."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    @classmethod
    async def open(cls, url: str) -> "Connection":
        """Connect to the server at ``url``."""
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        return (await asyncio.get_running_loop().create_connection(cls, parts.hostname, parts.port))[1]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it, to write on."""
        # uvloop's transports are not asyncio.Transport, though they do the same.
        self._transport = cast("asyncio.Transport", transport)

    def get(self, raw: bytes) -> asyncio.Future[tuple[int, bytes]]:
        """Send a request."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Answer once the whole body is there."""
        self._buffer = self._buffer + data if self._buffer else data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head + 2)
        if len(self._buffer) < head + 4 + (int(length[1]) if length else 0):
            return
        status, body = int(self._buffer[9:12]), self._buffer[head + 4 :]
        self._buffer = b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((status, body))

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("the server closed the connection"))

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


async def reads_per_second(url: str, requests: Sequence[bytes], seconds: float, connections: int = 32) -> float:
    """The rate of answers when so many clients ask as fast as they are answered. Raises on any status but 200."""
    opened = [await Connection.open(url) for _ in range(connections)]
    ends = time.perf_counter() + seconds

    async def ask(number: int, connection: Connection) -> int:
        done = 0
        while time.perf_counter() < ends:
            status, _ = await connection.get(requests[(number * 7919 + done) % len(requests)])
            if status != 200:
                raise RuntimeError(f"the server answered {status}")
            done += 1
        return done

    started = time.perf_counter()
    answered = sum(await asyncio.gather(*(ask(n, connection) for n, connection in enumerate(opened))))
    taken = time.perf_counter() - started
    for item in opened:
        item.close()
    return answered / taken
