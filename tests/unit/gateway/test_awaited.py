"""Whoever waits for an answer reads it when woken, and looks now and then where nobody wakes."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from services.gateway import commands
from services.gateway.requests_queries import Request

ID = "019a0000-0000-7000-8000-000000000001"


@dataclass
class Kept:
    """A request as the database has it: answered once ``outcome`` is set. ``looks`` counts who asked."""

    outcome: str | None = None
    looks: int = 0
    looked: asyncio.Event = field(default_factory=asyncio.Event)

    async def request_now(self, _: Any, request_id: str) -> Request:
        self.looks += 1
        self.looked.set()
        at = datetime(2026, 11, 30, tzinfo=UTC)
        return Request(request_id, None, "events", "register", "x", "k", None, at, self.outcome, None, None)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept()
    monkeypatch.setattr(commands, "request_now", kept.request_now)
    return kept


class Awaited:
    """One event for whoever waits."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    @contextmanager
    def expecting(self, _: str) -> Generator[asyncio.Event]:
        yield self.event


@dataclass
class Context:
    """What is asked of the gateway's context here."""

    answer_seconds: float
    awaited: Awaited = field(default_factory=Awaited)
    pool: None = None


def waiting(
    monkeypatch: pytest.MonkeyPatch, first_look: float, seconds: float = 30.0
) -> "tuple[asyncio.Task[Request], asyncio.Event]":
    monkeypatch.setattr(commands, "_FIRST_LOOK_SECONDS", first_look)
    context, deadline = Context(seconds), commands.monotonic() + seconds
    answered: Any = commands._answered  # pyright: ignore[reportPrivateUsage]
    return asyncio.ensure_future(answered(context, ID, deadline)), context.awaited.event


async def test_an_answer_is_read_as_soon_as_somebody_is_woken(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    task, arrived = waiting(monkeypatch, first_look=20)
    await asyncio.sleep(0)
    kept.outcome = "done"
    arrived.set()
    assert (await asyncio.wait_for(task, 1)).outcome == "done"
    assert kept.looks == 1


async def test_who_is_woken_for_nothing_waits_on(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    task, arrived = waiting(monkeypatch, first_look=20)
    arrived.set()
    await kept.looked.wait()
    await asyncio.sleep(0.05)
    assert (kept.looks, task.done()) == (1, False)
    task.cancel()


async def test_an_answer_that_wakes_nobody_is_read_by_the_next_look(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, _ = waiting(monkeypatch, first_look=0.01)
    await kept.looked.wait()
    kept.outcome = "refused"
    assert (await asyncio.wait_for(task, 1)).outcome == "refused"


async def test_without_time_to_wait_it_is_looked_at_once(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    task, _ = waiting(monkeypatch, first_look=20, seconds=0)
    assert (await task).outcome is None
    assert kept.looks == 1
