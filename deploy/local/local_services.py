"""The four services as processes on local nodes: started, watched, killed and started again by name.

A guard of their own owns the processes (see :mod:`deploy.local.guard`), so none survives the one who asked for them.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
import urllib.request
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from deploy.errors import NodeError
from deploy.local.nodes import Nodes
from deploy.local.runs import CHECKOUT, LOCAL, Run, free_ports
from deploy.provisioning.external import MANAGEMENT
from deploy.provisioning.provision import CLUSTERS, SURVIVORSHIP, Provisioned, provision
from services import SERVICES
from shared.messaging.broker_version import PRIVATE_BROKER

ENVIRONMENT_FILE = LOCAL / "services.env"
READY_SECONDS = 60.0
STOP_SECONDS = 60.0


class LocalServices:
    """Running services. A replica of a service is called ``billing.2``, ``billing.3``…"""

    def __init__(self, run: Run, provisioned: Provisioned, folder: Path, services: Sequence[str]) -> None:
        """Prepare; nothing runs yet."""
        self._run = run
        self._pids: dict[str, int] = {}
        self._extra: dict[str, Mapping[str, str]] = {}
        self.folder = folder
        self.services = tuple(services)
        self.secrets = provisioned.secrets
        ports = zip(services, free_ports(len(services)), strict=True)
        self._ports = dict(ports)
        self.env = provisioned.env | {
            f"TRABOULE_{service.upper()}_HTTP_PORT": str(port) for service, port in self._ports.items()
        }

    def url(self, name: str) -> str:
        """Where a service, or a replica of it, answers over HTTP."""
        return f"http://127.0.0.1:{self._ports[name]}"

    def log(self, name: str) -> Path:
        """The file of its JSON log lines."""
        return self.folder / f"{name}.log"

    def process(self, name: str) -> psutil.Process:
        """The running process, to measure or to signal."""
        return psutil.Process(self._pids[name])

    def running(self, name: str) -> bool:
        """Whether it was started and has not ended since."""
        return name in self._pids and self._run.returncode(name) is None

    def exit_code(self, name: str) -> int | None:
        """How it ended; None while it runs."""
        return self._run.returncode(name)

    def start(
        self, name: str, env: Mapping[str, str] | None = None, *, wait: bool = True, only: str | None = None
    ) -> None:
        """Start a service, or start it again on its port. ``env`` adds to its environment until the next start.

        ``only`` names the part of it that this process shall be.
        """
        service = name.split(".")[0]
        if env is not None:
            self._extra[name] = env
        own = {f"TRABOULE_{service.upper()}_HTTP_PORT": str(self._ports[name])}
        self._pids[name] = self._run.spawn(
            name,
            [sys.executable, "-m", "services.cli", "serve", service, *(() if only is None else ("--only", only))],
            env={**_surroundings(), **self.env, **own, **self._extra.get(name, {})},
            cwd=CHECKOUT,
            user=None,
            log=self.log(name),
        )
        if wait:
            self.wait_until_ready([name])

    def start_replica(self, service: str, env: Mapping[str, str] | None = None, *, only: str | None = None) -> str:
        """Start one more process of a service, as :meth:`start` does; returns its name."""
        number = 2
        while (name := f"{service}.{number}") in self._ports:
            number += 1
        self._ports[name] = free_ports(1)[0]
        self.start(name, env, only=only)
        return name

    def stop(self, name: str) -> None:
        """Ask it to end (SIGTERM) and wait until it has."""
        self._run.stop(name, signal.SIGTERM, STOP_SECONDS)

    def kill(self, name: str) -> None:
        """End it at once (SIGKILL), as a crash or a power cut would."""
        self._run.stop(name, signal.SIGKILL)

    def wait_until_ready(self, names: Iterable[str], seconds: float = READY_SECONDS) -> None:
        """Return when all of these are ready. Raises NodeError with the end of the log of one that is not."""
        deadline = time.monotonic() + seconds
        for name in names:
            while not self.ready(name):
                if not self.running(name):
                    raise NodeError(f"the {name} service ended while starting:\n{self._log_tail(name)}")
                if time.monotonic() > deadline:
                    raise NodeError(f"the {name} service is not ready after {seconds:.0f} s:\n{self._log_tail(name)}")
                time.sleep(0.05)

    def ready(self, name: str) -> bool:
        """Whether each of its parts works now. The gateway calls itself ready sooner: it reads without the broker."""
        with suppress(OSError), _OPENER.open(self.url(name) + "/health/ready", timeout=5) as answer:
            return all(json.loads(answer.read())["checks"].values())
        return False

    def write_environment(self, path: Path, more: Mapping[str, str]) -> None:
        """Let the ``traboule`` command in another terminal find this house. The file holds passwords.

        ``more`` are variables for operators, which no service is given.
        """
        lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in {**self.env, **more}.items())
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(lines)

    def close(self) -> None:
        """Ask all to end, together, and wait."""
        for name in self._pids:
            with suppress(psutil.NoSuchProcess):
                self.process(name).terminate()
        for name in self._pids:
            with suppress(NodeError):
                self.stop(name)

    def _log_tail(self, name: str) -> str:
        log = self.log(name)
        return "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else "(no log)"


@contextmanager
def run_services(
    nodes: Nodes,
    *,
    folder: Path,
    services: Sequence[str] = SERVICES,
    clusters_file: Path = CLUSTERS,
    survivorship_file: Path = SURVIVORSHIP,
    secrets: Mapping[str, str] | None = None,
    environment_file: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Generator[LocalServices]:
    """Provision the nodes and run the services until the context ends; logs go to ``folder``.

    ``environment_file`` (such as :data:`ENVIRONMENT_FILE`) is written for the ``traboule`` command and removed at the
    end. ``env`` adds to the environment of every service.
    """
    folder.mkdir(parents=True, exist_ok=True)
    provisioned = provision(
        nodes.database.url,
        nodes.broker.url,
        nodes.broker.management_url,
        clusters_file=clusters_file,
        survivorship_file=survivorship_file,
        services=services,
        secrets=secrets,
        private_broker=nodes.broker.owned,
    )
    with Run() as run:
        local_services = LocalServices(run, provisioned, folder, services)
        for service in services:
            local_services.start(service, env, wait=False)
        local_services.wait_until_ready(services)
        if environment_file is not None:
            private = {PRIVATE_BROKER: "yes"} if nodes.broker.owned else {}
            local_services.write_environment(environment_file, {MANAGEMENT: nodes.broker.management_url} | private)
        try:
            yield local_services
        finally:
            if environment_file is not None:
                environment_file.unlink(missing_ok=True)
            local_services.close()


def _surroundings() -> dict[str, str]:
    # What names another house's servers must not reach this one's services.
    return {name: value for name, value in os.environ.items() if not name.startswith("TRABOULE_")}


# A proxy from the environment has no business between us and our own services.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
