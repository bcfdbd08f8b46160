"""Programs that tests need besides servers, out of Debian's packages and without installing these.

``promtool`` comes with ``prometheus``, which as an installed package would start a server of its own.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.errors import MissingPackagesError
from deploy.local.packages import one_at_a_time, refresh_lists
from deploy.local.runs import LOCAL

PACKAGES = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}
"""Which Debian package each program is in."""
TOOLS = LOCAL / "tools"
FAKETIME = "libfaketime"
FAKETIME_LIBRARY = "usr/lib/*/faketime/libfaketime.so.1"


def tool(name: str) -> Path:
    """Where the program is: in the PATH, or unpacked below ``.local``. Raises MissingPackagesError."""
    package = PACKAGES[name]
    unpacked = TOOLS / package / "usr" / "bin" / name
    if result := shutil.which(name):
        return Path(result)
    if not unpacked.exists():
        with one_at_a_time():
            if not unpacked.exists():
                _unpack(package)
    return unpacked


def faketime() -> Path:
    """The library that tells a process another time, for LD_PRELOAD. Raises MissingPackagesError."""
    for folder in (Path("/"), TOOLS / FAKETIME):
        if path := next(folder.glob(FAKETIME_LIBRARY), None):
            return path
    _unpack(FAKETIME)
    return next((TOOLS / FAKETIME).glob(FAKETIME_LIBRARY))


def _unpack(package: str) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MissingPackagesError(f"missing: {package}, and this is no Debian to take it from")
    TOOLS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        process = _download(package, folder)
        if process.returncode != 0 and refresh_lists():
            process = _download(package, folder)
        files = list(Path(folder).glob("*.deb"))
        if not files:
            why = (process.stderr.strip().splitlines() or ["no word from it"])[-1]
            raise MissingPackagesError(f"apt-get could not download {package} ({why})")
        # Unpacked beside and renamed, so that nobody finds a half of it.
        whole = Path(folder) / "whole"
        subprocess.run(["dpkg-deb", "--extract", files[0], whole], check=True, capture_output=True)
        if not (TOOLS / package).exists():
            whole.rename(TOOLS / package)


def _download(package: str, folder: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["apt-get", "-qq", "download", package], check=False, capture_output=True, text=True, cwd=folder
    )
