"""The answering side of questions, without a broker."""

import asyncio
import contextlib
from time import monotonic

import pytest

from shared.messaging import rpc_server
from shared.messaging.rpc import Reply
from shared.messaging.rpc_server import RpcServer


async def test_it_stops_though_a_library_swallows_its_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that is still connecting may: a service that stops then waited for it without end."""
    served = 0

    async def swallowing(_: RpcServer) -> None:
        nonlocal served
        served += 1
        with contextlib.suppress(asyncio.CancelledError) if served == 1 else contextlib.nullcontext():
            await asyncio.sleep(60)

    async def answer(_: bytes) -> Reply:
        return Reply("done")

    monkeypatch.setattr(RpcServer, "_serve", swallowing)
    monkeypatch.setattr(rpc_server, "_RETRY_SECONDS", 0.01)
    server = RpcServer("billing", "amqp://nobody", "traboule.billing", ("traboule.membership",), answer)
    server.start()
    await asyncio.sleep(0.05)
    began = monotonic()
    await server.stop()

    assert monotonic() - began < 1
    assert server._task is not None
    assert (server._task.done(), served) == (True, 1)
