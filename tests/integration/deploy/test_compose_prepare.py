"""What docker compose runs at every `up`, against real servers: a former system's password is its own from then on."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import aio_pika
import pytest
from aiormq.exceptions import AuthenticationError, ProbableAuthenticationError

from deploy.local.nodes import Nodes
from deploy.provisioning import definitions, prepare_job
from shared.messaging import accounts
from shared.messaging.management import Management
from tests.support.in_process import Passwords

CLUSTER = """
[clusters.{code}]
name = "One whose broker user no other test knows"
former_systems = ["billing"]
"""


@pytest.fixture
def user(nodes: Nodes, passwords: Passwords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A former system of a cluster of its own, in a virtual host of its own; the environment is that of house.env."""
    code = f"c{secrets.token_hex(3)}"
    (tmp_path / "clusters.toml").write_text(CLUSTER.format(code=code))
    database, broker = urlsplit(nodes.database.url), urlsplit(nodes.broker.url)._replace(path=f"/{code}")
    monkeypatch.setenv("TRABOULE_DATABASE_URL", nodes.database.url)
    monkeypatch.setenv("TRABOULE_BROKER_URL", urlunsplit(broker))
    monkeypatch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", nodes.broker.management_url)
    monkeypatch.setenv("TRABOULE_CLUSTERS_FILE", str(tmp_path / "clusters.toml"))
    for what, parts, text, path in (
        ("DATABASE", database, "traboule_billing", "/traboule_billing"),
        ("BROKER", broker, "traboule.billing", f"/{code}"),
    ):
        netloc = f"{text}:{passwords.get(text)}@{parts.netloc.rpartition('@')[2]}"
        monkeypatch.setenv(f"TRABOULE_BILLING_{what}_URL", urlunsplit(parts._replace(netloc=netloc, path=path)))
    yield f"{code}.billing"
    definitions.call(nodes.broker.management_url, "DELETE", f"/api/vhosts/{code}")
    definitions.call(nodes.broker.management_url, "DELETE", f"/api/users/{code}.billing")


async def gets_in(nodes: Nodes, user: str, password: str) -> bool:
    parts = urlsplit(nodes.broker.url)
    netloc = f"{user}:{password}@{parts.netloc.rpartition('@')[2]}"
    try:
        url = urlunsplit(parts._replace(netloc=netloc, path=f"/{user.partition('.')[0]}"))
        async with await aio_pika.connect(url, timeout=10):
            return True
    except (AuthenticationError, ProbableAuthenticationError):
        return False


async def test_a_rotated_password_stays_rotated_and_who_was_revoked_stays_so(user: str, nodes: Nodes) -> None:
    file = {user: "as secrets.sh made it"}

    async def up() -> prepare_job.Prepared:
        return await asyncio.to_thread(prepare_job.prepare, ["billing"], file)

    assert (await up()).let_in == (user,)
    assert await gets_in(nodes, user, file[user])

    api, vhost = Management(nodes.broker.management_url), user.partition(".")[0]
    accounts.set_password(api, accounts.read_accounts(api, vhost)[user], "after it became known")
    definitions.call(nodes.broker.management_url, "DELETE", f"/api/topic-permissions/{vhost}/{user}/traboule")
    assert (await up()).let_in == (user,)
    assert not await gets_in(nodes, user, file[user]), "what became known lets nobody in again"
    assert await gets_in(nodes, user, "after it became known")
    account = accounts.read_accounts(api, vhost)[user]
    assert accounts.differences(account, accounts.intended(user)) == [], "it gets what it lacks"

    nothing = {"configure": "^$", "write": "^$", "read": "^$"}
    definitions.call(nodes.broker.management_url, "PUT", f"/api/permissions/{vhost}/{user}", nothing)
    again = await up()
    assert (again.let_in, again.revoked) == ((), (user,))
    assert accounts.read_accounts(api, vhost)[user].rights.none
