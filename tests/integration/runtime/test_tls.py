"""Broker, database, management API and door over TLS, with an authority of one's own: and nothing in any other way."""

import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import aio_pika
import asyncpg
import pytest
from aio_pika.exceptions import AMQPError
from sqlalchemy import text

from deploy.local.authority import Certificates, certificates
from deploy.local.local_services import LocalServices, run_services
from deploy.local.nodes import Nodes, local_nodes
from shared.messaging.management import Management, ManagementError
from shared.persistence.database import create_engine
from shared.runtime.tls import CA_FILE, client_context, over_tls
from tests.support import servers
from tests.support.builders import an_invoice
from tests.support.command import traboule
from tests.support.waiting import eventually

SERVICES = ("membership", "billing")
pytestmark = [pytest.mark.timeout(240), pytest.mark.faults]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("authority"), "localhost")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("another"), "localhost")


@pytest.fixture(scope="module")
def tls_nodes(own: Certificates) -> Iterator[Nodes]:
    """Private servers, whatever servers the environment names."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TRABOULE_")]:
            patch.delenv(name)
        with local_nodes(tls=own) as nodes:
            yield nodes


@pytest.fixture(scope="module")
def tls_stack(tls_nodes: Nodes, own: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServices]:
    """Two services, told of the authority by their setting alone: their addresses do not name it."""
    folder = tmp_path_factory.mktemp("house")
    with run_services(tls_nodes, folder=folder, services=SERVICES) as services:
        for service in SERVICES:
            services.stop(service)
            for what in ("DATABASE", "BROKER"):
                name = f"TRABOULE_{service.upper()}_{what}_URL"
                services.env[name] = bare(services.env[name])
        for service in SERVICES:
            services.start(service, {CA_FILE: str(own.ca)})
        yield services


def bare(url: str) -> str:
    """Without what says whom to trust."""
    return urlunsplit(urlsplit(url)._replace(query=""))


def at(url: str, host: str) -> str:
    return url.replace("@localhost:", f"@{host}:")


async def test_a_fact_goes_through_a_house_that_speaks_tls_alone(tls_stack: LocalServices, own: Certificates) -> None:
    fact = an_invoice()
    await servers.publish_as(tls_stack.env, "numelink.billing", fact)
    name = "TRABOULE_BILLING_DATABASE_URL"
    env = tls_stack.env | {name: over_tls(tls_stack.env[name], own.ca)}

    async def announced() -> bool:
        known = await servers.query(env, "billing", "select 1 from invoices where record_id = $1", fact.record_id)
        return bool(known) and not await servers.query(env, "billing", "select 1 from outbox")

    await eventually(announced)
    theirs = "select ssl from pg_stat_ssl join pg_stat_activity using (pid) where usename = current_user"
    connections = await servers.query(env, "billing", theirs)
    assert len(connections) > 1
    assert all(row["ssl"] for row in connections)


async def test_a_server_of_another_authority_is_refused(tls_nodes: Nodes, other: Certificates) -> None:
    database = over_tls(bare(tls_nodes.database.url), other.ca)
    engine = create_engine(database, application="test")
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncpg.connect(database, timeout=5)
    with pytest.raises(ssl.SSLCertVerificationError):
        async with engine.connect():
            pass
    await engine.dispose()
    with pytest.raises((OSError, AMQPError), match="CERTIFICATE_VERIFY_FAILED"):
        await aio_pika.connect(over_tls(bare(tls_nodes.broker.url), other.ca), timeout=5)
    with pytest.raises(ManagementError, match="CERTIFICATE_VERIFY_FAILED"):
        Management(over_tls(bare(tls_nodes.broker.management_url), other.ca)).call("GET", "/api/whoami")


async def test_the_systems_own_authorities_do_not_know_ours(tls_nodes: Nodes) -> None:
    with pytest.raises((OSError, AMQPError), match="CERTIFICATE_VERIFY_FAILED"):
        await aio_pika.connect(bare(tls_nodes.broker.url), timeout=5)


async def test_a_certificate_for_another_host_is_refused(tls_nodes: Nodes) -> None:
    # The right authority and the right server, under a name that is not in its certificate.
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        await asyncpg.connect(at(tls_nodes.database.url, "127.0.0.1"), timeout=5)
    with pytest.raises((OSError, AMQPError), match="IP address mismatch"):
        await aio_pika.connect(at(tls_nodes.broker.url, "127.0.0.1"), timeout=5)
    with pytest.raises(ManagementError, match="IP address mismatch"):
        Management(at(tls_nodes.broker.management_url, "127.0.0.1")).call("GET", "/api/whoami")


async def test_the_servers_take_nothing_in_the_clear(tls_nodes: Nodes) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="no encryption"):
        await asyncpg.connect(bare(tls_nodes.database.url) + "?sslmode=disable", timeout=5)
    with pytest.raises((OSError, AMQPError)):
        await aio_pika.connect(bare(tls_nodes.broker.url).replace("amqps://", "amqp://"), timeout=5)
    with pytest.raises(ManagementError):
        Management(bare(tls_nodes.broker.management_url).replace("https://", "http://")).call("GET", "/api/whoami")


async def test_the_right_authority_and_the_right_name_are_let_through(tls_nodes: Nodes) -> None:
    engine = create_engine(tls_nodes.database.url, application="test")
    async with engine.connect() as connection:
        assert (await connection.execute(text("select ssl from pg_stat_ssl where pid = pg_backend_pid()"))).scalar()
    await engine.dispose()
    async with await aio_pika.connect(tls_nodes.broker.url, timeout=5) as connection:
        assert not connection.is_closed
    assert Management(tls_nodes.broker.management_url).call("GET", "/api/whoami")["name"] == "admin"


async def test_the_door_speaks_https_and_takes_up_a_renewed_certificate(
    tls_stack: LocalServices, own: Certificates, other: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_gateway = certificates(tmp_path, "localhost")
    settings = {
        CA_FILE: str(own.ca),
        "TRABOULE_BILLING_HTTP_CERTIFICATE_FILE": str(at_gateway.certificate),
        "TRABOULE_BILLING_HTTP_KEY_FILE": str(at_gateway.key),
    }
    tls_stack.stop("billing")
    tls_stack.start("billing", settings, wait=False)
    port = urlsplit(tls_stack.url("billing")).port

    async def ready() -> bool:
        return health(f"https://localhost:{port}", at_gateway.ca) == 200

    await eventually(ready)
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        health(f"https://localhost:{port}", other.ca, unready=())
    with pytest.raises((urllib.error.URLError, ConnectionError, HTTPException)):
        health(f"http://127.0.0.1:{port}", at_gateway.ca, unready=())

    for name, value in {**tls_stack.env, **settings}.items():
        monkeypatch.setenv(name, value)
    for name in [name for name in os.environ if name.startswith("TRABOULE_MEMBERSHIP_")]:
        monkeypatch.delenv(name)
    answer = await traboule("status", "--json")
    assert answer.exit_code == 0, answer.out
    assert answer.json["services"][0]["url"] == f"https://127.0.0.1:{port}"
    assert answer.json["services"][0]["checks"] == {"database": True, "broker": True, "consumers": True, "relay": True}

    former = at_gateway.ca.read_bytes()
    certificates(tmp_path, "localhost")
    assert at_gateway.ca.read_bytes() != former

    async def renewed() -> bool:
        return health(f"https://localhost:{port}", at_gateway.ca) == 200

    began = time.monotonic()
    await eventually(renewed)
    assert time.monotonic() - began < 15


def health(url: str, ca: Path, unready: tuple[type[Exception], ...] = (OSError,)) -> int | None:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=client_context(ca))
    )
    try:
        with closing(opener.open(f"{url}/health/ready", timeout=5)) as answer:
            return answer.status
    except unready:
        return None
