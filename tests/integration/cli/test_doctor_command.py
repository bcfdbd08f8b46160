"""``traboule doctor``: things are broken on purpose, and it names each of them and what mends it."""

import asyncio
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aio_pika
import pytest
from aio_pika.exceptions import DeliveryError

from deploy.local.local_services import LocalServices
from deploy.local.runs import Run
from deploy.provisioning import definitions
from deploy.provisioning.provision import CLUSTERS, Provisioned
from services.cli.doctor import database as doctor_database
from services.cli.doctor import queues as doctor_queues
from shared.messaging import broker_version
from tests.support.builders import an_invoice
from tests.support.command import traboule
from tests.support.in_process import OwnService
from tests.support.messages import KEY, NUMELINK, parked
from tests.support.waiting import eventually

Finding = list[dict[str, Any]]
QUEUE = "billing.invoice-recorded"


@pytest.fixture
def own(empty_billing: OwnService, tmp_path: Path) -> Iterator[OwnService]:
    """Billing as a process, and the command told of it and of the management API."""
    clusters = tmp_path / "clusters.toml"
    clusters.write_text(CLUSTERS.read_text("utf-8"), "utf-8")
    os.utime(clusters, (0, 0))
    env = dict(empty_billing.env) | {"TRABOULE_CLUSTERS_FILE": str(clusters)}
    with Run() as run, empty_billing.environment() as patch:
        services = LocalServices(run, Provisioned(env, {}), tmp_path, ["billing"])
        services.start("billing")
        for name, value in (env | services.env).items():
            patch.setenv(name, value)
        patch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", empty_billing.management_url)
        yield empty_billing
        services.close()


def api(own: OwnService, method: str, where: str, body: dict[str, Any] | None = None) -> Any:
    return definitions.call(own.management_url, method, where.format(quote(own.vhost, safe="")), body)


async def examined() -> tuple[int, Finding]:
    answer = await traboule("doctor", "--json")
    assert answer.json["ok"] == (answer.exit_code == 0)
    return answer.exit_code, answer.json["findings"]


def wrong(result: Finding, state: str = "fail", where: str | None = None) -> list[str]:
    return [
        f"{document['where']} {document['check']}: {document['found']} -> {document['mend']}"
        for document in result
        if document["state"] == state and where in (None, document["where"])
    ]


async def nothing_wrong() -> bool:
    assert wrong((await examined())[1]) == []
    return True


async def names(*words: str, state: str = "fail") -> bool:
    """Whether one finding holds all of these words."""
    code, result = await examined()
    texts = [text for text in wrong(result, state) if all(word in text for word in words)]
    assert texts, wrong(result, state)
    assert code >= (2 if state == "fail" else 1)
    return True


async def test_nothing_is_wrong_where_all_is_well_and_what_waits_for_a_person_is_told(own: OwnService) -> None:
    # Where the machine is busy, what was just started may still be slow to answer.
    await eventually(nothing_wrong, 30)
    code, result = await examined()
    assert code == 1, "three services are not configured here, and no backup was noted"
    assert {text.split(" -> ")[1] for text in wrong(result, "warn", "billing")} == {"traboule backup FOLDER"}
    well = {document["check"] for document in result if document["state"] == "ok"}
    assert well >= {"process", "schema", "role", "clock", "queues", "consumers", "bindings", "policies", "outbox"}
    assert well >= {"definitions of queues", "exchanges", "rights of services", "rights of former systems", "nodes"}
    assert {
        document["where"] for document in result if document["check"] == "settings" and document["state"] == "warn"
    } == {
        "membership",
        "events",
        "communications",
    }

    assert (await traboule("cutover", "note-backup", "--note", "on the shelf")).exit_code == 0
    await own.publish_as(NUMELINK, b'{"name": "Jeanne Gier"', key=KEY)
    await parked(own)
    await traboule("cutover", "mirror", "numelink/billing", "--reason", "its export is in")
    code, result = await examined()
    assert code == 1
    texts = wrong(result, "warn", "billing")
    assert [text for text in texts if "backup" in text] == []
    assert "billing dead letters: 1 wait for a person -> traboule dead-letters list --service billing" in texts
    assert "numelink/billing (mirror) was never compared -> traboule parity --as numelink/billing" in " ".join(texts)

    shown = (await traboule("doctor")).out
    assert "1 wait for a person" in shown
    assert "0 wrong, " in shown
    assert "Jeanne" not in shown


