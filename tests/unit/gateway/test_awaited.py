"""Whoever waits for an answer is woken when this process keeps it, and looks now and then where another one does."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from services.gateway import commands
from services.gateway.awaited import AWAITED
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


@dataclass
class Context:
    """What is asked of the gateway's context here."""

    answer_seconds: float
    pool: None = None


def waiting(monkeypatch: pytest.MonkeyPatch, first_look: float, seconds: float = 30.0) -> "asyncio.Task[Request]":
    monkeypatch.setattr(commands, "_FIRST_LOOK_SECONDS", first_look)
    deadline = commands.monotonic() + seconds
    answered: Any = commands._answered  # pyright: ignore[reportPrivateUsage]
    return asyncio.ensure_future(answered(Context(seconds), ID, deadline))


async def test_an_answer_that_this_process_keeps_is_read_at_once(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    task = waiting(monkeypatch, first_look=20)
    await asyncio.sleep(0)
    AWAITED.arrived([ID])
    # Woken just before the commit, it looks again soon.
    await kept.looked.wait()
    kept.outcome = "done"
    assert (await asyncio.wait_for(task, 1)).outcome == "done"
    assert kept.looks >= 2


async def test_an_answer_that_another_process_keeps_is_read_by_the_next_look(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = waiting(monkeypatch, first_look=0.01)
    await kept.looked.wait()
    kept.outcome = "refused"
    assert (await asyncio.wait_for(task, 1)).outcome == "refused"


async def test_without_time_to_wait_it_is_looked_at_once_and_nobody_stays_registered(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await waiting(monkeypatch, first_look=20, seconds=0)).outcome is None
    assert kept.looks == 1
    AWAITED.arrived([ID])
    assert AWAITED._events == {}  # pyright: ignore[reportPrivateUsage]
