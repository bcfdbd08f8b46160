"""Where the servers' binaries are, and how they get here on Debian."""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from deploy.errors import MissingPackagesError
from deploy.local.runs import LOCAL

PACKAGES = ["rabbitmq-server", "postgresql"]
INSTALL_HINT = f"apt-get install --no-install-recommends {' '.join(PACKAGES)}"
POLICY = Path("/usr/sbin/policy-rc.d")
CREATE_CLUSTER = Path("/etc/postgresql-common/createcluster.conf")
# Debian's `rabbitmq-server` in PATH changes to its own user and folders; the script behind it takes ours.
BROKER_SCRIPTS = ["/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/rabbitmq/sbin/rabbitmq-server"]


def database_binaries() -> Path | None:
    """Folder of the newest PostgreSQL's `postgres` and `initdb`."""
    debian = [
        path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb") if (path.parent / "postgres").exists()
    ]
    if debian:
        return max(debian, key=lambda folder: [int(part) for part in re.findall(r"\d+", folder.parent.name)])
    result = shutil.which("initdb")
    return Path(result).resolve().parent if result else None


def broker_script() -> Path | None:
    """RabbitMQ's start script, `None` when it or Erlang is not here."""
    if not (shutil.which("erl") and shutil.which("epmd")):
        return None
    result = next((path for path in BROKER_SCRIPTS if Path(path).exists()), None) or shutil.which("rabbitmq-server")
    return Path(result) if result else None


def database_user() -> str | None:
    """The user PostgreSQL has to run as: its binaries refuse root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise MissingPackagesError(
            "PostgreSQL refuses to run as root and there is no user `postgres`: create one"
        ) from None


def missing() -> list[str]:
    """Debian's names of the packages that are not here."""
    return [name for name, path in zip(PACKAGES, [broker_script(), database_binaries()], strict=True) if path is None]


def ensure(wanted: list[str] | None = None) -> None:
    """Install what is missing when that is possible without asking anybody; else say in one line what to install."""
    # Tests run in several processes: a second apt-get is refused, and what is half installed looks as if it were there.
    with one_at_a_time():
        names = [name for name in missing() if wanted is None or name in wanted]
        if names:
            _install(names)


def browser() -> Path | None:
    """Chromium, or what is built of it: it shows the public pages to `make browser-test`."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((Path(path) for path in map(shutil.which, names) if path), None)


def ensure_browser() -> Path:
    """The browser; it is installed where that is possible without asking anybody. Raises MissingPackagesError."""
    with one_at_a_time():
        if browser() is None:
            _install(["chromium"])
    if (path := browser()) is None:
        raise MissingPackagesError("missing: chromium. Install with: apt-get install --no-install-recommends chromium")
    return path


@contextmanager
def one_at_a_time() -> Generator[None]:
    """Of all processes of this checkout one is in here; the others wait."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(names: list[str]) -> None:
    become_root = _way_to_root()
    if become_root is None or shutil.which("apt-get") is None:
        raise MissingPackagesError(f"missing: {', '.join(names)}. Install with: {_hint(names)}")
    print(
        f"installing {' '.join(names)} with apt-get (their own services are not started)", file=sys.stderr, flush=True
    )
    # `-o` twice: an unattended upgrade may hold dpkg's lock for a while, and a changed configuration file must not ask.
    apt = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    install = [*apt, "-o", "Dpkg::Options::=--force-confold", "install", "-y", "--no-install-recommends", *names]
    with _services_stay_off(become_root):
        first = _quietly(install)
        # Lists are refreshed only if need be: it is the slow part, and often they are there.
        if first.returncode != 0 and _quietly([*apt, "update"]).returncode == 0:
            first = _quietly(install)
    if first.returncode != 0 or any(name in missing() for name in names):
        line = (first.stderr.strip().splitlines() or ["no word from it"])[-1]
        raise MissingPackagesError(
            f"apt-get could not install {', '.join(names)} ({line}). Install with: {_hint(names)}"
        )


def _hint(names: list[str]) -> str:
    """What a person does instead."""
    return INSTALL_HINT if set(names) <= set(PACKAGES) else f"apt-get install --no-install-recommends {' '.join(names)}"


def refresh_lists() -> bool:
    """Ask Debian's mirrors what there is; False where that is not ours to do, or did not work."""
    become_root = _way_to_root()
    return become_root is not None and _quietly([*become_root, "apt-get", "-qq", "update"]).returncode == 0


def _way_to_root() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _quietly(["sudo", "-n", "true"]).returncode == 0:
        return ["sudo", "-n"]
    return None


def _quietly(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@contextmanager
def _services_stay_off(become_root: list[str]) -> Generator[None]:
    """Keep Debian's own node and cluster from being started or made, by files written only where there are none."""
    deny = not POLICY.exists()
    if deny:
        _write(become_root, POLICY, "#!/bin/sh\nexit 101\n", "755")
    if not CREATE_CLUSTER.exists():
        _write(become_root, CREATE_CLUSTER, "create_main_cluster = false\n", "644")
    try:
        yield
    finally:
        if deny:
            _quietly([*become_root, "rm", "-f", str(POLICY)])


def _write(become_root: list[str], path: Path, text: str, mode: str) -> None:
    script = 'mkdir -p "$(dirname "$1")" && printf %s "$2" > "$1" && chmod "$3" "$1"'
    _quietly([*become_root, "sh", "-c", script, "sh", str(path), text, mode])
