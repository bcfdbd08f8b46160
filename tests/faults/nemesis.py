"""Everything that goes wrong: services, broker and database killed, cut off, hung, starved, by their own names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from deploy.local import packages
from deploy.local.broker import BrokerNode
from deploy.local.local_services import LocalServices
from deploy.local.nodes import Nodes
from deploy.local.runs import CHECKOUT, Run
from deploy.provisioning import definitions
from deploy.provisioning.provision import CLUSTERS, Provisioned, provision
from services import SERVICES
from shared.messaging import topology
from tests.faults.checker import Checker, End, assert_same_end
from tests.faults.crashing import RETRY_SECONDS
from tests.faults.generator import Workload, workload
from tests.faults.proxy import Proxy
from tests.faults.publisher import Publishing

# Small batches: many transactions, and so many moments to die in. A heartbeat of 4 s: a hung broker shows in a test.
KNOBS = {"BATCH_EVENTS": "40", "PREFETCH": "24"}
HEARTBEAT = "heartbeat=4"
VHOST = "traboule"


class FaultyStack(LocalServices):
    """A house whose services may be started in other ways than production's."""

    def names(self) -> Iterable[str]:
        """Every process that was ever started."""
        return list(self._pids)

    def returncode(self, name: str) -> int | None:
        """How a process ended."""
        return self._run.returncode(name)

    def start_as(self, name: str, module: str, *words: str, wait: bool) -> None:
        """Start a service as another module of ours, on its own port."""
        port = self._ports[name]
        self._pids[name] = self._run.spawn(
            name,
            [sys.executable, "-m", module, *words],
            env=_surroundings() | self.env | {f"TRABOULE_{name.split('.')[0].upper()}_HTTP_PORT": str(port)},
            cwd=CHECKOUT,
            user=None,
            log=self.log(name),
        )
        if wait:
            self.wait_until_ready([name])


