"""Callers of a server by raw sockets, and the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.process.http_server import HttpLimits, build_server, serve

QUICK = HttpLimits(request_seconds=0.5, answer_seconds=1, idle_seconds=1, closing_seconds=0.5, connections=8)
GET = b"GET /short HTTP/1.1\r\nhost: a\r\n\r\n"
PIECE = b"x" * 65_536
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _short(_: Request) -> Response:
    return PlainTextResponse("answered")


async def _caller(request: Request) -> Response:
    return PlainTextResponse(request.client.host if request.client else "")


async def _read(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


class Server:
    """``await server.connect()``, and what its slow answers are at."""

    def __init__(self) -> None:
        self.port = 0
        self.sent = 0
        self.ended = asyncio.Event()
        self.opened: list[asyncio.StreamWriter] = []

    async def connect(self, *, small: bool = False) -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**16)
        self.opened.append(writer)
        return reader, writer

    async def ask(self, sent: bytes) -> bytes:
        """Everything that is answered until the server closes."""
        reader, writer = await self.connect()
        writer.write(sent)
        return await all_of(reader)

    async def long(self, _: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield PIECE
                    self.sent += 1
                    await asyncio.sleep(0)
            finally:
                self.ended.set()

        return StreamingResponse(pieces())


async def all_of(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        try:
            return await reader.read(-1)
        except ConnectionError:
            return b""


@asynccontextmanager
async def serving(limits: HttpLimits, certificate: Any = None, **more: Any) -> AsyncIterator[Server]:
    own = Server()
    routes = [
        Route("/short", _short),
        Route("/caller", _caller),
        Route("/read", _read, methods=["POST"]),
        Route("/long", own.long),
    ]
    server = build_server(
        Starlette(routes=routes), "127.0.0.1", 0, limits=limits, stop_seconds=1, certificate=certificate, **more
    )
    running = asyncio.create_task(serve(server))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    own.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield own
    finally:
        for writer in own.opened:
            writer.transport.abort()
        server.should_exit = True
        await running


def refused(why: str) -> float:
    return REGISTRY.get_sample_value("traboule_http_refused_total", {"why": why}) or 0


async def flood(server: Server, beginning: bytes, most: int) -> tuple[int, bytes]:
    """Send without end; how much was taken, and what was answered."""
    reader, writer = await server.connect()
    writer.write(beginning)
    taken = 0
    async with asyncio.timeout(10):
        try:
            while taken < most and not reader.at_eof() and not writer.is_closing():
                writer.write(PIECE)
                taken += len(PIECE)
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            pass
    # What was sent after the answer may reset the connection under it.
    return taken, bytes(reader._buffer)  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType,reportUnknownArgumentType]
