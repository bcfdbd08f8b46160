"""One installation by docker compose for the whole session, from a copy of the checkout, taken away at the end."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.compose.prepare import pairs
from deploy.local.runs import CHECKOUT, free_ports
from tests.compose.engine import Engine, NoEngineError, Project, build, engine, make_base_images

FOLDER = Path(__file__).parent
IMAGE = "localhost/traboule:compose-test"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.compose)
            item.add_marker(pytest.mark.timeout(1800))
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:coroutine 'Connection.close' was never awaited"))


@pytest.fixture(scope="session")
def container_engine() -> Iterator[Engine]:
    """Docker, or Podman."""
    try:
        with engine() as result:
            yield result
    except NoEngineError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def project(container_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A running installation, with passwords, volumes and ports of its own."""
    make_base_images(container_engine)
    checkout = tmp_path_factory.mktemp("installation") / "traboule"
    _copy_checkout(checkout)
    build(container_engine, checkout, IMAGE)
    subprocess.run(["sh", "deploy/compose/secrets.sh"], cwd=checkout, check=True, stdout=subprocess.DEVNULL)
    files = checkout / "files"
    files.mkdir(mode=0o777)
    files.chmod(0o777)
    http, broker, management, database, prometheus, alertmanager, mailpit = map(str, free_ports(7))
    installed = Project(
        container_engine,
        checkout,
        "traboule-test",
        {
            "TRABOULE_IMAGE": IMAGE,
            "TRABOULE_FILES": str(files),
            "HTTP_PORT": http,
            "BROKER_PORT": broker,
            "BROKER_MANAGEMENT_PORT": management,
            "DATABASE_PORT": database,
            "PROMETHEUS_PORT": prometheus,
            "ALERTMANAGER_PORT": alertmanager,
            "MAILPIT_PORT": mailpit,
            "COMPOSE_FILE": f"docker-compose.yml:{FOLDER / 'with_database.yml'}",
        },
    )
    installed.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5")
    try:
        yield installed
    finally:
        installed.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "10")


@pytest.fixture(scope="session")
def passwords(project: Project) -> dict[str, str]:
    """By role and broker user."""
    return pairs(project.checkout / "deploy" / "compose" / "secrets" / "passwords")


def _copy_checkout(folder: Path) -> None:
    """What a clone would hold: no environment, no other installation's secrets."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, check=True, capture_output=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name)
