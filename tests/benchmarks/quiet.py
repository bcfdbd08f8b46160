"""How much of the machine others used while something was measured: without knowing it no rate means anything."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import psutil

MOST: Final = 0.15
"""Of the machine. Beyond that a ratio of two rates is not printed."""


@dataclass
class Machine:
    """What was used between two moments. CPU moves less than wall time on a busy machine."""

    seconds: float = 0.0
    ours: float = 0.0
    """CPU seconds of this process, and of all that it started."""
    others: float = 0.0
    """Of the whole machine, 0 to 1."""

    @property
    def is_quiet(self) -> bool:
        """Whether wall time may be compared."""
        return self.others <= MOST


@contextmanager
def machine() -> Generator[Machine]:
    """``with machine() as used: ...``; the figures are there once it ends."""
    used = Machine()
    began, busy, ours = time.perf_counter(), _busy(), _ours()
    try:
        yield used
    finally:
        used.seconds, used.ours = time.perf_counter() - began, _ours() - ours
        others = _busy() - busy - used.ours
        used.others = min(1.0, max(0.0, others / (used.seconds * (os.cpu_count() or 1))))


def _busy() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)


def _ours() -> float:
    """Children that ended count with their parents."""
    me = psutil.Process()
    total = 0.0
    for process in (me, *me.children(recursive=True)):
        with suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total
