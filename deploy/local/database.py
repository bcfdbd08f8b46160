"""One private PostgreSQL."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from deploy.errors import NodeError
from deploy.local import packages
from deploy.local.authority import Certificates
from deploy.local.runs import Run, free_ports
from shared.runtime.tls import over_tls

BOOT_SECONDS = 60.0
ATTEMPTS = 3
# fsync and synchronous_commit stay on, so that what is measured is what production would do.
SETTINGS = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
password_encryption = 'scram-sha-256'
timezone = 'UTC'
# In the data folder, so that a server killed with -9 leaves nothing in /dev/shm.
dynamic_shared_memory_type = mmap
cluster_name = 'traboule'
"""
# The kernel keeps what a killed server wrote; only a machine that loses its power would need the disk. And a tenth of a
# test's time went into the four thousand rounds of a SCRAM password.
UNSYNCED = """\
fsync = off
full_page_writes = off
password_encryption = 'md5'
"""
OVER_TLS = """\
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
"""


class DatabaseNode:
    """A PostgreSQL of this run: its own data, port and password. With ``tls`` it takes nothing in the clear.

    Without ``synced`` it survives `kill -9`, and not the loss of power, and passwords cross as MD5: for tests alone.
    """

    owned = True

    def __init__(self, run: Run, tls: Certificates | None = None, *, synced: bool = True) -> None:
        """Prepare a node; nothing runs yet."""
        self._run = run
        self._tls = tls
        self._synced = synced
        self._password = secrets.token_hex(16)
        self._port = 0
        self.pid = 0
        self.log = run.folder / "database.log"

    @property
    def url(self) -> str:
        """Superuser's URL of the maintenance database."""
        if self._tls is None:
            return f"postgresql://postgres:{self._password}@127.0.0.1:{self._port}/postgres"
        return over_tls(f"postgresql://postgres:{self._password}@localhost:{self._port}/postgres", self._tls.ca)

    def create(self) -> None:
        """Make the cluster and start it, on another port if somebody takes the first."""
        binaries = packages.database_binaries()
        if binaries is None:
            raise packages.MissingPackagesError(f"missing: postgresql. Install with: {packages.INSTALL_HINT}")
        self._binaries = binaries
        self._user = packages.database_user()
        self._home = self._make_home()
        self._data = self._home / "data"
        self._initdb()
        if self._tls is not None:
            self._only_over_tls(self._tls)
        for attempt in range(1, ATTEMPTS + 1):
            self._port = free_ports(1)[0]
            (self._data / "postgresql.conf").write_text(self._settings())
            try:
                return self.start()
            except NodeError:
                if attempt == ATTEMPTS or "Address already in use" not in self._log_text():
                    raise
        return None

    def start(self) -> None:
        """Start on the same port and data, and return when it answers."""
        if self.pid and self._run.returncode("database") is None:
            return
        self.pid = self._spawn("database", [str(self._binaries / "postgres"), "-D", str(self._data)])
        probe = [str(self._binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        deadline = time.monotonic() + BOOT_SECONDS
        while subprocess.run(probe, check=False, stdout=subprocess.DEVNULL).returncode != 0:
            if (code := self._run.returncode("database")) is not None:
                raise NodeError(f"PostgreSQL ended with code {code} while starting:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise NodeError(f"PostgreSQL does not answer after {BOOT_SECONDS:.0f} s:\n{self._log_tail()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """`kill -9` of the server and every process of it, as a power cut would."""
        self._run.stop("database", signal.SIGKILL)

    def stop(self) -> None:
        """Stop gracefully (fast shutdown: open transactions are rolled back)."""
        self._run.stop("database", signal.SIGINT)

    def _make_home(self) -> Path:
        home = self._run.folder / "postgres"
        if self._user is None:
            home.mkdir(mode=0o700)
            return home
        if not self._may_enter(self._run.folder):
            # A checkout under /root, say. The link lets whoever removes the run find the data.
            home.symlink_to(tempfile.mkdtemp(prefix="traboule-"), target_is_directory=True)
        else:
            home.mkdir(mode=0o700)
        subprocess.run(["chown", f"{self._user}:", str(home.resolve())], check=True)
        return home.resolve()

    def _may_enter(self, folder: Path) -> bool:
        return (
            subprocess.run(
                ["test", "-x", str(folder)], user=self._user, extra_groups=[], cwd="/", check=False
            ).returncode
            == 0
        )

    def _initdb(self) -> None:
        secret = self._home / "password"
        secret.write_text(self._password)
        if self._user:
            subprocess.run(["chown", f"{self._user}:", str(secret)], check=True)
        options = [
            "--username=postgres",
            f"--auth={'scram-sha-256' if self._synced else 'md5'}",
            f"--pwfile={secret}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]
        # --no-sync spares the new, empty files only; the server itself syncs.
        self._spawn("initdb", [str(self._binaries / "initdb"), "--no-sync", *options, "-D", str(self._data)])
        deadline = time.monotonic() + BOOT_SECONDS
        while (code := self._run.returncode("initdb")) is None:
            if time.monotonic() > deadline:
                raise NodeError(f"initdb does not end after {BOOT_SECONDS:.0f} s:\n{self._log_tail()}")
            time.sleep(0.02)
        secret.unlink()
        if code != 0:
            raise NodeError(f"initdb ended with code {code}:\n{self._log_tail()}")

    def _settings(self) -> str:
        over_tls, unsynced = "" if self._tls is None else OVER_TLS, "" if self._synced else UNSYNCED
        return SETTINGS.format(port=self._port) + over_tls + unsynced

    def _only_over_tls(self, tls: Certificates) -> None:
        # The server refuses a key that others may read, or that is not its own user's.
        for source, name in ((tls.certificate, "server.pem"), (tls.key, "server.key")):
            shutil.copyfile(source, self._data / name)
            (self._data / name).chmod(0o600)
            if self._user:
                shutil.chown(self._data / name, self._user)
        (self._data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")

    def _spawn(self, name: str, argv: list[str]) -> int:
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(self._home)}
        return self._run.spawn(name, argv, env=env, cwd=self._home, user=self._user, log=self.log)

    def _log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _log_tail(self) -> str:
        return "\n".join(self._log_text().splitlines()[-8:])
