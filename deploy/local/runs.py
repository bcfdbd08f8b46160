"""One folder and one guard for each run, and ports that no other run has."""

from __future__ import annotations

import fcntl
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.errors import NodeError
from deploy.local import guard as guard_module
from deploy.local.guard import remove_run

CHECKOUT = Path(__file__).resolve().parents[2]
LOCAL = CHECKOUT / ".local"
GUARD_END_SECONDS = 20.0
# Below Linux's ephemeral range (32768 and up): there, another program's outgoing connection may take the port of a
# server that is down for a moment, and a client that retries on it may even connect to itself.
PORTS = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens now; whoever binds one must still be ready to lose the race."""
    numbers: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        numbers.append(port)
        if len(numbers) == count:
            return numbers
    raise NodeError(f"no {count} free ports between {PORTS.start} and {PORTS.stop} on 127.0.0.1")


def remove_stale_runs(local: Path = LOCAL) -> None:
    """Remove what a run left whose guard was killed: every live guard holds the lock in its folder."""
    for folder in local.glob("run-*"):
        try:
            lock = os.open(folder / "lock", os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            remove_run(folder)
        finally:
            os.close(lock)


def _new_folder(local: Path) -> tuple[Path, int]:
    local.mkdir(exist_ok=True)
    name = f"{os.getpid()}-{secrets.token_hex(3)}"
    # Locked under another name first, or a second run's sweep could find it in the moment before it is locked.
    unready = local / f"new-{name}"
    unready.mkdir()
    unready.chmod(0o711)  # PostgreSQL's user, when we are root, has to pass through
    lock = os.open(unready / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return unready.rename(local / f"run-{name}"), lock


class Run:
    """A run's folder and the guard that owns its servers; leaving the context ends both."""

    def __init__(self, local: Path = LOCAL) -> None:
        """Make the folder and start the guard in it."""
        remove_stale_runs(local)
        self.folder, lock = _new_folder(local)
        self._turn = threading.Lock()
        try:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", guard_module.__file__, str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                pass_fds=[lock],
            )
        finally:
            os.close(lock)  # the guard holds it from now on

    def __enter__(self) -> Self:
        """Return the run itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the servers and remove the folder."""
        self.close()

    def close(self) -> None:
        """End the servers, remove the folder and wait for it; harmless a second time."""
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        self._guard.stdin.close()
        try:
            self._guard.wait(GUARD_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
            remove_run(self.folder)
        with self._turn:
            self._guard.stdout.close()

    def spawn(self, name: str, argv: list[str], *, env: dict[str, str], cwd: Path, user: str | None, log: Path) -> int:
        """Start a process under the guard and return its pid."""
        return self._order("spawn", name=name, argv=argv, env=env, cwd=str(cwd), user=user, log=str(log))["pid"]

    def returncode(self, name: str) -> int | None:
        """Exit code of a process started here, `None` while it lives."""
        return self._order("status", name=name)["returncode"]

    def stop(self, name: str, number: signal.Signals, seconds: float = 30.0) -> None:
        """Signal a process started here and wait until it and its descendants are gone."""
        self._order("stop", name=name, number=int(number), seconds=seconds)

    def _order(self, order: str, **details: Any) -> dict[str, Any]:
        stdin, stdout = self._guard.stdin, self._guard.stdout
        assert stdin is not None
        assert stdout is not None
        with self._turn:
            try:
                stdin.write(json.dumps({"order": order, **details}).encode() + b"\n")
                stdin.flush()
                line = stdout.readline()
            except (OSError, ValueError) as error:
                raise NodeError("this run has ended: its guard takes no more orders") from error
        answer = json.loads(line) if line else {"error": "this run has ended: its guard is gone"}
        if "error" in answer:
            raise NodeError(f"{order} {details.get('name')}: {answer['error']}")
        return answer
