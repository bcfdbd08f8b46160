"""What a service does beside its subscriptions, while the connections under it die."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from shared.messaging import inbox
from shared.messaging.bus import Bus
from shared.messaging.relay import Relay
from shared.process import service as module
from shared.process.service import PeriodicTask, Service

SECRET = "Ateliers Martin"


class QuietBus:
    """Brings no messages."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class QuietRelay:
    """Publishes nothing."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...


class Dying:
    """An engine whose connections die in one way after another, and then live."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[None]:
        if self.errors:
            raise self.errors.pop(0)
        yield

    async def dispose(self) -> None: ...


@pytest.mark.parametrize("error", [asyncio.CancelledError(), OSError(SECRET), ValueError(SECRET)])
async def test_housekeeping_outlives_whatever_ends_one_round_of_it_and_tells(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = asyncio.Semaphore(0)

    async def measured(*_: Any) -> None:
        rounds.release()

    async def forgotten(*_: Any) -> None: ...

    monkeypatch.setattr(module, "HOUSEKEEPING_SECONDS", 0.01)
    monkeypatch.setattr(inbox, "forget", forgotten)
    engine = cast(AsyncEngine, Dying(error))
    bus, relay = cast(Bus, QuietBus()), cast(Relay, QuietRelay())
    service = Service("billing", engine, bus, relay, Starlette(), "127.0.0.1", 0, 7, measures=(measured,))
    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(service.run())
        async with asyncio.timeout(10):
            await rounds.acquire()
            await rounds.acquire()
        os.kill(os.getpid(), signal.SIGTERM)
        await running
    (failed,) = [log for log in logs if log["event"] == "beside.failed"]
    assert (failed["work"], failed["error"]) == ("housekeeping", type(error).__name__)
    assert SECRET not in str(logs)


async def test_a_periodic_task_ends_though_a_library_swallows_its_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = 0

    async def swallowing(_: object) -> None:
        nonlocal rounds
        rounds += 1
        with contextlib.suppress(asyncio.CancelledError) if rounds == 1 else contextlib.nullcontext():
            await asyncio.sleep(60)

    service = object.__new__(Service)
    service.engine = cast("Any", None)
    repeated = asyncio.create_task(service._repeat(PeriodicTask("swallowing", 0, swallowing)))
    await asyncio.sleep(0.01)
    repeated.cancel()
    await asyncio.wait([repeated], timeout=1)
    assert (repeated.done(), rounds) == (True, 1)


async def test_tasks_begin_apart_and_rare_ones_once_the_process_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = 0, 0
    begun: list[str] = []

    def task(name: str, every: float) -> PeriodicTask:
        async def work(_: object) -> None:
            nonlocal at_once, most
            begun.append(name)
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.02)
            at_once -= 1

        return PeriodicTask(name, every, work)

    monkeypatch.setattr(module, "APART_SECONDS", 0.05)
    monkeypatch.setattr(module, "LATER_SECONDS", 0.5)
    bus, relay = cast(Bus, QuietBus()), cast(Relay, QuietRelay())
    service = Service("billing", cast(AsyncEngine, Dying()), bus, relay, Starlette(), "127.0.0.1", 0, 7)
    service.periodic_tasks = [task("hourly", 3600), *(task(f"often {number}", 60) for number in range(4))]
    await service.start()
    await asyncio.sleep(0.4)
    assert (begun, most) == ([f"often {number}" for number in range(4)], 1)
    await asyncio.sleep(0.3)
    assert begun[4:] == ["hourly"]
    await service.stop()


async def test_what_lets_messages_go_first_waits_while_they_come_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    begun: list[str] = []

    class Busy(QuietBus):
        is_busy = True

    def task(name: str, yields_for: float) -> PeriodicTask:
        async def work(_: object) -> None:
            begun.append(name)

        return PeriodicTask(name, 60, work, yields_for=yields_for)

    bus, relay = Busy(), cast(Relay, QuietRelay())
    service = Service("billing", cast(AsyncEngine, Dying()), cast(Bus, bus), relay, Starlette(), "127.0.0.1", 0, 7)
    service.periodic_tasks = [task("patient", 60), task("less patient", 0.3), task("hasty", 0)]
    await service.start()
    await asyncio.sleep(0.15)
    assert begun == ["hasty"]
    await asyncio.sleep(0.35)
    assert begun == ["hasty", "less patient"]
    bus.is_busy = False
    await asyncio.sleep(0.1)
    assert begun == ["hasty", "less patient", "patient"]
    await service.stop()
