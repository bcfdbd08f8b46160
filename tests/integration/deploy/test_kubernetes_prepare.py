"""The job that prepares a house on Kubernetes, against real servers: any number of times, and no password changes."""

import asyncio
import os
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from deploy.kubernetes import secrets as kubernetes_secrets
from deploy.local.nodes import Nodes
from deploy.provisioning import definitions, prepare_job
from deploy.provisioning.provision import CLUSTERS
from shared.messaging import accounts
from shared.messaging.management import Management
from tests.support.builders import an_invoice
from tests.support.in_process import Passwords
from tests.support.servers import publish_as

USER = "numelink.billing"


@pytest.fixture
def vhost(nodes: Nodes, passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A virtual host of its own, and the environment that the job would have; roles are those of the session."""
    name = f"own-{secrets.token_hex(3)}"
    definitions.call(nodes.broker.management_url, "PUT", f"/api/vhosts/{name}", {})
    database, broker = urlsplit(nodes.database.url), urlsplit(nodes.broker.url)._replace(path=f"/{name}")
    monkeypatch.setenv("TRABOULE_DATABASE_URL", nodes.database.url)
    monkeypatch.setenv("TRABOULE_BROKER_URL", urlunsplit(broker))
    monkeypatch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", nodes.broker.management_url)
    monkeypatch.setenv("TRABOULE_CLUSTERS_FILE", str(CLUSTERS))
    for what, parts, user, path in (
        ("DATABASE", database, "traboule_billing", "/traboule_billing"),
        ("BROKER", broker, "traboule.billing", f"/{name}"),
    ):
        netloc = f"{user}:{passwords.get(user)}@{parts.netloc.rpartition('@')[2]}"
        monkeypatch.setenv(f"TRABOULE_BILLING_{what}_URL", urlunsplit(parts._replace(netloc=netloc, path=path)))
    yield name
    definitions.call(nodes.broker.management_url, "DELETE", f"/api/vhosts/{name}")


async def prepared() -> tuple[str, ...]:
    return (await asyncio.to_thread(prepare_job.prepare, ["billing"])).let_in


async def test_services_are_made_and_former_systems_are_left_to_those_who_let_them_in(
    vhost: str, nodes: Nodes, passwords: Passwords
) -> None:
    assert await prepared() == ()
    connection = await asyncpg.connect(os.environ["TRABOULE_BILLING_DATABASE_URL"])
    assert await connection.fetchval("select count(*) from outbox") == 0
    await connection.close()
    api = Management(nodes.broker.management_url)
    known = accounts.read_accounts(api, vhost)
    assert known["traboule.billing"].in_vhost
    assert USER not in known or not known[USER].in_vhost

    password = passwords.get(USER)
    accounts.grant(api, vhost, USER, password)
    definitions.call(nodes.broker.management_url, "DELETE", f"/api/topic-permissions/{vhost}/{USER}/traboule")
    assert await prepared() == (USER,)
    assert accounts.differences(accounts.read_accounts(api, vhost)[USER], accounts.intended(USER)) == []
    parts = urlsplit(nodes.broker.url)
    url = urlunsplit(parts._replace(netloc=f"{USER}:{password}@{parts.netloc.rpartition('@')[2]}", path=f"/{vhost}"))
    assert await publish_as({"TRABOULE_BROKER_URL_NUMELINK_BILLING": url}, USER, an_invoice())


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        ("TRABOULE_DATABASE_URL", "", "TRABOULE_DATABASE_URL is not set"),
        ("TRABOULE_BILLING_BROKER_URL", "amqp://admin:x@host/v", "does not hold the user traboule.billing"),
        ("TRABOULE_BILLING_DATABASE_URL", "postgresql://traboule_billing@host/x", "and its password"),
    ],
)
def test_what_is_missing_is_told(
    vhost: str, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, text: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(prepare_job.NotGivenError, match=text):
        prepare_job.prepare(["billing"])


def test_the_addresses_in_the_secrets_are_those_that_the_job_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("membership", "billing", "events", "communications"):
        made = kubernetes_secrets.secret(service)["stringData"]
        monkeypatch.setenv(f"TRABOULE_{service.upper()}_DATABASE_URL", made["database-url"])
        monkeypatch.setenv(f"TRABOULE_{service.upper()}_BROKER_URL", made["broker-url"])
    passwords = prepare_job.passwords()
    assert len(passwords) == len(set(passwords.values())) == 8
    assert all(len(password) >= 32 for password in passwords.values())
