"""The process between a run's owner and its servers: it starts them, and ends them however the owner ends.

It runs this file alone (`python -I guard.py`, standard library only) in its own session, so that a Ctrl-C meant for
the owner does not reach the servers. It takes orders, one JSON object a line, on standard input. When that pipe closes
or its parent changes, the owner is gone, be it by `kill -9`: the guard ends every process that it started, removes the
run's folder and exits. Should the guard itself be killed, the kernel kills the servers (parent-death signal) and the
next run removes the folder.

Only processes started here, and their descendants, are ever signalled: always by pid, never by name.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
OWNER_CHECK_SECONDS = 0.5
LAST_STOP_SECONDS = 5.0


def remove_run(folder: Path) -> None:
    """Remove a run's folder, the data folder it may link to, and the shared memory of a PostgreSQL killed with -9."""
    data = folder / "postgres"
    with contextlib.suppress(OSError, IndexError, ValueError):
        # Line 7 of postmaster.pid: key and id of the segment; a postmaster that stopped by itself has removed both.
        segment = int((data / "data" / "postmaster.pid").read_text().splitlines()[6].split()[1])
        subprocess.run(["ipcrm", "-m", str(segment)], check=False, stderr=subprocess.DEVNULL)
    if data.is_symlink():
        shutil.rmtree(data.resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _prctl(option: int, value: int) -> None:
    _LIBC.prctl(option, value, 0, 0, 0)


_LIBC = ctypes.CDLL(None, use_errno=True)


def _descendants(pid: int) -> list[int]:
    try:
        children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (OSError, ValueError):
        return []
    return children + [deeper for child in children for deeper in _descendants(child)]


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class _Guard:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.owner = os.getppid()
        self.pids: dict[str, int] = {}
        self.ended: dict[int, int] = {}

    # Orders -----------------------------------------------------------------------------------------------------------
    def spawn(
        self, name: str, argv: list[str], env: dict[str, str], cwd: str, user: str | None, log: str
    ) -> dict[str, Any]:
        guard = os.getpid()

        def die_with_the_guard() -> None:
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guard:
                os._exit(1)

        with open(log, "ab") as output:
            process = subprocess.Popen(
                argv,
                env=env,
                cwd=cwd,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_the_guard,
            )
        self.pids[name] = process.pid
        # In a long run a number comes round again: how its former bearer ended is not how this one did.
        self.ended.pop(process.pid, None)
        process.returncode = 0  # reaped by `reap` alone: Popen must not wait for it as well
        return {"pid": process.pid}

    def status(self, name: str) -> dict[str, Any]:
        self.reap()
        return {"pid": self.pids[name], "returncode": self.ended.get(self.pids[name])}

    def stop(self, name: str, number: int, seconds: float) -> dict[str, Any]:
        """Send one signal and wait; SIGKILL to whatever is left when the time is over."""
        pid = self.pids[name]
        everyone = [pid, *_descendants(pid)]
        self.reap()
        if pid not in self.ended:
            _signal(pid, number)
        graceful = self._wait([pid] if number != signal.SIGKILL else [], seconds)
        self._kill(everyone)
        return {"graceful": graceful, "returncode": self.ended.get(pid)}

    # End --------------------------------------------------------------------------------------------------------------
    def end(self) -> None:
        """End everything fast: the data goes with the folder. SIGQUIT is PostgreSQL's immediate shutdown."""
        self.reap()
        for name, pid in self.pids.items():
            if pid not in self.ended:
                _signal(pid, signal.SIGQUIT if name == "database" else signal.SIGKILL)
        self._wait(list(self.pids.values()), LAST_STOP_SECONDS)
        # Being their reaper, the guard inherits every orphan of its servers: nothing can slip out by double fork.
        deadline = time.monotonic() + LAST_STOP_SECONDS
        while (left := _descendants(os.getpid())) and time.monotonic() < deadline:
            self._kill(left)
        remove_run(self.folder)

    def owner_is_gone(self) -> bool:
        return os.getppid() != self.owner

    # Processes --------------------------------------------------------------------------------------------------------
    def reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.ended[pid] = os.waitstatus_to_exitcode(status)

    def _kill(self, pids: list[int]) -> None:
        alive = [pid for pid in pids if pid not in self.ended and Path(f"/proc/{pid}").exists()]
        for pid in alive:
            _signal(pid, signal.SIGKILL)
        self._wait(alive, LAST_STOP_SECONDS)

    def _wait(self, pids: list[int], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            self.reap()
            if all(pid in self.ended or not Path(f"/proc/{pid}").exists() for pid in pids):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)


def main() -> None:
    """Serve the owner's orders until it closes the pipe, dies, or this process is told to end."""
    guard = _Guard(Path(sys.argv[1]))
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    ending = False

    def end_soon(_number: int, _frame: object) -> None:
        nonlocal ending
        ending = True

    signal.signal(signal.SIGTERM, end_soon)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    waiting = b""
    while not ending and not guard.owner_is_gone():
        if not select.select([0], [], [], OWNER_CHECK_SECONDS)[0]:
            guard.reap()
            continue
        read = os.read(0, 65536)
        if not read:
            break
        *lines, waiting = (waiting + read).split(b"\n")
        for line in lines:
            order = json.loads(line)
            try:
                answer = {"spawn": guard.spawn, "status": guard.status, "stop": guard.stop}[order.pop("order")](**order)
            except (OSError, subprocess.SubprocessError, KeyError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            try:
                os.write(1, json.dumps(answer).encode() + b"\n")
            except BrokenPipeError:
                ending = True
    guard.end()


if __name__ == "__main__":
    main()
