"""What tests share: one pair of servers and one house for each session or worker, started when a test first asks."""

import gc
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from deploy.local.local_services import LocalServices, run_services
from deploy.local.nodes import Nodes, local_nodes
from deploy.provisioning.external import BROKER
from services.cli.serve import SERVED
from shared.messaging.broker_version import PRIVATE_BROKER
from shared.runtime.tls import address
from tests.support import parallel
from tests.support.examples import LEAST, QUICK
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.servers import publish_as as publish_as_user

TESTS = Path(__file__).parent

# Made before the command line's profile is chosen; tests with a number of their own use examples().
settings.register_profile(QUICK, max_examples=LEAST, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    parallel.refuse_shared_servers(config)
    parallel.take_own_ports()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Before `-m` chooses by the marks that are made here.
    parallel.arrange(items, TESTS)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Collect garbage as a service does: what was imported stays, and looking at it took a tenth of a test's time."""
    gc.freeze()
    gc.set_threshold(*SERVED)


@pytest.fixture(scope="session", autouse=True)
def short_logs() -> None:
    """One plain line an event: structlog's own way of showing a traceback takes longer than a test.

    Lines go to where pytest captures the process's standard error. A command that a test calls meanwhile has
    ``sys.stdout`` and ``sys.stderr`` for itself: a service of the same process would else write into its answer.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.__stderr__),
    )


@pytest.fixture(autouse=True)
def environment_as_before() -> Iterator[None]:
    """What a test, or the code that it runs, wrote to the environment does not reach the next one of its worker."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    for name, value in before.items():
        if name != "PYTEST_CURRENT_TEST" and os.environ.get(name) != value:
            os.environ[name] = value


@pytest.fixture(scope="session", autouse=True)
def private_broker() -> Iterator[None]:
    """Brokers that tests start are private, so former systems may publish to Debian's 3.10 too; a named one may not."""
    with pytest.MonkeyPatch.context() as patch:
        if not address(BROKER):
            patch.setenv(PRIVATE_BROKER, "yes")
        yield


@pytest.fixture(scope="session")
def nodes(pytestconfig: pytest.Config) -> Iterator[Nodes]:
    """A database and a broker, private unless the environment names servers.

    The database waits for the disk only where what is measured, or killed, is to behave as in production.
    """
    chosen = str(pytestconfig.getoption("markexpr"))
    usual = all(f"not {mark}" in chosen for mark in ("faults", "bench", "soak"))
    with local_nodes(synced=not usual) as nodes:
        yield nodes


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    """Broker users belong to all virtual hosts, so whoever provisions in this session gives them the same passwords."""
    return Passwords()


@pytest.fixture(scope="session")
def stack(nodes: Nodes, passwords: Passwords, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServices]:
    """All four services as processes. Tests share it: they tell their records apart by ids of their own."""
    folder: Path = tmp_path_factory.mktemp("house")
    with run_services(nodes, folder=folder, secrets=passwords) as services:
        yield services


@pytest.fixture
def publish_as(stack: LocalServices) -> Callable[..., Awaitable[str]]:
    """``await publish_as("numelink.billing", an_invoice())``: see :func:`tests.support.servers.publish_as`."""
    return partial(publish_as_user, stack.env)


@pytest.fixture(scope="session")
def own_billing(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    """The billing service's place for running it inside a test; ask for `billing_house` instead."""
    with own_service(nodes, passwords, "billing") as own:
        yield own


@pytest.fixture
async def empty_billing(own_billing: OwnService) -> OwnService:
    """An empty database and empty queues of billing alone: ``async with billing_house.running(): ...``."""
    await own_billing.empty()
    return own_billing


@pytest.fixture
async def billing(empty_billing: OwnService) -> AsyncIterator[OwnService]:
    """The same, with billing running in this process."""
    async with empty_billing.running():
        yield empty_billing
