"""A TCP proxy that can be cut or turned into a black hole, as a network can."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from deploy.local.runs import free_ports


class Proxy:
    """Forwards 127.0.0.1:``port`` to another port of this machine, in a thread of its own."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_ports(1)[0]
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._lost: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.open()

    def open(self) -> None:
        """Accept connections, and let bytes flow, those held back first."""
        self._do(self._open())

    def cut(self) -> None:
        """Break every connection, and refuse new ones until it is opened again."""
        self._do(self._cut())

    def blackhole(self) -> None:
        """Nothing flows and nobody is told: what is sent waits, new connections are accepted and hang."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def forget(self, *, servers_notice: bool = True) -> None:
        """Connections of now hang for ever at the clients' end; at the servers' they break, if those notice."""
        self._do(self._forget(servers_notice=servers_notice))

    def close(self) -> None:
        """Cut, and end the thread."""
        self.cut()
        self._do(self._drop_lost())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for pair in list(self._pairs):
            for writer in pair:
                writer.transport.abort()
        self._flows.set()
        await asyncio.sleep(0)

    async def _forget(self, *, servers_notice: bool) -> None:
        for client, server in list(self._pairs):
            self._lost.add(client)
            if servers_notice:
                server.transport.abort()
        self._flows.set()

    async def _drop_lost(self) -> None:
        for client in self._lost:
            client.transport.abort()
        await asyncio.sleep(0.05)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        try:
            upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, upstream)
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._pump(reader, upstream, writer), self._pump(upstream_reader, writer, writer))
        finally:
            self._pairs.discard(pair)
            upstream.transport.abort()
            if writer not in self._lost:
                writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                if client in self._lost:
                    continue  # swallowed
                writer.write(data)
                await writer.drain()
        if client not in self._lost and writer.can_write_eof():
            with suppress(OSError):
                writer.write_eof()
