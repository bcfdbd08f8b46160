"""One service as a process whose memory is watched: above its limit it is killed, as a container engine would."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from deploy.local.runs import CHECKOUT, Run, free_ports

LIMIT = 512 * 1024 * 1024
EVERY, ASKED_EVERY = 0.02, 0.2
"""Seconds between two looks at its memory, and between two questions whether it lives."""
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Watched(threading.Thread):
    """``most`` is the most memory seen, in bytes; ``slowest`` the longest that it took to say that it lives, in s."""

    def __init__(self, pid: int, port: int, limit: int) -> None:
        super().__init__(name="watch", daemon=True)
        self.process, self.port, self.limit = psutil.Process(pid), port, limit
        self.most = 0
        self.slowest = 0.0
        self._ended = threading.Event()

    def run(self) -> None:
        """Look at its memory until it is over; another thread asks whether it lives."""
        threading.Thread(target=self._ask, daemon=True).start()
        while not self._ended.wait(EVERY):
            with suppress(psutil.NoSuchProcess):
                self.most = max(self.most, self.process.memory_info().rss)
                if self.most > self.limit:
                    self.process.kill()
                    return

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self.join()

    @property
    def alive(self) -> bool:
        """Whether it is still the process that was started."""
        return self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE

    def ready(self) -> bool:
        """Whether each of its parts works."""
        with suppress(OSError):
            return all(json.loads(self._get("/health/ready"))["checks"].values())
        return False

    def _ask(self) -> None:
        while not self._ended.wait(ASKED_EVERY):
            started = time.monotonic()
            with suppress(OSError):
                self._get("/health/live")
                self.slowest = max(self.slowest, time.monotonic() - started)

    def _get(self, path: str) -> bytes:
        with _OPENER.open(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return answer.read()


@contextmanager
def watched(env: Mapping[str, str], service: str, log: Path, limit: int = LIMIT) -> Generator[Watched]:
    """The service, started and ready. Raises AssertionError with the end of its log if that takes a minute."""
    [port] = free_ports(1)
    own = {name: value for name, value in os.environ.items() if not name.startswith("TRABOULE_")} | dict(env)
    own[f"TRABOULE_{service.upper()}_HTTP_PORT"] = str(port)
    command = [sys.executable, "-m", "services.cli", "serve", service]
    with Run() as run:
        pid = run.spawn(service, command, env=own, cwd=CHECKOUT, user=None, log=log)
        watch = Watched(pid, port, limit)
        watch.start()
        try:
            for _ in range(600):
                if watch.ready():
                    break
                time.sleep(0.1)
            else:
                raise AssertionError(log.read_text()[-2_000:])
            yield watch
        finally:
            watch.end()
            print(f"\n{service}: at most {watch.most / 1e6:.0f} MB, alive within {watch.slowest:.2f} s")
