"""One pair of nodes and one house for all fault scenarios; each scenario starts with everything empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.nodes import local_nodes
from deploy.local.runs import Run
from tests.faults.nemesis import Stage

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FOLDER in item.path.parents:
            if item.get_closest_marker("soak") is None:
                item.add_marker(pytest.mark.faults)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(300))
            # What aio-pika's publishers leave of a connection that was cut is theirs, and no concern of the services.
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:coroutine 'Connection.close' was never awaited"))


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Servers that may be killed are our own, whatever servers the environment names."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TRABOULE_DATABASE_URL", "TRABOULE_BROKER_URL", "TRABOULE_BROKER_MANAGEMENT_URL"):
            patch.delenv(name, raising=False)
        with local_nodes() as nodes, Run() as run:
            stage = Stage(nodes, run, tmp_path_factory.mktemp("house"))
            try:
                stage.run_undisturbed()
                yield stage
            finally:
                stage.close()


@pytest.fixture
def stage(theatre: Stage, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Four running services, nothing in their databases and queues."""
    theatre.reset()
    failed = request.session.testsfailed
    yield theatre
    theatre.left(clean=request.session.testsfailed == failed)
