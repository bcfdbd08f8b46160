"""What local nodes decide without starting a server."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.errors import MissingPackagesError, NodeError
from deploy.local import guard, packages, runs
from deploy.provisioning.external import NamedBroker, NamedDatabase


@pytest.mark.parametrize(
    ("broker", "management"),
    [
        ("amqp://u:p%2F@mq.example:5673/traboule", "http://u:p%2F@mq.example:15672"),
        ("amqp://mq.example", "http://mq.example:15672"),
        ("amqp://u:p@[::1]:5672/", "http://u:p@[::1]:15672"),
    ],
)
def test_the_management_api_is_beside_a_named_broker(broker: str, management: str) -> None:
    assert NamedBroker(broker).management_url == management
    assert NamedBroker(broker, "http://elsewhere").management_url == "http://elsewhere"


@pytest.mark.parametrize("verb", ["start", "kill", "stop"])
def test_a_named_server_is_not_ours(verb: str) -> None:
    with pytest.raises(NodeError, match=f"refusing to {verb} the server that TRABOULE_DATABASE_URL names"):
        getattr(NamedDatabase("postgresql://somebody"), verb)()


def test_a_port_in_use_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(runs, "PORTS", range(port, port + 1))
        with pytest.raises(NodeError, match="no 1 free ports"):
            runs.free_ports(1)


def test_ports_are_below_the_range_of_outgoing_connections() -> None:
    ports = runs.free_ports(5)
    assert len(set(ports)) == 5
    assert max(ports) < 32_768


def test_only_folders_without_a_living_guard_are_removed(tmp_path: Path) -> None:
    with runs.Run(tmp_path) as run:
        for name in ("run-1-dead", "somebody-elses"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "lock").touch()
        runs.remove_stale_runs(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {run.folder.name, "somebody-elses"}
    assert [path.name for path in tmp_path.iterdir()] == ["somebody-elses"]


def test_a_run_that_ended_takes_no_orders(tmp_path: Path) -> None:
    run = runs.Run(tmp_path)
    log = tmp_path / "log"
    run.spawn(
        "sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], env={}, cwd=tmp_path, user=None, log=log
    )
    assert run.returncode("sleeper") is None
    with pytest.raises(NodeError, match="spawn nothing: FileNotFoundError"):
        run.spawn("nothing", [str(tmp_path / "absent")], env={}, cwd=tmp_path, user=None, log=log)
    run.close()
    run.close()
    with pytest.raises(NodeError, match="this run has ended"):
        run.returncode("sleeper")


def test_one_line_says_what_to_install_when_we_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "missing", lambda: ["postgresql"])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingPackagesError) as refusal:
        packages.ensure()
    assert str(refusal.value) == f"missing: postgresql. Install with: {packages.INSTALL_HINT}"
    packages.ensure(["rabbitmq-server"])  # not the one that is missing: nothing to say


def test_a_number_that_comes_round_again_is_not_taken_for_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After an hour of kills a broker that had just started was held for the one that a kill had ended."""
    watching = guard._Guard(tmp_path)  # pyright: ignore[reportPrivateUsage]
    watching.ended[4242] = -signal.SIGKILL
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: SimpleNamespace(pid=4242))
    watching.spawn("broker", ["true"], {}, str(tmp_path), None, str(tmp_path / "log"))
    assert 4242 not in watching.ended
