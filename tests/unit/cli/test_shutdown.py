"""Commands that are ended by a signal take away what they began."""

import asyncio
import os
import signal
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

import pytest

from shared.cli.shutdown import in_order

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Work:
    """Sends itself a signal, and notes how it ended."""

    def __init__(self, number: int) -> None:
        self.number, self.ended = number, ""

    async def run(self) -> str:
        try:
            os.kill(os.getpid(), self.number)
            await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            self.ended = "in order"
            raise
        return "done"


@pytest.fixture(autouse=True)
def as_in_a_terminal() -> Generator[None]:
    """Whoever runs the tests may hide signals from them, as ``nohup`` does."""
    with handled(signal.SIG_DFL, *SIGNALS):
        yield


def ignored(*numbers: signal.Signals) -> AbstractContextManager[None]:
    """Nobody hears these."""
    return handled(signal.SIG_IGN, *numbers)


@contextmanager
def handled(how: signal.Handlers, *numbers: signal.Signals) -> Generator[None]:
    before = [signal.signal(number, how) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_in_order_even_where_a_shell_hides_ctrl_c(number: signal.Signals) -> None:
    work = Work(number)
    # What a script starts in the background does not hear Ctrl-C.
    with ignored(signal.SIGINT), pytest.raises(SystemExit) as ended:
        asyncio.run(in_order(work.run()))
    assert (work.ended, ended.value.code) == ("in order", 128 + number)
    assert signal.getsignal(number) is signal.SIG_DFL


def test_what_runs_under_nohup_outlives_its_terminal() -> None:
    with ignored(signal.SIGHUP):
        assert asyncio.run(in_order(Work(signal.SIGHUP).run())) == "done"


def test_what_is_cancelled_from_inside_is_not_ended_by_a_signal() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(in_order(cancelled()))


def test_a_signal_that_comes_afterwards_is_not_taken() -> None:
    async def afterwards() -> object:
        await in_order(asyncio.sleep(0))
        return signal.getsignal(signal.SIGTERM)

    assert asyncio.run(afterwards()) is signal.SIG_DFL