async def test_a_binding_a_right_and_a_policy_that_are_not_as_they_should_be(own: OwnService) -> None:
    (binding,) = api(own, "GET", f"/api/bindings/{{}}/e/traboule/q/{QUEUE}")
    api(own, "DELETE", f"/api/bindings/{{}}/e/traboule/q/{QUEUE}/{quote(binding['properties_key'], safe='')}")
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    mine = api(own, "GET", "/api/users/traboule.billing/permissions")
    (right,) = (item for item in mine if item["vhost"] == own.vhost)
    api(own, "PUT", "/api/permissions/{}/traboule.billing", everything)
    nothing = {"configure": "^$", "write": "^$", "read": "^$"}
    theirs = api(own, "GET", "/api/users/numelink.billing/permissions")
    (former,) = (their for their in theirs if their["vhost"] == own.vhost)
    api(own, "PUT", "/api/permissions/{}/numelink.billing", nothing)
    dropping = {"pattern": "^billing\\.", "apply-to": "queues", "priority": 9, "definition": {"message-ttl": 60_000}}
    api(own, "PUT", "/api/policies/{}/dropping", dropping)
    try:
        await names(f"traboule does not give *.billing.invoice-recorded to {QUEUE}", "docker compose run --rm prepare")
        await names("rights of services", "traboule.billing: configure is .*, should be nothing")
        await names("numelink/billing: revoked, though it is the authority", "add numelink/billing", state="warn")
        await eventually(lambda: names("policies: dropping says", "message-ttl", "clear_policy"))
    finally:
        api(own, "DELETE", "/api/policies/{}/dropping")
        for user, was in (("traboule.billing", right), ("numelink.billing", former)):
            api(own, "PUT", f"/api/permissions/{{}}/{user}", {name: was[name] for name in nothing})
        again = {"routing_key": binding["routing_key"], "arguments": {}}
        api(own, "POST", f"/api/bindings/{{}}/e/traboule/q/{QUEUE}", again)
    await eventually(nothing_wrong)


async def test_a_broker_that_is_too_old_for_former_systems(own: OwnService, monkeypatch: pytest.MonkeyPatch) -> None:
    really = api(own, "GET", "/api/overview")["rabbitmq_version"]
    (item,) = (document for document in (await examined())[1] if document["check"] == "version")
    assert (item["state"], f"RabbitMQ {really}" in item["found"]) == ("ok", True)
    monkeypatch.setattr(broker_version, "version_of", lambda _: "3.13.7")
    monkeypatch.setenv(broker_version.PRIVATE_BROKER, "yes")
    assert "a private node" in str((await examined())[1])
    monkeypatch.delenv(broker_version.PRIVATE_BROKER)
    await names("RabbitMQ 3.13.7 is too old for former systems", "BCC", "upgrade it to 4.0")


