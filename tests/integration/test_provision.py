"""Provisioning may run at any time: what is there stays, and passwords are this run's."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
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

Provision = Callable[[], Provisioned]


@pytest.fixture
def again(nodes: Nodes, passwords: Passwords) -> Iterator[Provision]:
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


async def test_a_second_run_keeps_rows_and_messages(again: Provision) -> None:
    first = await asyncio.to_thread(again)
    await query(first.env, "billing", "insert into inbox (message) values ('left by the first run')")
    await publish_as(first.env, "numelink.billing", an_invoice())

    second = await asyncio.to_thread(again)
    assert second.env == first.env
    assert await query(second.env, "billing", "select message from inbox") == [{"message": "left by the first run"}]
    async with await aio_pika.connect(second.env["TRABOULE_BILLING_BROKER_URL"]) as connection:
        queue = await (await connection.channel()).get_queue("billing.invoice-recorded", ensure=False)
        assert await queue.get() is not None


async def test_a_password_is_needed_and_never_printed(again: Provision) -> None:
    provisioned = await asyncio.to_thread(again)
    own = urlsplit(provisioned.env["TRABOULE_BILLING_DATABASE_URL"])
    assert own.password
    assert own.password not in repr(provisioned)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(urlunsplit(own._replace(netloc=f"{own.username}:guess@{own.hostname}:{own.port}")))
