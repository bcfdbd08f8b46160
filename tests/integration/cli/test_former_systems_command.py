"""``traboule former-systems``: a third cluster is let in, gets another password, and is shut out, on a real broker."""

import gc
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.exceptions import ProbableAuthenticationError

from deploy.provisioning import definitions
from deploy.provisioning.provision import CLUSTERS
from shared.messaging import accounts
from tests.support.builders import an_invoice
from tests.support.command import Answer, traboule
from tests.support.in_process import OwnService
from tests.support.waiting import eventually

# A connection that the broker closes leaves a coroutine behind in the AMQP library.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:coroutine 'Connection.close' was never awaited"),
]

SYSTEM = "grandlyon/billing"
USER = "grandlyon.billing"
VARIABLE = "TRABOULE_BROKER_URL_GRANDLYON_BILLING"
THIRD = """
[clusters.grandlyon]
name = "Grand Lyon Tech"
former_systems = ["billing"]
"""


@pytest.fixture
async def own(empty_billing: OwnService, tmp_path: Path) -> AsyncIterator[OwnService]:
    """Billing's place, told of a third cluster by its clusters file alone."""
    clusters = tmp_path / "clusters.toml"
    clusters.write_text(CLUSTERS.read_text("utf-8") + THIRD, "utf-8")
    with empty_billing.environment() as patch:
        patch.setenv("TRABOULE_CLUSTERS_FILE", str(clusters))
        patch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", empty_billing.management_url)
        yield empty_billing
    gc.collect()  # what is left behind is this test's, not the next one's
    for user in (USER, "somebody"):
        if user in {item["name"] for item in definitions.call(empty_billing.management_url, "GET", "/api/users")}:
            definitions.call(empty_billing.management_url, "DELETE", f"/api/users/{user}")


async def former(*words: str) -> Answer:
    return await traboule("former-systems", *words)


async def listed(system: str | None = SYSTEM, user: str = USER) -> dict[str, Any]:
    rows = (await former("list", "--json")).json
    (row,) = (item for item in rows if item["system"] == system and item["user"] == user)
    return row


async def added() -> str:
    answer = await former("add", SYSTEM, "--json")
    assert answer.exit_code == 0, answer.err
    return answer.json["url"]


async def disconnected(own: OwnService) -> bool:
    return definitions.call(own.management_url, "GET", f"/api/connections/username/{USER}") == []


def with_third(own: OwnService, url: str) -> OwnService:
    return OwnService(own.name, own.vhost, {**own.env, VARIABLE: url}, own.admin_url, own.management_url)


async def test_a_third_cluster_needs_a_line_in_the_clusters_file_and_one_command(
    own: OwnService, tmp_path: Path
) -> None:
    assert (await listed())["state"] == "missing"
    answer = await former("add", SYSTEM)
    assert answer.exit_code == 0, answer.err
    assert f"the broker user {USER} may publish" in answer.out
    assert "restart them" in answer.err
    url = next(line for line in answer.out.splitlines() if line.startswith(VARIABLE)).partition("=")[2]
    fact = an_invoice()
    third = with_third(own, url)

    async with own.running(clusters_file=tmp_path / "clusters.toml"):
        await third.publish_as(USER, fact)

        async def applied() -> bool:
            return await own.column("select cluster from invoices where invoice_id = $1", fact.invoice_id) == [
                "grandlyon"
            ]

        await eventually(applied)
        # Its own routing keys, and nobody else's; nothing to read; what nothing hears is kept, and told of.
        with pytest.raises(Exception, match=r"ACCESS_REFUSED|access to topic"):
            await third.publish_as(USER, an_invoice(), key="numelink.billing.invoice-recorded")
        async with await aio_pika.connect(url, timeout=10) as connection:
            channel = await connection.channel()
            queue = await channel.get_queue("billing.invoice-recorded", ensure=False)
            with pytest.raises(Exception, match="ACCESS_REFUSED"):
                await queue.get(timeout=5)
        await third.publish_as(USER, b"{}", key="grandlyon.billing.nobody-hears-this")

        async def parked() -> bool:
            return [row["reason"] for row in await own.parked()] == ["unrouted"]

        await eventually(parked)
    row = await listed()
    assert (row["state"], row["stage"], row["wrong"]) == ("as it should be", "legacy", False)
    assert row["rights"] == row["should"]
    assert row["rights"]["limits"] == {"max-channels": 200, "max-connections": 50}


