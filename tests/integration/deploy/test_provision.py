"""Provisioning may run at any time: what is there stays, and passwords are this run's."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import aio_pika
import asyncpg
import pytest
from aiormq.exceptions import ChannelAccessRefused

from deploy.errors import NodeError
from deploy.local.nodes import Nodes
from deploy.provisioning import definitions
from deploy.provisioning.provision import CLUSTERS, Provisioned, provision
from services import SERVICES
from services.cli.backup import broker as backup_broker
from services.cli.environment import settings_of
from shared.cli.errors import CannotAct
from shared.messaging import accounts, broker_version
from shared.messaging.management import Management, path
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService, Passwords
from tests.support.servers import publish_as, query
from tests.support.waiting import eventually

Provision = Callable[..., Provisioned]

THREE = """
[clusters.clustr-numerique]
name = "Clust'R Numérique"
former_systems = ["billing"]

[clusters.auvergne]
name = "A third"
former_systems = ["billing"]
"""


@pytest.fixture
def again(nodes: Nodes, passwords: Passwords) -> Iterator[Provision]:
    """Provision billing in a place of its own, as often as it is called."""
    name = f"twice-{secrets.token_hex(3)}"
    broker = urlunsplit(urlsplit(nodes.broker.url)._replace(path=f"/{name}"))

    def provision_billing(clusters_file: Path = CLUSTERS) -> Provisioned:
        return provision(
            nodes.database.url,
            broker,
            nodes.broker.management_url,
            clusters_file=clusters_file,
            services=["billing"],
            secrets=passwords,
            databases=name.replace("-", "_"),
        )

    yield provision_billing
    definitions.call(nodes.broker.management_url, "DELETE", f"/api/vhosts/{name}")


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


async def test_two_may_run_at_once_on_an_empty_server(again: Provision, nodes: Nodes) -> None:
    other = await asyncpg.connect(nodes.database.url)
    roles = "select count(*) from pg_roles where rolname like 'twice%'"
    value = await other.fetchval(roles)
    await other.execute("select pg_advisory_lock(hashtext('provision'))")
    waiting = asyncio.create_task(asyncio.to_thread(again))
    await eventually(
        lambda: _true(other, "select exists (select from pg_locks where locktype = 'advisory' and not granted)")
    )
    assert await other.fetchval(roles) == value, "nothing is made that the other may be making"
    await other.close()
    provisioned = await waiting
    assert await query(provisioned.env, "billing", "select count(*) from outbox") == [{"count": 0}]


async def _true(connection: "asyncpg.Connection[asyncpg.Record]", sql: str) -> bool:
    return await connection.fetchval(sql)


async def test_a_server_that_refuses_us_is_told_without_a_traceback(nodes: Nodes) -> None:
    parts = urlsplit(nodes.database.url)
    wrong = urlunsplit(parts._replace(netloc=f"{parts.username}:wrong@{parts.netloc.rpartition('@')[2]}"))
    with pytest.raises(NodeError, match="password authentication failed"):
        await asyncio.to_thread(
            provision,
            wrong,
            nodes.broker.url,
            nodes.broker.management_url,
            clusters_file=CLUSTERS,
            services=["billing"],
        )


async def test_a_password_is_needed_and_never_printed(again: Provision) -> None:
    provisioned = await asyncio.to_thread(again)
    own = urlsplit(provisioned.env["TRABOULE_BILLING_DATABASE_URL"])
    assert own.password
    assert own.password not in repr(provisioned)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(urlunsplit(own._replace(netloc=f"{own.username}:guess@{own.hostname}:{own.port}")))


async def test_former_systems_are_not_let_in_at_a_broker_that_is_too_old(
    again: Provision, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await asyncio.to_thread(again)
    monkeypatch.setattr(broker_version, "version_of", lambda _: "3.13.7")
    monkeypatch.delenv(broker_version.PRIVATE_BROKER, raising=False)
    with pytest.raises(NodeError, match=r"RabbitMQ 3\.13\.7, and no former system may publish"):
        await asyncio.to_thread(again)
    broker = Management(nodes.broker.management_url)
    vhost = accounts.vhost_of(first.env["TRABOULE_BILLING_BROKER_URL"])
    with pytest.raises(accounts.RightsError, match=r"RabbitMQ 3\.13\.7, and no former system may publish"):
        accounts.grant(broker, vhost, "numelink.billing", None)
    monkeypatch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", nodes.broker.management_url)
    saved = backup_broker.export(vhost)
    with pytest.raises(CannotAct, match=r"RabbitMQ 3\.13\.7, and no former system may publish"):
        backup_broker.load(saved, vhost)
    monkeypatch.setattr(broker_version, "version_of", lambda _: "4.0.0")
    backup_broker.load(saved, vhost)
    assert (await asyncio.to_thread(again)).env == first.env


async def test_who_was_revoked_stays_so(again: Provision, nodes: Nodes) -> None:
    first = await asyncio.to_thread(again)
    assert first.revoked == ()
    queue, url = "numelink.billing.way-back", first.env["TRABOULE_BROKER_URL_NUMELINK_BILLING"]
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        assert await (await channel.get_queue(queue, ensure=False)).get(fail=False) is None
    broker = Management(nodes.broker.management_url)
    vhost = accounts.vhost_of(url)
    nothing = {"configure": "^$", "write": "^$", "read": "^$"}
    broker.call("PUT", path("permissions", vhost, "numelink.billing"), nothing)
    broker.call("PUT", path("topic-permissions", vhost, "numelink.billing"), {"exchange": "traboule", **nothing})

    second = await asyncio.to_thread(again)
    assert second.revoked == ("numelink.billing",)
    assert "TRABOULE_BROKER_URL_NUMELINK_BILLING" not in second.env
    assert accounts.read_accounts(broker, vhost)["numelink.billing"].rights.none
    with pytest.raises(Exception, match=r"ACCESS_REFUSED|access to exchange"):
        await publish_as(first.env, "numelink.billing", an_invoice())
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        with pytest.raises(ChannelAccessRefused):
            await (await channel.get_queue(queue, ensure=False)).get(fail=False)
    # The others are as before, and whoever decided so can give the rights back.
    await publish_as(second.env, "clustr-numerique.billing", an_invoice())
    accounts.grant(broker, vhost, "numelink.billing", None)
    assert (await asyncio.to_thread(again)).env == first.env


async def test_the_services_go_by_the_clusters_that_were_provisioned(
    again: Provision, nodes: Nodes, tmp_path: Path
) -> None:
    file = tmp_path / "clusters.toml"
    file.write_text(THREE, "utf-8")
    provisioned = await asyncio.to_thread(again, file)
    vhost = urlsplit(provisioned.env["TRABOULE_BILLING_BROKER_URL"]).path[1:]
    services = OwnService("billing", vhost, provisioned.env, nodes.broker.url, nodes.broker.management_url)

    async with services.running():
        await services.publish_as("auvergne.billing", an_invoice(invoice_id="F1"))

        async def arrived() -> bool:
            return bool(await services.query("select message from inbox") or await services.parked())

        await eventually(arrived)
    assert await services.parked() == [], "a cluster that billing did not know"
    for service in SERVICES:
        given = {"DATABASE": "postgresql://elsewhere/x", "BROKER": "amqp://elsewhere/x"}
        elsewhere = {f"TRABOULE_{service.upper()}_{name}_URL": url for name, url in given.items()}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**provisioned.env, **elsewhere}.items():
                patch.setenv(name, value)
            assert settings_of(service).clusters_file == file.resolve()
