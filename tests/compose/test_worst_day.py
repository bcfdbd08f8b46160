"""The worst day under compose: the volumes are gone, and there is a backup that `docker compose run` made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.compose.engine import Project
from tests.compose.operating import checker_of, publish, wait_until_settled
from tests.faults.checker import assert_same_end
from tests.faults.generator import workload

BACKUP = "/files/backup"


def test_a_backup_brings_everything_back(project: Project, passwords: Mapping[str, str]) -> None:
    project.up()
    published = workload(companies=60)
    checker = checker_of(project, passwords)
    publish(project, passwords, published, seconds=0).finish(120)
    checker.wait_until_quiet(published, seconds=180)
    before = checker.prove(published)

    made = json.loads(project.traboule("backup", BACKUP, "--by", "ops", "--json"))
    assert sorted(made["databases"]) == ["billing", "communications", "events", "membership"]
    folder = Path(project.environment["TRABOULE_FILES"]) / Path(BACKUP).name
    assert folder.stat().st_mode & 0o077 == 0, "members' data for everyone on this machine"

    project.compose("--profile", "ops", "down", "--volumes")
    with project.health_checked():
        project.compose("up", "--detach", "--wait", "postgres", "rabbitmq")
    project.traboule("restore", BACKUP)
    project.up()
    project.traboule("republish")
    wait_until_settled(project)
    assert_same_end(checker.prove(published), before)

    # Their passwords are those of before, and what they say again has no effect twice.
    publish(project, passwords, published, seconds=0).finish(120)
    checker.wait_until_quiet(published, seconds=180)
    assert_same_end(checker.prove(published), before)
    assert json.loads(project.traboule("restore", BACKUP, "--json", codes=(2,)) or "{}") == {}, "it holds rows already"