async def test_adding_again_changes_no_password_and_mends_rights(own: OwnService) -> None:
    url = await added()
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    definitions.call(own.management_url, "PUT", f"/api/permissions/{own.vhost}/{USER}", everything)
    definitions.call(own.management_url, "DELETE", f"/api/topic-permissions/{own.vhost}/{USER}/traboule")
    definitions.call(own.management_url, "DELETE", f"/api/user-limits/{USER}/max-connections")
    answer = await former("list")
    assert answer.exit_code == 1
    shown = " ".join(answer.out.split())
    assert r"write is .*, should be ^traboule\z" in shown
    assert "topic_write is anything, should be ^grandlyon\\.billing\\." in shown
    assert f"mend: traboule former-systems add {SYSTEM}" in shown

    again = await former("add", SYSTEM)
    assert again.exit_code == 0
    assert "its password stays" in again.out
    assert VARIABLE not in again.out
    assert (await listed())["state"] == "as it should be"
    await with_third(own, url).publish_as(USER, an_invoice())


async def test_a_new_password_ends_the_old_one_and_an_open_connection_only_if_asked(
    own: OwnService, tmp_path: Path
) -> None:
    first = await added()
    open_one = await aio_pika.connect(first, timeout=10)
    channel = await open_one.channel(publisher_confirms=True)
    file = tmp_path / "url"
    answer = await former("rotate", SYSTEM, "--url-file", str(file))
    assert answer.exit_code == 0, answer.err
    assert f"{VARIABLE}_FILE={file}" in answer.out
    assert "amqp" not in answer.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    second = file.read_text().strip()
    with pytest.raises(ProbableAuthenticationError):
        await aio_pika.connect(first, timeout=10)
    await with_third(own, second).publish_as(USER, an_invoice())
    assert (await listed())["rights"]["limits"] == {"max-channels": 200, "max-connections": 50}
    exchange = await channel.get_exchange("traboule", ensure=False)
    await exchange.publish(aio_pika.Message(b"{}", user_id=USER), "grandlyon.billing.still-open", timeout=10)

    closed = await former("rotate", SYSTEM, "--disconnect")
    assert "one open connection was closed" in closed.out

    await eventually(lambda: disconnected(own))
    await open_one.close()


async def test_an_address_in_a_file_stays_as_long_as_its_password_is_the_right_one(
    own: OwnService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "url"
    assert (await former("add", SYSTEM, "--url-file", str(file))).exit_code == 0
    first = file.read_text()

    again = await former("add", SYSTEM, "--url-file", str(file))
    assert again.exit_code == 0, again.err
    assert file.read_text() == first
    assert f"{file} was not written" in again.out

    def refusing(*_: object) -> None:
        raise accounts.RightsError("the broker does not want to")

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "set_password", refusing)
        answer = await former("rotate", SYSTEM, "--url-file", str(file))
        assert (answer.exit_code, "does not want to" in answer.err) == (2, True)
    assert file.read_text() == first
    assert list(tmp_path.glob("url*")) == [file]
    await with_third(own, first.strip()).publish_as(USER, an_invoice())

    file.chmod(0o644)
    assert (await former("rotate", SYSTEM, "--url-file", str(file))).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.glob("url*")) == [file]
    await with_third(own, file.read_text().strip()).publish_as(USER, an_invoice())


async def test_a_new_password_is_told_even_if_its_file_or_the_end_of_connections_fails(
    own: OwnService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await added()
    file = tmp_path / "url"
    really = accounts.set_password

    def and_then_the_folder_exists(*words: Any) -> None:
        really(*words)
        file.mkdir()

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "set_password", and_then_the_folder_exists)
        answer = await former("rotate", SYSTEM, "--url-file", str(file))
    assert answer.exit_code == 2
    periodic_tasks = tmp_path / "url.new"
    assert f"the new address is in {periodic_tasks}" in answer.err
    await with_third(own, periodic_tasks.read_text().strip()).publish_as(USER, an_invoice())

    def refusing(*_: object) -> int:
        raise accounts.RightsError("the broker does not want to")

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "disconnect", refusing)
        answer = await former("rotate", SYSTEM, "--disconnect")
    assert (answer.exit_code, "does not want to" in answer.err) == (2, True)
    assert "its open connections were not closed" in answer.err
    url = next(line for line in answer.out.splitlines() if line.startswith(VARIABLE)).partition("=")[2]
    await with_third(own, url).publish_as(USER, an_invoice())


