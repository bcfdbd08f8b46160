"""The ``traboule`` command around running services."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import psutil
import pytest

from deploy.local.local_services import LocalServices
from deploy.local.runs import Run
from deploy.provisioning.provision import Provisioned
from services.cli import serve
from services.cli.environment import configured
from services.cli.main import main
from services.common import environment
from tests.support.command import traboule
from tests.support.in_process import OwnService
from tests.support.messages import KEY, NUMELINK, parked
from tests.support.waiting import eventually

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def processes(empty_billing: OwnService, tmp_path: Path) -> Iterator[LocalServices]:
    """Billing's process, not running yet."""
    with Run() as run:
        services = LocalServices(run, Provisioned(dict(empty_billing.env), {}), tmp_path, ["billing"])
        yield services
        services.close()


@asynccontextmanager
async def running(billing: OwnService, processes: LocalServices) -> AsyncIterator[None]:
    """Billing runs, and the command in this process is told of it."""
    await asyncio.to_thread(processes.start, "billing")
    with billing.environment() as patch:
        for name, value in processes.env.items():
            patch.setenv(name, value)
        yield


async def test_status_is_green_when_all_is_well_and_red_when_a_service_is_gone(
    empty_billing: OwnService, processes: LocalServices
) -> None:
    async with running(empty_billing, processes):
        well = await traboule("status", "--json")
        assert well.exit_code == 0, well.out
        (billing,) = well.json["services"]
        assert billing["checks"] == {"database": True, "broker": True, "consumers": True, "relay": True}
        assert {queue["name"] for queue in billing["queues"]} >= {"billing.invoice-recorded", "billing.dead"}

        await empty_billing.publish_as(NUMELINK, b'{"name": "Jeanne Gier"', key=KEY)
        await parked(empty_billing)
        noticed = await traboule("status")
        assert noticed.exit_code == 0, "dead letters wait for a person; the house works"
        assert "1 dead letters: traboule dead-letters list --service billing" in noticed.out
        log = processes.log("billing").read_text()
        assert {orjson.loads(line)["event"] for line in log.splitlines()} >= {"service.started", "event.parked"}
        assert "Jeanne" not in log, "logs carry keys, never bodies"

        await asyncio.to_thread(processes.kill, "billing")
        removed = await traboule("status")
        assert removed.exit_code == 1
        assert "billing: does not answer" in removed.out
        assert "nobody consumes billing.invoice-recorded" in removed.out


async def test_a_service_that_starts_before_its_servers_waits_for_them(processes: LocalServices) -> None:
    nowhere = {"TRABOULE_BILLING_BROKER_URL": "amqp://u:p@127.0.0.1:9/x"}
    processes.start("billing", nowhere, wait=False)

    async def waiting() -> bool:
        log = processes.log("billing")
        return log.exists() and "service.waiting_for_broker" in log.read_text()

    await eventually(waiting)
    assert not processes.ready("billing")
    processes.stop("billing")
    assert processes.exit_code("billing") == 0


@pytest.mark.faults
async def test_services_end_with_the_one_who_started_them(empty_billing: OwnService, tmp_path: Path) -> None:
    """Even when he is killed: a house left behind would go on consuming another run's messages."""
    program = f"""
from pathlib import Path
from deploy.local.local_services import LocalServices
from deploy.local.runs import Run
from deploy.provisioning.provision import Provisioned
run = Run()
house = LocalServices(run, Provisioned({dict(empty_billing.env)!r}, {{}}), Path({str(tmp_path)!r}), ["billing"])
house.start("billing")
print(house.process("billing").pid, flush=True)
time.sleep(60)
"""
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
    assert owner.stdout is not None
    pid = int(await asyncio.to_thread(owner.stdout.readline))
    service = psutil.Process(pid)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()

    async def gone() -> bool:
        return not service.is_running()

    await eventually(gone)


@pytest.mark.parametrize(
    ("arguments", "wording"),
    [
        (["serve", "dues"], "there is no service 'dues'"),
        (["serve", "billing"], "TRABOULE_BILLING_DATABASE_URL"),
        (["serve", "billing", "--only", "http"], "billing is one process: leave it out"),
        (["serve", "membership", "--only", "door"], "membership has no part 'door'; there are messages, http"),
        (["migrate"], "name one service, or say --all"),
        (["status"], "no service is configured"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_missing_is_named(
    arguments: list[str],
    wording: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in [name for name in os.environ if name.startswith("TRABOULE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(environment, "ENV_FILE", tmp_path / "none")
    monkeypatch.setattr(sys, "argv", ["traboule", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert wording in " ".join(capsys.readouterr().err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("variable", "content", "wording"),
    [
        ("TRABOULE_MEMBERSHIP_SURVIVORSHIP_FILE", None, "no such file; set TRABOULE_MEMBERSHIP_SURVIVORSHIP_FILE"),
        ("TRABOULE_MEMBERSHIP_SURVIVORSHIP_FILE", b'[default]\nrules = ["newest"]', "default.rules: there is no rule"),
        ("TRABOULE_MEMBERSHIP_SURVIVORSHIP_FILE", b"rules", "this is not TOML"),
        ("TRABOULE_CLUSTERS_FILE", None, "no such file; set TRABOULE_CLUSTERS_FILE"),
        ("TRABOULE_CLUSTERS_FILE", b"clusters = 3", "AttributeError"),
        ("TRABOULE_CLUSTERS_FILE", b"\xff", "must be saved as UTF-8"),
    ],
)
def test_a_service_does_not_start_with_a_file_that_it_cannot_use(
    variable: str,
    content: bytes | None,
    wording: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "wrong.toml"
    if content is not None:
        file.write_bytes(content)
    for name in [name for name in os.environ if name.startswith("TRABOULE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TRABOULE_MEMBERSHIP_DATABASE_URL", "postgresql://u:p@127.0.0.1:9/d")
    monkeypatch.setenv("TRABOULE_MEMBERSHIP_BROKER_URL", "amqp://u:p@127.0.0.1:9/v")
    monkeypatch.setenv(variable, str(file))
    monkeypatch.setattr(sys, "argv", ["traboule", "serve", "membership"])
    # The logging of this process stays as the next test finds it.
    monkeypatch.setattr(serve, "configure_logging", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert f"{file}: " in error
    assert wording in error


def test_another_terminal_finds_the_house_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRABOULE_")]:
        monkeypatch.delenv(name)
    file = tmp_path / "services.env"
    file.write_text(
        "TRABOULE_BILLING_DATABASE_URL='postgresql://u:it''s@h/d'\nTRABOULE_BILLING_BROKER_URL=amqp://u:p@h/v\n"
    )
    environment.load_env_file(file)
    settings = configured()
    assert list(settings) == ["billing"]
    assert settings["billing"].broker_url == "amqp://u:p@h/v"


def test_help_answers_at_once_because_commands_import_what_they_need_when_they_run() -> None:
    usage = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "services.cli", "--help"], capture_output=True, text=True, check=True
    )
    assert "dead-letters" in usage.stdout
    imported = {line.rpartition("|")[2].strip() for line in usage.stderr.splitlines()}
    assert not imported & {"sqlalchemy", "faststream", "pydantic", "fastapi", "asyncpg", "aio_pika"}