class Stage:
    """One house on one pair of nodes, its network in our hands, and a workload to send through it."""

    def __init__(self, nodes: Nodes, run: Run, folder: Path) -> None:
        self.nodes = nodes
        self.run = run
        self.to_database = Proxy(urlsplit(nodes.database.url).port or 0)
        self.to_broker = Proxy(urlsplit(nodes.broker.url).port or 0)
        # The broker counts a quorum queue's messages every five seconds; waiting for that would be half of every test.
        self._rabbitmqctl("eval", "application:set_env(rabbit, quorum_tick_interval, 500).")
        self.provisioned = _provision(nodes)
        self.stack = FaultyStack(run, self.provisioned, folder, SERVICES)
        self.stack.env |= self._through_proxies()
        self.checker = Checker(nodes.database.url, nodes.broker.url, nodes.broker.management_url, VHOST)
        self.workload = workload()
        self._undisturbed: End | None = None
        self._orders = 100
        self._special: set[str] = set()
        self._left_clean = False

    def _through_proxies(self) -> dict[str, str]:
        env: dict[str, str] = {}
        for service in SERVICES:
            name = f"TRABOULE_{service.upper()}"
            env[f"{name}_DATABASE_URL"] = _at(self.provisioned.env[f"{name}_DATABASE_URL"], self.to_database.port)
            env[f"{name}_BROKER_URL"] = _at(self.provisioned.env[f"{name}_BROKER_URL"], self.to_broker.port, HEARTBEAT)
            env |= {f"{name}_{knob}": value for knob, value in KNOBS.items()}
        return env

    # --- traffic ---------------------------------------------------------------------------------------------------

    def publish(self, what: Workload | None = None, *, seconds: float = 3.0, duplicates: float = 0.15) -> Publishing:
        """Start sending everything, in an order that no scenario had before."""
        self._orders += 1
        messages = (what or self.workload).messages(self._orders, duplicates=duplicates)
        publishing = Publishing(self._former_systems(), messages, seconds)
        publishing.start()
        return publishing

    def _former_systems(self) -> dict[str, str]:
        names = {name: value for name, value in self.provisioned.env.items() if name.startswith("TRABOULE_BROKER_URL_")}
        return {urlsplit(url).username or "": url for url in names.values()}

    # --- the proof -------------------------------------------------------------------------------------------------

    def prove(self, what: Workload | None = None, *, seconds: float = 90.0) -> End:
        """Wait until all is quiet, and check everything that was promised."""
        published = what or self.workload
        self.checker.wait_until_quiet(published, seconds=seconds)
        end = self.checker.prove(published)
        if what is None:
            assert_same_end(end, self.undisturbed)
        return end

    @property
    def undisturbed(self) -> End:
        """Where the same events end when nothing goes wrong."""
        assert self._undisturbed is not None, "run_undisturbed comes first"
        return self._undisturbed

    def run_undisturbed(self) -> None:
        """Send everything once, in yet another order and without duplicates, and remember where it ended."""
        self.reset()
        self.publish(seconds=0, duplicates=0).finish()
        self.checker.wait_until_quiet(self.workload)
        self._undisturbed = self.checker.prove(self.workload)

    def doctor(self) -> list[dict[str, str]]:
        """What `traboule doctor` finds."""
        servers = {
            "TRABOULE_DATABASE_URL": self.nodes.database.url,
            "TRABOULE_BROKER_MANAGEMENT_URL": self.nodes.broker.management_url,
        }
        return json.loads(self._traboule("doctor", "--json", env=servers))["findings"]

    def _traboule(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        """What the command prints; it ends with 0, or with what it found."""
        command = [sys.executable, "-m", "services.cli", *words]
        surroundings = _surroundings() | self.stack.env | dict(env or {})
        completed = subprocess.run(
            command, cwd=CHECKOUT, env=surroundings, check=False, capture_output=True, timeout=120
        )
        assert completed.stdout, completed.stderr.decode()
        return completed.stdout.decode()

    # --- services --------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """A clean start: empty databases, empty queues, four services as in production."""
        self.to_broker.open()
        self.to_database.open()
        self.nodes.database.start()
        self.nodes.broker.start()
        for name in [*self._special, *self._replicas()]:
            self.stack.kill(name)
        clean = self._is_clean()
        if not clean:
            for service in SERVICES:
                if self.stack.running(service):
                    self.stack.kill(service)
        self.checker.clear()
        for service in SERVICES:
            if not self.stack.running(service):
                self.stack.start(service, wait=False)
        self._special.clear()
        self._left_clean = False
        self.stack.wait_until_ready(SERVICES)

    def _is_clean(self) -> bool:
        return self._left_clean and all(self.stack.running(service) for service in SERVICES)

    def left(self, *, clean: bool) -> None:
        """How the last scenario left the stage: after a failure, nothing of it may leak into the next."""
        self._left_clean = clean

    def _replicas(self) -> list[str]:
        return [name for name in self.stack.names() if "." in name and self.stack.running(name)]

    def start_special(self, service: str, step: str, number: int, *, wait: bool = True) -> None:
        """Start a service so that it dies, fails or dawdles at a step; see :mod:`tests.faults.crashing`."""
        if self.stack.running(service):
            self.stack.stop(service)
        self._special.add(service)
        self.stack.start_as(service, "tests.faults.crashing", service, step, str(number), wait=wait)

    def wait_until_dead(self, name: str, seconds: float = 40) -> None:
        """Wait for a service that kills itself. One that did not crash proves nothing, so this fails."""
        wait_until(lambda: not self.stack.running(name), seconds, f"{name} did not die")
        code = self.stack.returncode(name)
        assert code == -9, f"{name} ended with {code}, not by kill -9"

    def close(self) -> None:
        """End the services and the network."""
        self.stack.close()
        self.to_database.close()
        self.to_broker.close()

    # --- servers ---------------------------------------------------------------------------------------------------

    @contextmanager
    def memory_alarm(self) -> Generator[None]:
        """The broker says that its memory is full: it takes nothing more in from whoever publishes."""
        self._rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1MB")
        try:
            yield
        finally:
            self._rabbitmqctl("set_vm_memory_high_watermark", "0.4")

    def leaderless(self) -> list[str]:
        """Queues that nobody can read or write; the broker's own list of them is some seconds old."""
        queues = definitions.call(self.nodes.broker.management_url, "GET", f"/api/queues/{VHOST}")
        return [queue["name"] for queue in queues if not queue.get("leader")]

    def replace_lost_queues(self) -> None:
        """What the runbook says of queues that stay without a leader, all but that former systems publish again."""
        for name in self.leaderless():
            definitions.call(self.nodes.broker.management_url, "DELETE", f"/api/queues/{VHOST}/{name}")
        _provision(self.nodes, self.provisioned.secrets)
        for service in SERVICES:
            self.stack.kill(service)
            self.stack.start(service, wait=False)
        self.stack.wait_until_ready(SERVICES)

    def republish(self) -> None:
        """Let the services publish again all that they hold."""
        self._traboule("republish")

    def let_the_broker_look_at_its_disk(self) -> None:
        """By itself it does so every ten seconds; told its limit anew, at once."""
        self._rabbitmqctl("set_disk_free_limit", "200MB")

    def _rabbitmqctl(self, *words: str) -> None:
        script = packages.broker_script()
        assert script is not None
        assert isinstance(self.nodes.broker, BrokerNode)
        environment = self.nodes.broker.control_environment
        command = [str(script.with_name("rabbitmqctl")), "-q", "-n", environment["RABBITMQ_NODENAME"], *words]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)


def _provision(nodes: Nodes, secrets: Mapping[str, str] | None = None) -> Provisioned:
    """As always, and with the short retry queues of services that fail on purpose."""
    usual = topology.RETRY_DELAYS
    topology.RETRY_DELAYS = (*RETRY_SECONDS, *usual)  # type: ignore[assignment]
    try:
        urls = nodes.database.url, nodes.broker.url, nodes.broker.management_url
        return provision(*urls, clusters_file=CLUSTERS, secrets=secrets)
    finally:
        topology.RETRY_DELAYS = usual


def wait_until(true: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Poll. Raises AssertionError."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{otherwise} within {seconds:.0f} s"
        time.sleep(0.05)


def _at(url: str, port: int, query: str = "") -> str:
    """The same address, by way of a proxy."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}", query=query))


def _surroundings() -> dict[str, str]:
    # What names another house's servers must not reach this one's services.
    return {name: value for name, value in os.environ.items() if not name.startswith("TRABOULE_")}
