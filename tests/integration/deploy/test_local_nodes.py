"""Private nodes: they start, survive what fault tests do to them, and leave nothing behind however their owner ends."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import asyncpg
import psutil
import pytest

from deploy.local import broker
from deploy.local.nodes import NodeError, Nodes, local_nodes
from deploy.local.runs import Run, free_ports, remove_stale_runs
from deploy.provisioning import definitions as provision
from shared.messaging.broker_version import PRIVATE_BROKER

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module", autouse=True)
def no_named_servers() -> Iterator[None]:
    """These tests are about private nodes, whatever the others run against."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TRABOULE_DATABASE_URL", "TRABOULE_BROKER_URL", "TRABOULE_BROKER_MANAGEMENT_URL"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="module")
def nodes(local: Path) -> Iterator[Nodes]:
    with local_nodes(local=local) as nodes:
        yield nodes


async def committed_values(url: str) -> list[int]:
    connection = await asyncpg.connect(url)
    try:
        return [row["value"] for row in await connection.fetch("select value from kept")]
    finally:
        await connection.close()


@pytest.mark.parametrize("place", range(3), ids=["AMQP", "management", "distribution"])
@pytest.mark.faults
def test_a_port_that_somebody_takes_meanwhile_is_given_up(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Run(tmp_path) as run:
        taken = server.getsockname()[1]
        offered = [free_ports(4)]
        offered[0][place] = taken
        monkeypatch.setattr(broker, "free_ports", lambda count: offered.pop() if offered else free_ports(count))
        node = broker.BrokerNode(run)
        node.create()
        assert offered == []
        assert str(taken) not in node.url + node.management_url
        assert node.pid


@pytest.mark.faults
async def test_a_committed_row_survives_kill_9_and_a_graceful_stop(nodes: Nodes) -> None:
    connection = await asyncpg.connect(nodes.database.url)
    await connection.execute("create table kept (value int)")
    await connection.execute("insert into kept values (42)")
    nodes.database.kill()
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.execute("select 1")
    nodes.database.start()
    assert await committed_values(nodes.database.url) == [42]
    nodes.database.stop()
    nodes.database.start()
    assert await committed_values(nodes.database.url) == [42]


@pytest.mark.faults
async def test_a_persistent_message_survives_kill_9_of_the_broker(nodes: Nodes) -> None:
    async with await aio_pika.connect(nodes.broker.url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        # RabbitMQ 3.10 writes down lazily that a quorum queue exists: killed within about 3 s of the declaration, the
        # queue comes back empty and elects no leader, confirmed messages or not (compare rabbitmq-server issue 10070).
        await asyncio.sleep(5)
        body = aio_pika.Message(b"still here", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(body, routing_key="kept")
        nodes.broker.kill()
        await asyncio.sleep(0.2)
    nodes.broker.start()
    async with await aio_pika.connect(nodes.broker.url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue("kept")
        message = await queue.get(timeout=20)
        assert message.body == b"still here"
        await message.ack()


def test_definitions_are_loaded_over_http(nodes: Nodes) -> None:
    queue = {"name": "defined", "vhost": "traboule", "durable": True, "auto_delete": False, "arguments": {}}
    provision.load_definitions(nodes.broker.management_url, {"queues": [queue]})
    assert provision.call(nodes.broker.management_url, "GET", "/api/queues/traboule/defined")["name"] == "defined"
    with pytest.raises(NodeError, match="answered 40"):
        provision.load_definitions(nodes.broker.management_url, {"queues": [{"name": "no vhost"}]})


def test_only_the_loopback_listens(nodes: Nodes) -> None:
    guard = psutil.Process(nodes.broker.pid).parent()
    assert guard is not None
    servers = guard.children(recursive=True)
    assert {"beam.smp", "postgres", "epmd"} <= {process.name() for process in servers}
    sockets = [connection for process in servers for connection in process.net_connections("tcp")]
    listening = {connection.laddr.ip for connection in sockets if connection.status == psutil.CONN_LISTEN}
    assert "127.0.0.1" in listening
    assert listening <= {"127.0.0.1", "::1"}


def test_a_second_run_is_apart_may_be_named_and_ends_without_a_trace(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = tmp_path / "definitions.json"
    definitions.write_text(json.dumps({"vhosts": [{"name": "from-a-file"}]}))
    local = tmp_path / "local"
    others = set(psutil.Process().children(recursive=True))
    with local_nodes(definitions, local=local) as second:
        processes = [process for process in psutil.Process().children(recursive=True) if process not in others]
        assert second.owned
        shared = second.environment().items() & nodes.environment().items()
        assert {name for name, _ in shared} == {PRIVATE_BROKER}
        assert "from-a-file" in [v["name"] for v in provision.call(second.broker.management_url, "GET", "/api/vhosts")]
        for name, value in second.environment().items():
            monkeypatch.setenv(name, value)
        with local_nodes(local=local) as named:
            assert not named.owned
            assert named.environment() | {PRIVATE_BROKER: "yes"} == second.environment()
            assert named.folder is None
            with pytest.raises(NodeError, match="refusing to kill the server that TRABOULE_DATABASE_URL names"):
                named.database.kill()
        assert provision.call(second.broker.management_url, "GET", "/api/whoami")["name"] == "admin"
        assert psutil.pid_exists(second.database.pid)
        second.database.kill()
    assert seconds_until_nothing_is_left(processes, local) < 1


OWNER = """
import sys, time
from pathlib import Path
from deploy.local.nodes import local_nodes
with local_nodes(local=Path(sys.argv[1])) as nodes:
    print("up", flush=True)
    time.sleep(600)
"""


def start_owner(local: Path) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(local)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    return owner, psutil.Process(owner.pid).children(recursive=True)


def seconds_until_nothing_is_left(processes: list[psutil.Process], local: Path, *, folder_too: bool = True) -> float:
    began = time.monotonic()
    while time.monotonic() < began + 30:
        alive = [process for process in processes if _is_alive(process)]
        if not alive and not (folder_too and list(local.glob("*"))):
            break
        time.sleep(0.05)
    else:
        pytest.fail(f"left: {alive} {list(local.glob('*'))}")
    return time.monotonic() - began


def _is_alive(process: psutil.Process) -> bool:
    """It may end between two looks."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.faults
def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    owner, processes = start_owner(tmp_path)
    with owner:
        assert {"beam.smp", "postgres", "epmd"} <= {process.name() for process in processes}
        owner.kill()
        assert seconds_until_nothing_is_left(processes, tmp_path) < 10


@pytest.mark.faults
def test_servers_die_with_a_killed_guard_and_the_next_run_removes_the_folder(tmp_path: Path) -> None:
    owner, processes = start_owner(tmp_path)
    with owner:
        guard = psutil.Process(owner.pid).children()[0]
        owner.kill()
        guard.kill()
        assert seconds_until_nothing_is_left(processes, tmp_path, folder_too=False) < 10
    assert list(tmp_path.glob("run-*"))
    remove_stale_runs(tmp_path)
    assert not list(tmp_path.iterdir())


def test_up_prints_what_a_shell_can_read_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.local", "up", "--folder", str(tmp_path)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as up:
        try:
            assert up.stdout is not None
            printed = dict(up.stdout.readline().rstrip("\n").split("=", 1) for _ in range(3))
            assert provision.call(printed["TRABOULE_BROKER_MANAGEMENT_URL"], "GET", "/api/whoami")["name"] == "admin"
            while not (tmp_path / "env").exists() or not (tmp_path / "env").read_text():
                time.sleep(0.05)
            assert (tmp_path / "env").stat().st_mode & 0o077 == 0
        finally:
            up.send_signal(signal.SIGINT)
        assert up.wait(20) == 0
    assert not list(tmp_path.iterdir())
