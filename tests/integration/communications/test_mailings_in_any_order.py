"""Recipients of a mailing add up, and each keeps the newest telling, in whatever order the versions come."""

import asyncio
from itertools import permutations
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import orjson

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import migrations_folder
from schemas.communications import MailingRecorded
from schemas.envelope import Envelope, encode
from schemas.reading import read
from services.communications.mirror.handlers import record_mailings
from services.communications.mirror.repository import CommunicationsUnitOfWork
from shared.persistence.database import create_engine
from shared.persistence.migrations import upgrade
from tests.support.builders import a_mailing


def test_each_recipient_is_told_of_the_newest_version_that_names_him(nodes: Nodes) -> None:
    name = f"mailings_{token_hex(3)}"
    url = urlunsplit(urlsplit(nodes.database.url)._replace(path=f"/{name}"))
    asyncio.run(execute(nodes.database.url, f"create database {name}"))
    upgrade(migrations_folder("communications"), url)
    versions = [
        telling(a_mailing(mailing_id="L1", version=1, recipients=("A", "B"))),
        telling(a_mailing(mailing_id="L1", version=2, recipients=("A",))),
        telling(a_mailing(mailing_id="L1", version=3, recipients=("C",))),
    ]
    for order in permutations(versions):
        assert asyncio.run(newest_by_recipient(url, order)) == {"A": 2, "B": 1, "C": 3}, [v.data.version for v in order]
    asyncio.run(execute(nodes.database.url, f"drop database {name} with (force)"))


def telling(mailing: MailingRecorded) -> Envelope[MailingRecorded]:
    encoded = encode("/numelink/communications", [mailing])
    (message,) = read(MailingRecorded, encoded.body, encoded.content_type, {})
    assert isinstance(message, Envelope)
    return message


async def newest_by_recipient(url: str, order: tuple[Envelope[MailingRecorded], ...]) -> dict[str, int]:
    """What a listener ends up with, when each version is a transaction of its own."""
    engine = create_engine(url, application="tests", pool_size=1)
    announced: list[dict[str, object]] = []
    async with engine.begin() as connection:
        await connection.exec_driver_sql("truncate mailings, recipients, outbox")
    for message in order:
        async with engine.begin() as connection:
            uow = CommunicationsUnitOfWork(connection)
            await record_mailings(uow, [message])
            await uow.outbox.flush(connection)
            bodies = await connection.exec_driver_sql("select body from outbox order by id")
            announced = [orjson.loads(body)["data"] for body in bodies.scalars()]
    await engine.dispose()
    stored: dict[str, int] = {}
    for data in announced:
        for recipient in data["recipients"]:  # type: ignore[attr-defined]
            stored[recipient] = max(stored.get(recipient, 0), data["version"])  # type: ignore[call-overload]
    return stored


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()
