"""The ``traboule`` command around running services."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import psutil
import pytest

from deploy.local.house import House
from deploy.local.runs import Run
from deploy.provision import Provisioned
from services.ops import environment
from tests.support.builders import an_invoice
from tests.support.in_process import OwnHouse
from tests.support.messages import KEY, NUMELINK, parked
from tests.support.waiting import eventually

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def processes(billing_house: OwnHouse, tmp_path: Path):
    with Run() as run:
        house = House(run, Provisioned(dict(billing_house.env), {}), tmp_path, ["billing"])
        yield house
        house.close()


async def traboule(house: House, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, as a person starts it."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.cli", *arguments],
        env={**os.environ, **house.env, **env},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_status_is_green_when_all_is_well_and_red_when_a_service_is_gone(
    billing_house: OwnHouse, processes: House
) -> None:
    await asyncio.to_thread(processes.start, "billing")
    well = await traboule(processes, "status", "--json")
    assert well.returncode == 0, well.stdout + well.stderr
    (billing,) = orjson.loads(well.stdout)["services"]
    assert billing["checks"] == {"database": True, "broker": True, "consumers": True, "relay": True}
    assert {queue["name"] for queue in billing["queues"]} >= {"billing.invoice-recorded", "billing.dead"}

    await asyncio.to_thread(processes.kill, "billing")
    gone = await traboule(processes, "status")
    assert gone.returncode == 1
    assert "billing: does not answer" in gone.stdout
    assert "nobody consumes billing.invoice-recorded" in gone.stdout


async def test_dead_letters_are_a_notice_and_no_fault(billing_house: OwnHouse, processes: House) -> None:
    await asyncio.to_thread(processes.start, "billing")
    await billing_house.publish_as(NUMELINK, b"{", key=KEY)
    await parked(billing_house)
    seen = await traboule(processes, "status")
    assert seen.returncode == 0
    assert "1 dead letters: traboule dead-letters list --service billing" in seen.stdout


async def test_a_service_that_starts_before_its_servers_waits_for_them(processes: House) -> None:
    nowhere = {"TRABOULE_BILLING_BROKER_URL": "amqp://u:p@127.0.0.1:9/x"}
    processes.start("billing", nowhere, wait=False)

    async def waiting() -> bool:
        log = processes.log("billing")
        return log.exists() and "service.waiting_for_broker" in log.read_text()

    await eventually(waiting)
    assert not processes.ready("billing")
    processes.stop("billing")
    assert processes.exit_code("billing") == 0


async def test_services_end_with_the_one_who_started_them(billing_house: OwnHouse, tmp_path: Path) -> None:
    """Even when he is killed: a house left behind would go on consuming another run's messages."""
    program = f"""
import time
from pathlib import Path
from deploy.local.house import House
from deploy.local.runs import Run
from deploy.provision import Provisioned
run = Run()
house = House(run, Provisioned({dict(billing_house.env)!r}, {{}}), Path({str(tmp_path)!r}), ["billing"])
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


async def test_nothing_personal_reaches_the_log(billing_house: OwnHouse, processes: House) -> None:
    await asyncio.to_thread(processes.start, "billing")
    await billing_house.publish_as(NUMELINK, an_invoice(label="Cotisation de Jeanne Gier"))
    await billing_house.publish_as(NUMELINK, b'{"name": "Jeanne Gier"', key=KEY)
    await parked(billing_house)
    await billing_house.heard(1)
    await asyncio.to_thread(processes.stop, "billing")

    lines = [orjson.loads(line) for line in processes.log("billing").read_bytes().splitlines()]
    assert {line["event"] for line in lines} >= {"service.started", "events.settled", "event.parked", "service.stopped"}
    assert "Jeanne" not in processes.log("billing").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["serve", "dues"], "there is no service 'dues'"),
        (["serve", "billing"], "TRABOULE_BILLING_DATABASE_URL"),
        (["migrate"], "name one service, or say --all"),
        (["status"], "no service is configured"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_missing_is_named(arguments: list[str], says: str, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TRABOULE_")}
    result = subprocess.run(
        [sys.executable, "-c", _WITHOUT_A_HOUSE, *arguments], env=env, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert says in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr


_WITHOUT_A_HOUSE = """
from pathlib import Path
from services import cli
from services.ops import environment
environment.load_house_file.__defaults__ = (Path("/nonexistent"),)
cli.main()
"""


def test_another_terminal_finds_the_house_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRABOULE_")]:
        monkeypatch.delenv(name)
    file = tmp_path / "house.env"
    file.write_text(
        "TRABOULE_BILLING_DATABASE_URL='postgresql://u:it''s@h/d'\nTRABOULE_BILLING_BROKER_URL=amqp://u:p@h/v\n"
    )
    with monkeypatch.context() as patch:
        environment.load_house_file(file)
        settings = environment.configured()
        assert list(settings) == ["billing"]
        assert settings["billing"].broker_url == "amqp://u:p@h/v"
        for name in [name for name in os.environ if name.startswith("TRABOULE_")]:
            patch.delenv(name)


def test_help_answers_at_once() -> None:
    started = time.process_time(), time.monotonic()
    usage = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "services.cli", "--help"], capture_output=True, text=True, check=True
    )
    assert "dead-letters" in usage.stdout
    heavy = {"sqlalchemy", "faststream", "pydantic", "fastapi", "asyncpg", "aio_pika"}
    assert not [name for name in heavy if f"| {name}\n" in usage.stderr], "commands import what they need when they run"
    del started
