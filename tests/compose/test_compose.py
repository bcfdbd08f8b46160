"""``docker compose up`` for real: it starts, does the main job, survives kills with nothing lost, and comes back.

The tests share one installation and run in this order.
"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.demo.generate import generate
from deploy.demo.story import IMPORTS
from services import SERVICES
from tests.compose.engine import Project
from tests.compose.operating import checker_of, get, publish, wait_until_settled
from tests.faults.checker import assert_same_end
from tests.faults.generator import workload

SYSTEM = "numelink/membership"
BACK_SECONDS = 90.0


def test_up_and_healthy(project: Project) -> None:
    seconds = project.up()
    size = int(project.found.run("image", "inspect", "--format", "{{.Size}}", project.environment["TRABOULE_IMAGE"]))
    print(f"\nup and healthy after {seconds:.0f} s; our image has {size / 1e6:.0f} MB")
    for service in SERVICES:
        assert project.pid(service), f"{service} does not run"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_do_little_more_than_serve(project: Project, service: str) -> None:
    status = Path(f"/proc/{_main_process(project, service).pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    assert fields["Uid"].split()[0] != "0"
    assert int(fields["CapEff"], 16) == 0
    assert fields["NoNewPrivs"].strip() == "1"
    written = project.compose("exec", "--no-TTY", service, "touch", "/app/written", codes=(1,))
    assert not written
    others = {f"traboule_{item}_database_url" for item in SERVICES if item != service}
    assert not others & set(project.compose("exec", "--no-TTY", service, "ls", "/run/secrets").split())


def test_operators_may_stand_in_the_checkout(project: Project) -> None:
    """As README types it: the folder of the compose file is the one that the command sees."""
    ours = {name: value for name, value in project.environment.items() if name != "TRABOULE_FILES"}
    theirs = Project(project.found, project.checkout, project.name, ours)
    states = json.loads(theirs.traboule("status", "--json"))["services"]
    assert [state["name"] for state in states] == list(SERVICES)


def test_nothing_listens_beyond_this_machine(project: Project) -> None:
    shown = project.compose("ps", "--format", "json")
    rows: list[dict[str, Any]] = [json.loads(line) for line in shown.splitlines()]
    published = [item for row in rows for item in row.get("Publishers") or () if item.get("PublishedPort")]
    assert published
    assert {item["URL"] for item in published} == {"127.0.0.1"}


def test_the_main_job(project: Project) -> None:
    files = Path(project.environment["TRABOULE_FILES"])
    exports = generate(files / "exports", members=60)
    for system, names in IMPORTS:
        paths = [f"/files/exports/{system.split('/')[0]}/{name}" for name in names]
        rejects = f"/files/rejects-{system.replace('/', '-')}.csv"
        report = json.loads(
            project.traboule("import", "--as", system, "--json", "--rejects", rejects, *paths, codes=(0, 3))
        )
        assert all(file["rows"] == file["accepted"] + file["rejected"] for file in report["files"])
    wait_until_settled(project)
    traboule = project.traboule("keys", "create", "--name", "compose", "--role", "admin", "--json")
    key = json.loads(traboule)["key"]
    total = get(project, "/statistics", key)["total"]["members"]
    assert exports.companies <= total <= exports.companies + 15


def test_a_former_system_moves_over_and_back(project: Project) -> None:
    export = "/files/exports/numelink/galette-adherents.csv"
    project.traboule("cutover", "mirror", SYSTEM, "--reason", "its export is in", "--by", "ops")
    compared = json.loads(project.traboule("parity", "--as", SYSTEM, export, "--json", "--by", "ops", codes=(0, 1)))
    for what in Counter(item["what"] for item in compared["differences"]):
        project.traboule("differences", "accept", "--as", SYSTEM, "--what", what, "--reason", "planted", "--by", "ops")
    project.traboule("cutover", "switch", SYSTEM, "--reason", "now", "--by", "ops", codes=(2,))
    assert _stages(project)[SYSTEM] == "mirror", "no backup was noted"
    project.traboule("cutover", "note-backup", "--note", "none: a test", "--by", "ops")
    gate = json.loads(project.traboule("cutover", "check", SYSTEM, "--json", codes=(0, 1)))
    failed = [item["name"] for item in gate if not item["holds"]]
    overruled = [word for name in failed for word in ("--overrule", name)]
    project.traboule("cutover", "switch", SYSTEM, "--reason", "the board decided", "--by", "ops", *overruled)
    assert _stages(project)[SYSTEM] == "live"
    late = Path(project.environment["TRABOULE_FILES"]) / "late.csv"
    late.write_text("record_id;name\n9901;Trop tard SARL\n", "utf-8")
    project.traboule("import", "--as", SYSTEM, "/files/late.csv")
    wait_until_settled(project)
    [waits] = json.loads(project.traboule("quarantine", "list", SYSTEM, "--json"))
    project.traboule("quarantine", "dismiss", waits["id"], "--reason", "typed there by habit", "--by", "ops")
    rules = json.loads(project.traboule("cutover", "check", SYSTEM, "--for", "rollback", "--json", codes=(0, 1)))
    overruled = [word for rule in rules if not rule["holds"] for word in ("--overrule", rule["name"])]
    project.traboule("cutover", "rollback", SYSTEM, "--reason", "not ready", "--by", "ops", *overruled)
    assert _stages(project)[SYSTEM] == "mirror"


def test_kills_lose_nothing(project: Project, passwords: Mapping[str, str]) -> None:
    checker = checker_of(project, passwords)
    published = workload(companies=60)
    project.compose("stop", *SERVICES)
    checker.clear()
    with project.health_checked():
        project.compose("start", *SERVICES)
    publish(project, passwords, published, seconds=0).finish(120)
    checker.wait_until_quiet(published, seconds=180)
    undisturbed = checker.prove(published)

    project.compose("stop", *SERVICES)
    checker.clear()
    with project.health_checked():
        project.compose("start", *SERVICES)
    publishing = publish(project, passwords, published, seconds=30)
    for number, victim in enumerate((*SERVICES, "gateway", "rabbitmq", "postgres", "membership"), start=1):
        publishing.wait_for(number / 10, 180)
        _kill(project, victim)
    publishing.finish(240)
    checker.wait_until_quiet(published, seconds=240)
    assert_same_end(checker.prove(published), undisturbed)


def test_stops_in_time_and_comes_back_with_everything(project: Project, passwords: Mapping[str, str]) -> None:
    before = checker_of(project, passwords).prove(workload(companies=60))
    began = time.monotonic()
    project.compose("down")
    print(f"\ndown after {time.monotonic() - began:.0f} s")
    print(f"up again after {project.up():.0f} s")
    assert_same_end(checker_of(project, passwords).prove(workload(companies=60)), before)
    assert "members" in project.traboule("--help")


# --- hands -----------------------------------------------------------------------------------------------------------


def _stages(project: Project) -> dict[str, str]:
    return {row["system"]: row["stage"] for row in json.loads(project.traboule("cutover", "status", "--json"))}


def _main_process(project: Project, service: str) -> psutil.Process:
    """The program itself: the container's first process only starts and reaps it."""
    first = psutil.Process(project.pid(service))
    children = first.children(recursive=True)
    return next((child for child in children if "beam" in child.name() or "python" in child.name()), first)


def _kill(project: Project, service: str) -> None:
    """As a crash would: the engine is not told, and has to start it again by itself."""
    victim = _main_process(project, service)
    victim.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + BACK_SECONDS
    while True:
        with suppress(psutil.Error, ValueError):
            pid = project.pid(service)
            if pid and _main_process(project, service).pid != victim.pid:
                return
        assert time.monotonic() < deadline, f"{service} did not come back by itself"
        time.sleep(0.5)
