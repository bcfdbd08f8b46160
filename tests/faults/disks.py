"""Small disks of one's own, to be filled: a tmpfs each, gone when its owner is."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_NAME = "traboule-disk-"
_LEAST = 4096


class Disk:
    """A mounted disk. What lies in ``folder`` shares its room with the ballast."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    @property
    def free(self) -> int:
        """Bytes."""
        return shutil.disk_usage(self.folder).free

    def _fill(self, leave: int) -> None:
        """Take all room but ``leave`` bytes, to the last page."""
        with self._ballast.open("ab") as ballast:
            size = self.free - leave
            while size >= _LEAST:
                try:
                    os.posix_fallocate(ballast.fileno(), ballast.seek(0, os.SEEK_END), size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2  # somebody else took some of it meanwhile
                else:
                    size = self.free - leave

    @contextmanager
    def full(self, leave: int = 0) -> Generator[None]:
        """Keep it full: what others give back meanwhile is taken too."""
        ended = threading.Event()

        def go_on() -> None:
            while not ended.wait(0.1):
                self._fill(leave)

        self._fill(leave)
        filling = threading.Thread(target=go_on, daemon=True)
        filling.start()
        try:
            yield
        finally:
            ended.set()
            filling.join()
            self._ballast.unlink()


@contextmanager
def small_disk(megabytes: int) -> Generator[Disk]:
    """A disk that is mounted until the context ends, however it ends. Raises PermissionError where none may be."""
    _unmount_what_others_left()
    folder = Path(tempfile.mkdtemp(prefix=_NAME))
    options = f"size={megabytes}m,mode=0711"  # PostgreSQL's user has to pass through
    try:
        mount = ["mount", "-t", "tmpfs", "-o", options, f"{_NAME}{os.getpid()}", str(folder)]
        completed = subprocess.run(mount, check=False, capture_output=True, text=True)
        if completed.returncode != 0:
            raise PermissionError(completed.stderr.strip())
        try:
            yield Disk(folder)
        finally:
            _unmount(folder)
    finally:
        folder.rmdir()


def _unmount(folder: Path) -> None:
    # Lazily if somebody still holds a file there: it goes when they do.
    for how in ([], ["--lazy"]):
        if subprocess.run(["umount", *how, str(folder)], check=False, capture_output=True).returncode == 0:
            return


def _unmount_what_others_left() -> None:
    """A session that was killed with -9 could not."""
    for line in Path("/proc/mounts").read_text().splitlines():
        name, folder = line.split()[:2]
        if name.startswith(_NAME) and not Path("/proc", name.removeprefix(_NAME)).exists():
            _unmount(Path(folder))
            Path(folder).rmdir()
