"""One private RabbitMQ, with an Erlang port mapper (epmd) of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import time

from deploy.errors import NodeError
from deploy.local import packages
from deploy.local.authority import Certificates
from deploy.local.runs import Run, free_ports
from deploy.provisioning import definitions
from shared.messaging.topology import FRAME_BYTES, MESSAGE_BYTES
from shared.runtime.tls import over_tls

BOOT_SECONDS = 120.0
ATTEMPTS = 3
TAKEN = ("eaddrinuse", "dist_port_already_used")
"""What RabbitMQ says when somebody took a port that was free a moment ago: one of a client's, or the one of nodes."""
USER = "admin"
VHOST = "traboule"
SETTINGS = """\
default_user = {user}
default_pass = {password}
default_vhost = {vhost}
loopback_users = none
max_message_size = {message_bytes}
frame_max = {frame_bytes}
consumer_timeout = 86400000
vm_memory_high_watermark.relative = 0.4
disk_free_limit.absolute = 200MB
queue_leader_locator = balanced
log.file = {log}
log.console = false
"""
IN_A_CLUSTER = """\
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = {first}
"""
IN_THE_CLEAR = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
"""
OVER_TLS = """\
listeners.tcp = none
listeners.ssl.1 = 127.0.0.1:{amqp}
ssl_options.cacertfile = {ca}
ssl_options.certfile = {certificate}
ssl_options.keyfile = {key}
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
management.ssl.ip = 127.0.0.1
management.ssl.port = {management}
management.ssl.cacertfile = {ca}
management.ssl.certfile = {certificate}
management.ssl.keyfile = {key}
"""
# Two schedulers that sleep when idle: Erlang's busy waiting would take the cores from the services beside it.
ERLANG_ARGS = "-noinput +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"


class BrokerNode:
    """A RabbitMQ of this run: its own data, ports, cookie and password. With ``tls`` it takes nothing in the clear."""

    owned = True

    def __init__(self, run: Run, tls: Certificates | None = None, *, number: int = 1) -> None:
        """Prepare a node; nothing runs yet. ``number`` tells nodes of one run apart."""
        self._run = run
        self._tls = tls
        self._number = "" if number == 1 else str(number)
        self._home = run.folder / f"rabbitmq{self._number}"
        self._first: BrokerNode = self
        self._password = secrets.token_hex(16)
        self._amqp = self._management = self._distribution = self._mapper = 0
        self.pid = 0
        self.log = self._home / "broker.log"

    def join(self, first: BrokerNode) -> None:
        """Start as a node of the cluster of another, which runs; it has that one's users, queues and port mapper."""
        self._first, self._password, self._mapper = first, first._password, first._mapper
        self.create()

    @property
    def name(self) -> str:
        """The node's name, as Erlang knows it."""
        return f"traboule{self._number}@localhost"

    @property
    def url(self) -> str:
        """The administrator's URL, in the virtual host `traboule`."""
        if self._tls is None:
            return f"amqp://{USER}:{self._password}@127.0.0.1:{self._amqp}/{VHOST}"
        return over_tls(f"amqps://{USER}:{self._password}@localhost:{self._amqp}/{VHOST}", self._tls.ca)

    @property
    def management_url(self) -> str:
        """The management plugin's HTTP API, user and password included."""
        if self._tls is None:
            return f"http://{USER}:{self._password}@127.0.0.1:{self._management}"
        return over_tls(f"https://{USER}:{self._password}@localhost:{self._management}", self._tls.ca)

    @property
    def control_environment(self) -> dict[str, str]:
        """What `rabbitmqctl` (the script beside `packages.broker_script()`) needs to reach this node."""
        return self._environment()

    def create(self) -> None:
        """Start the node, on other ports if somebody takes the first."""
        script = packages.broker_script()
        if script is None:
            raise packages.MissingPackagesError(f"missing: rabbitmq-server. Install with: {packages.INSTALL_HINT}")
        self._script = script
        self._home.mkdir(mode=0o700)
        joins = self._first is not self
        if joins:
            shutil.copy2(self._first._home / ".erlang.cookie", self._home / ".erlang.cookie")
        for attempt in range(1, ATTEMPTS + 1):
            self._amqp, self._management, self._distribution, mapper = free_ports(4)
            self._mapper = self._mapper if joins else mapper
            self._write_settings()
            try:
                return self.start()
            except NodeError:
                if attempt == ATTEMPTS or not any(word in self._log_text() for word in TAKEN):
                    raise
                if not joins:
                    self._run.stop("epmd", signal.SIGKILL)
                shutil.rmtree(self._home / "data", ignore_errors=True)
                self.log.unlink(missing_ok=True)
        return None

    @property
    def _process(self) -> str:
        return f"broker{self._number}"

    def start(self) -> None:
        """Start on the same ports and data, and return when AMQP and the HTTP API answer."""
        if self.pid and self._run.returncode(self._process) is None:
            return
        # The node would start a port mapper itself, as a daemon; ours is a child of the guard and there before.
        if not self._listening(self._mapper):
            epmd = shutil.which("epmd") or "epmd"
            self._spawn("epmd", [epmd, "-port", str(self._mapper), "-address", "127.0.0.1"])
        self.pid = self._spawn(self._process, [str(self._script)])
        deadline = time.monotonic() + BOOT_SECONDS
        while not (self._listening(self._amqp) and self._listening(self._management) and self._healthy()):
            if (code := self._run.returncode(self._process)) is not None:
                raise NodeError(f"RabbitMQ ended with code {code} while starting:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise NodeError(f"RabbitMQ does not answer after {BOOT_SECONDS:.0f} s:\n{self._log_tail()}")
            time.sleep(0.1)

    def kill(self) -> None:
        """`kill -9` of the Erlang machine itself."""
        self._run.stop(self._process, signal.SIGKILL)

    def stop(self) -> None:
        """Stop gracefully (SIGTERM: queues are synced, connections closed)."""
        self._run.stop(self._process, signal.SIGTERM)

    def _write_settings(self) -> None:
        ports = {"amqp": self._amqp, "management": self._management}
        settings = SETTINGS.format(
            user=USER,
            password=self._password,
            vhost=VHOST,
            log=self.log,
            message_bytes=MESSAGE_BYTES,
            frame_bytes=FRAME_BYTES,
        )
        listeners = IN_THE_CLEAR.format(**ports) if self._tls is None else OVER_TLS.format(**ports, **vars(self._tls))
        cluster = IN_A_CLUSTER.format(first=self._first.name) if self._first is not self else ""
        (self._home / "rabbitmq.conf").write_text(settings + listeners + cluster)
        (self._home / "enabled_plugins").write_text("[rabbitmq_management_agent,rabbitmq_management].\n")

    def _environment(self) -> dict[str, str]:
        # Made from nothing: a variable meant for somebody else's node must not reach this one.
        return {
            "PATH": os.environ.get("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(self._home),  # the Erlang cookie
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_MNESIA_BASE": str(self._home / "data"),
            "RABBITMQ_LOG_BASE": str(self._home),
            "RABBITMQ_CONFIG_FILE": str(self._home / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._home / "enabled_plugins"),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "ERL_EPMD_PORT": str(self._mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_CRASH_DUMP_SECONDS": "0",
        }

    def _spawn(self, name: str, argv: list[str]) -> int:
        # ALLOW_INPUT makes the script exec the Erlang machine: the pid we hold is then the server, not a shell.
        env = self._environment() | {"RABBITMQ_ALLOW_INPUT": "1", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_ARGS}
        return self._run.spawn(name, argv, env=env, cwd=self._home, user=None, log=self._home / f"{name}.out")

    def _listening(self, port: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
        except OSError:
            return False

    def _healthy(self) -> bool:
        try:
            definitions.call(self.management_url, "GET", f"/api/health/checks/port-listener/{self._amqp}")
        except NodeError:
            return False
        return True

    def _log_text(self) -> str:
        return "".join(
            path.read_text(errors="replace")
            for path in (self._home / f"{self._process}.out", self.log)
            if path.exists()
        )

    def _log_tail(self) -> str:
        return "\n".join(self._log_text().splitlines()[-8:])