async def test_the_address_is_the_one_that_others_reach_the_broker_by(
    own: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRABOULE_BROKER_PUBLIC_URL", "amqps://broker.example:5671")
    url = (await former("add", SYSTEM, "--json")).json["url"]
    assert url.startswith(f"amqps://{USER}:")
    assert url.endswith(f"@broker.example:5671/{own.vhost}")
    for wrong in ("broker.example:5671", "https://broker.example", "amqps://"):
        monkeypatch.setenv("TRABOULE_BROKER_PUBLIC_URL", wrong)
        answer = await former("rotate", SYSTEM)
        assert (answer.exit_code, "amqps://broker.example.org:5671" in answer.err) == (2, True), wrong
    monkeypatch.delenv("TRABOULE_BROKER_PUBLIC_URL")
    # What was refused changed nothing.
    ours = own.env["TRABOULE_BILLING_BROKER_URL"].rpartition("@")[2]
    await with_third(own, f"{url.rpartition('@')[0].replace('amqps', 'amqp')}@{ours}").publish_as(USER, an_invoice())


async def test_whoever_is_revoked_can_do_nothing_and_comes_back_only_on_purpose(own: OwnService) -> None:
    url = await added()
    third = with_third(own, url)
    connection = await aio_pika.connect(url, timeout=10)
    channel = await connection.channel(publisher_confirms=True)
    exchange = await channel.get_exchange("traboule", ensure=False)
    message = aio_pika.Message(b"{}", user_id=USER)
    await exchange.publish(message, "grandlyon.billing.before", timeout=10)

    answer = await former("revoke", SYSTEM, "--yes")
    assert answer.exit_code == 0, answer.err

    await eventually(lambda: disconnected(own))
    await connection.close()
    with pytest.raises(Exception, match=r"ACCESS_REFUSED|access to exchange"):
        await third.publish_as(USER, an_invoice())
    assert (await listed())["state"] == "revoked"

    refused = await former("add", SYSTEM)
    assert (refused.exit_code, "--again" in refused.err) == (2, True)
    assert (await former("add", SYSTEM, "--again")).exit_code == 0
    await third.publish_as(USER, an_invoice())


async def test_who_has_rights_without_being_of_the_house_is_shown(own: OwnService) -> None:
    await added()
    definitions.call(own.management_url, "PUT", "/api/users/somebody", {"password": "x", "tags": "monitoring"})
    rights = {"configure": "", "write": "", "read": ".*"}
    definitions.call(own.management_url, "PUT", f"/api/permissions/{own.vhost}/somebody", rights)
    row = await listed(None, "somebody")
    assert (row["state"], row["wrong"]) == ("stranger", True)
    assert "rabbitmqctl delete_user somebody" in (await former("list")).out


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("add", "grandlyon"), "is no former system"),
        (("add", "grandlyon/invoicing"), "is no former system"),
        (("add", "elsewhere/billing"), "there is no elsewhere/billing; there are"),
        (("rotate", SYSTEM), f"add {SYSTEM}"),
        (("revoke", SYSTEM, "--yes"), "there is no broker user"),
        (("add", SYSTEM, "--url-file", "/nowhere/at/all"), "nothing was changed"),
        (("add", SYSTEM, "--url-file", "/tmp"), "nothing was changed"),
    ],
)
async def test_wrong_input_is_told(own: OwnService, words: tuple[str, ...], text: str) -> None:
    answer = await former(*words)
    assert answer.exit_code in (1, 2)
    assert text in " ".join((answer.out + answer.err).split())
    assert (await listed())["state"] == "missing"


async def test_the_management_api_is_needed(own: OwnService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRABOULE_BROKER_MANAGEMENT_URL")
    answer = await former("list")
    assert (answer.exit_code, "TRABOULE_BROKER_MANAGEMENT_URL is not set" in answer.err) == (2, True)
