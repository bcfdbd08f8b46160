"""Provisioning may run at any time: what is there stays, and passwords are this run's."""

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aio_pika
import asyncpg
import pytest

from deploy.local import provision as broker_api
from deploy.local.house import CLUSTERS
from deploy.local.nodes import Nodes
from deploy.provision import Provisioned, provision
from tests.support.builders import an_invoice
from tests.support.in_process import Passwords
from tests.support.servers import publish_as, query


@pytest.fixture
def again(nodes: Nodes, passwords: Passwords) -> Iterator[Any]:
    """Provision billing in a place of its own, as often as it is called."""
    name = f"twice-{secrets.token_hex(3)}"
    broker = urlunsplit(urlsplit(nodes.broker.url)._replace(path=f"/{name}"))

    def provision_billing() -> Provisioned:
        return provision(
            nodes.database.url,
            broker,
            nodes.broker.management_url,
            clusters_file=CLUSTERS,
            services=["billing"],
            secrets=passwords,
            databases=name.replace("-", "_"),
        )

    yield provision_billing
    broker_api.call(nodes.broker.management_url, "DELETE", f"/api/vhosts/{name}")


def test_a_second_run_keeps_rows_and_messages(again: Any) -> None:
    import asyncio

    async def leave_something() -> None:
        await query(first.env, "billing", "insert into inbox (message) values ('left by the first run')")
        await publish_as(first.env, "numelink.billing", an_invoice())

    async def what_is_left() -> tuple[list[dict[str, Any]], int]:
        async with await aio_pika.connect(second.env["TRABOULE_BILLING_BROKER_URL"]) as connection:
            queue = await (await connection.channel()).get_queue("billing.invoice-recorded", ensure=False)
            message = await queue.get()
            return await query(second.env, "billing", "select message from inbox"), len(message.body)

    first = again()
    asyncio.run(leave_something())
    second = again()
    rows, size = asyncio.run(what_is_left())

    assert rows == [{"message": "left by the first run"}]
    assert size > 0
    assert second.env == first.env


async def test_a_password_is_never_printed(again: Any) -> None:
    import asyncio

    provisioned = await asyncio.to_thread(again)
    assert "secrets" not in repr(provisioned)
    with pytest.raises(asyncpg.InvalidPasswordError):
        wrong = urlsplit(provisioned.env["TRABOULE_BILLING_DATABASE_URL"])
        await asyncpg.connect(
            urlunsplit(wrong._replace(netloc=f"{wrong.username}:guess@{wrong.hostname}:{wrong.port}"))
        )
