"""Services that hear membership: their databases alone, and one of them at a time with a broker."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.nodes import Nodes
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.merging import Database, Speaker, a_database, speaker_in


@pytest.fixture(scope="module", params=["billing", "events", "communications"])
def following(nodes: Nodes, request: pytest.FixtureRequest) -> Iterator[Database]:
    """The database of each service that follows merges."""
    with a_database(nodes, request.param) as database:
        yield database


@pytest.fixture(scope="module")
def billing_database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "billing") as database:
        yield database


@pytest.fixture(scope="module")
def membership_database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "membership") as database:
        yield database


@pytest.fixture(scope="package", params=["billing", "events", "communications"])
def any_stack(nodes: Nodes, passwords: Passwords, request: pytest.FixtureRequest) -> Iterator[OwnService]:
    """Each service that hears membership, where it can be run; ask for ``membership`` instead."""
    with own_service(nodes, passwords, request.param) as own:
        yield own


@pytest.fixture
async def silent(any_stack: OwnService, passwords: Passwords) -> Speaker:
    """Speaks to a service that does not run yet, with nothing in its database and queues."""
    speaker = speaker_in(any_stack, passwords, "membership")
    await any_stack.empty()
    return speaker


@pytest.fixture
async def membership(silent: Speaker) -> AsyncIterator[Speaker]:
    """Speaks to a service that runs in this process."""
    async with silent.stack.running():
        yield silent


@pytest.fixture(scope="module")
def membership_stack(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    """The membership service's place for running it, to be spoken to."""
    with own_service(nodes, passwords, "membership") as own:
        yield own