@pytest.mark.faults
async def test_messages_that_cannot_be_dead_lettered_and_a_queue_that_is_nearly_full(
    own: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the queue that a former system reads: nobody takes anything from it here."""
    name = "numelink.billing.way-back"
    (defined,) = (item for item in api(own, "GET", "/api/queues/{}") if item["name"] == name)
    small = {"pattern": rf"^{re.escape(name)}$", "apply-to": "queues", "priority": 9}
    api(own, "PUT", "/api/policies/{}/small", small | {"definition": {"max-length-bytes": 1_000}})
    (dead,) = api(own, "GET", "/api/bindings/{}/e/traboule.dead/q/billing.dead")
    api(own, "DELETE", f"/api/bindings/{{}}/e/traboule.dead/q/billing.dead/{dead['properties_key']}")
    monkeypatch.setattr(doctor_queues, "PAUSE_SECONDS", 2.0)
    try:
        async with await aio_pika.connect(own.env["TRABOULE_BILLING_BROKER_URL"], timeout=10) as connection:
            exchange = await (await connection.channel()).get_exchange("traboule", ensure=False)

            async def flood() -> None:
                while True:
                    message = aio_pika.Message(b"x" * 950, user_id="traboule.billing", expiration=1)
                    with suppress(DeliveryError):
                        await exchange.publish(message, "traboule.billing.tried.numelink", timeout=20)
                    await asyncio.sleep(0.1)

            flooding = asyncio.create_task(flood())

            async def told() -> bool:
                await names(f"messages of {name} wait to be dead-lettered, and do not go", "rabbit_fifo_dlx")
                who = "of 1.0 kB; most is published by traboule.billing ("
                return await names(f"{name} holds", who, "former-systems revoke", state="warn")

            await eventually(told, 60)
            flooding.cancel()
    finally:
        api(own, "DELETE", "/api/policies/{}/small")
        api(own, "POST", "/api/bindings/{}/e/traboule.dead/q/billing.dead", {"routing_key": "billing", "arguments": {}})
        # What it would dead-letter goes with it: the broker tries again after minutes.
        api(own, "DELETE", f"/api/queues/{{}}/{name}")
        api(own, "PUT", f"/api/queues/{{}}/{name}", {"durable": True, "arguments": defined["arguments"]})
        bound = {"routing_key": "traboule.billing.*.numelink", "arguments": {}}
        api(own, "POST", f"/api/bindings/{{}}/e/traboule/q/{name}", bound)
    await eventually(nothing_wrong, 30)


async def test_what_another_version_defined_otherwise_is_named_with_what_mends_it(own: OwnService) -> None:
    where, bound = "/api/exchanges/{}/traboule.dead", "/api/bindings/{}/e/traboule.dead/q/billing.dead"
    (policy,) = (item for item in api(own, "GET", "/api/policies/{}") if item["name"] == "traboule.full")

    def make(*, internal: bool) -> None:
        # Made again by `prepare` it would stay as it is: the broker changes no exchange that is there.
        api(own, "DELETE", where)
        api(own, "PUT", where, {"type": "direct", "durable": True, "internal": internal})
        api(own, "POST", bound, {"routing_key": "billing", "arguments": {}})

    make(internal=True)
    without = {"max-length-bytes": policy["definition"]["max-length-bytes"]}
    api(own, "PUT", "/api/policies/{}/traboule.full", policy | {"definition": without})
    try:
        await names("the exchange traboule.dead is otherwise: internal is True", "delete it on the management pages")
        await names("the policy traboule.full is otherwise", "docker compose run --rm prepare", state="warn")
    finally:
        make(internal=False)
        api(own, "PUT", "/api/policies/{}/traboule.full", policy)
    await eventually(nothing_wrong)


async def test_a_service_that_stopped_and_an_outbox_that_nobody_empties(own: OwnService, tmp_path: Path) -> None:
    os.utime(tmp_path / "clusters.toml", (time.time() + 60, time.time() + 60))
    await names("clusters.toml changed after it was started", "restart billing")
    os.utime(tmp_path / "clusters.toml", (0, 0))
    third = '\n[clusters.grandlyon]\nname = "Grand Lyon Tech"\nformer_systems = ["billing"]\n'
    with (tmp_path / "clusters.toml").open("a") as file:
        file.write(third)
    os.utime(tmp_path / "clusters.toml", (0, 0))
    await eventually(lambda: names("the process does not know grandlyon/billing", "restart billing"))
    await names("grandlyon/billing: missing", "traboule former-systems add grandlyon/billing", state="warn")

    # Another holds what the relay wants, so that what was announced waits.
    await own.query(
        "insert into outbox (exchange, routing_key, message_id, headers, body, created_at, attempts, not_before) "
        "values ('traboule', 'nobody.hears', 'm', '{}', '', now() - interval '2 hours', 3, now() + interval '1 day')"
    )
    await names("1 messages wait to be published, the oldest for 2 h", "1 were refused")
    await own.query("delete from outbox")


async def test_a_schema_a_role_and_a_clock_that_are_not_as_they_should_be(
    own: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await own.query("alter table invoices add column extra integer")
    await names("billing schema: remove column", "extra", "traboule migrate billing")
    await own.query("alter table invoices drop column extra")
    (revision,) = await own.column("select version_num from alembic_version")
    await own.query("update alembic_version set version_num = 'of tomorrow'")
    await names("at of tomorrow, of a newer program; this one can live with it", "start the newer", state="warn")
    await own.query("comment on table alembic_version is 'a program must know revision of noon'")
    await names("of tomorrow, which this program does not know", "run a newer program")
    await own.query("comment on table alembic_version is null")
    await own.query("update alembic_version set version_num = $1", revision)

    now = time.time
    with monkeypatch.context() as patch:
        patch.setattr(doctor_database.time, "time", lambda: now() + 7_200)
        await names("clock is 2 h ahead of the database's", state="warn")
    monkeypatch.delenv("TRABOULE_BROKER_MANAGEMENT_URL")
    await names("were not looked at", "set TRABOULE_BROKER_MANAGEMENT_URL", state="warn")
    monkeypatch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", "http://u:p@127.0.0.1:9")
    await names("broker management API: no answer")
    monkeypatch.setenv("TRABOULE_BILLING_DATABASE_URL", "postgresql://u:secret@127.0.0.1:9/d")
    await names("billing database: does not let it in")
    assert "secret" not in (await traboule("doctor")).out


async def test_a_process_that_is_gone(empty_billing: OwnService, tmp_path: Path) -> None:
    with Run() as run, empty_billing.environment() as patch:
        services = LocalServices(run, Provisioned(dict(empty_billing.env), {}), tmp_path, ["billing"])
        await asyncio.to_thread(services.start, "billing")
        for name, value in services.env.items():
            patch.setenv(name, value)
        await asyncio.to_thread(services.kill, "billing")
        await empty_billing.publish_as(NUMELINK, an_invoice())
        await names("billing process: does not answer at http://127.0.0.1:", "traboule serve billing")
        await eventually(lambda: names(f"nobody consumes {QUEUE}", "traboule serve billing"))
        await names("messages wait, and nothing was applied")
        await empty_billing.query("insert into inbox values ('old', null, now() - interval '100 days')")
        await names("ids of over 90 days ago are still remembered", "does billing run all day?", state="warn")
        services.close()
