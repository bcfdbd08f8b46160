"""A database of communications, and the mails that wait in it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.nodes import Nodes
from shared.persistence.database import create_engine
from tests.support.mailing import Mailing
from tests.support.merging import Database, a_database


@pytest.fixture(scope="module")
def mail_database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "communications") as database:
        yield database


@pytest.fixture
async def mailing(mail_database: Database) -> AsyncIterator[Mailing]:
    engine = create_engine(mail_database.url, application="test", pool_size=8)
    mailing = Mailing(engine)
    await mailing.empty()
    yield mailing
    await engine.dispose()
