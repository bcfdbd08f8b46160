"""An ASGI app behind a real HTTP server in this process, for clients that need an address."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import uvicorn

from tests.support.waiting import eventually


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncGenerator[str]:
    """Its address on this machine, as a browser calls it; the app's lifespan is somebody else's."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="error", server_header=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await eventually(lambda: _started(server))
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        await task


async def _started(server: uvicorn.Server) -> bool:
    return server.started
