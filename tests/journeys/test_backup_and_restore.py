"""The worst day: all servers are gone, and there is last night's backup."""

import asyncio
import secrets
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import aio_pika
import orjson
import pytest

from deploy.demo.settling import wait_until_settled
from deploy.local.local_services import LocalServices, run_services
from deploy.local.nodes import Nodes, local_nodes
from deploy.local.runs import Run
from deploy.provisioning.provision import Provisioned
from services import SERVICES
from shared.messaging.accounts import Rights, read_accounts
from shared.messaging.management import Management, path
from shared.messaging.topology import VHOST
from tests.journeys.restoring import (
    MEMBER_RECORDED,
    SIREN,
    SYSTEM,
    WAY_BACK,
    FormerSystems,
    command,
    environment,
    everything,
    well,
)
from tests.support.builders import (
    a_consent,
    a_mailing,
    a_member,
    a_payment,
    a_registration,
    an_event,
    an_invoice,
)
from tests.support.command import traboule
from tests.support.servers import query
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


def elsewhere(env: Mapping[str, str], nodes: Nodes) -> dict[str, str]:
    """The same house's environment on other servers, where the services' passwords are new ones."""
    database, broker = urlsplit(nodes.database.url), urlsplit(nodes.broker.url)
    theirs = dict(env)
    for name, url in env.items():
        parts = urlsplit(url)
        host = (broker if parts.scheme == "amqp" else database).netloc.rpartition("@")[2]
        is_service = name.split("_")[1].lower() in SERVICES
        password = secrets.token_urlsafe(12) if is_service else quote(str(parts.password), safe="")
        if parts.scheme in ("amqp", "postgresql"):
            theirs[name] = urlunsplit(parts._replace(netloc=f"{parts.username}:{password}@{host}"))
    return theirs


@contextmanager
def services_at(env: Mapping[str, str], folder: Path) -> Generator[LocalServices]:
    with Run() as run:
        folder.mkdir()
        services = LocalServices(run, Provisioned(dict(env), {}), folder, SERVICES)
        for name in SERVICES:
            services.start(name, wait=False)
        services.wait_until_ready(SERVICES)
        yield services
        services.close()


async def a_year_of_work(former: FormerSystems, env: Mapping[str, str]) -> None:
    """Members, dues, gatherings, consents, mailings; a merge, a conflict, a decision, a switch and a command."""
    # Two who paid for the same days: a conflict that billing answers.
    await former.write(
        "clustr-numerique.membership",
        a_member(record_id="1", name="Forges du Gier", siren=SIREN, city="Rive-de-Gier", paid_until="2026-12-31"),
        a_member(record_id="2", name="Ateliers Perrache", city="Lyon"),
        a_member(record_id="3", name="Optique Rhône", siren="443061841"),
    )
    await former.write(
        "numelink.membership",
        a_member(record_id="B-1", name="FORGES DU GIER", siren=SIREN, paid_until="2026-12-31"),
        a_member(record_id="B-2", name="Atelier Perrache Design", city="Lyon"),
        a_member(record_id="B-3", name="OPTIQUE RHONE", siren="443061841"),
        *(a_member(record_id=f"M-{number}", name=f"Verrerie {number:04}") for number in range(700)),
    )
    await former.write("numelink.billing", an_invoice(invoice_id="F-1", record_id="B-1", gross="120.5", net="100.5"))
    await former.write("numelink.billing", a_payment(payment_id="P-1", record_id="B-1", amount="120"))
    await former.write("numelink.events", an_event(event_id="E-1"), an_event(event_id="E-2", title="Matinale"))
    await former.write("numelink.events", a_registration(registration_id="R-1", event_id="E-1", record_id="B-1"))
    await former.write("numelink.communications", a_consent(consent_id="C-1", record_id="B-1", status="withdrawn"))
    await former.write("numelink.communications", a_mailing(mailing_id="L-1", recipients=("B-1", "B-2", "B-1", "A")))
    await former.write(
        "numelink.communications",
        a_mailing(mailing_id="L-1", version=2, subject="Corrigée", recipients=("B-3", "B-1")),
    )
    await wait_until_settled(env)
    await well("duplicates", "confirm", "numelink/B-2", "clustr-numerique/2", "--reason", "same office")
    await well("duplicates", "separate", "numelink/B-3", "--reason", "the parent company")
    await well("cutover", "mirror", SYSTEM, "--reason", "its export is in")
    overruled = [word for name in ("parity", "backup") for word in ("--overrule", name)]
    answer = await traboule("cutover", "switch", SYSTEM, "--reason", "decided", *overruled)
    if answer.exit_code:  # conditions that did not hold are told by name
        names = [line.partition(":")[0] for line in answer.err.splitlines()[1:]]
        words = [word for name in names for word in ("--overrule", name)]
        await well("cutover", "switch", SYSTEM, "--reason", "decided", *overruled, *words)
    await command(env, "B-1", phone="04 77 00 00 00")
    await former.write("numelink.membership", a_member(record_id="M-1", name="Too late", version=9))
    await wait_until_settled(env)


def accounts_at(nodes: Nodes) -> dict[str, Rights]:
    """What every broker user may do, the administrator's aside."""
    accounts = read_accounts(Management(nodes.broker.management_url), VHOST).values()
    return {account.name: account.rights for account in accounts if "administrator" not in account.tags}


async def written_back(nodes: Nodes) -> list[dict[str, Any]]:
    """What waits for the former system to read; it is read now."""
    published: list[dict[str, Any]] = []
    async with await aio_pika.connect(nodes.broker.url) as connection:
        queue = await (await connection.channel()).declare_queue(WAY_BACK, passive=True)
        while message := await queue.get(no_ack=True, fail=False):
            tree = orjson.loads(message.body)
            published += [item["data"] for item in (tree if isinstance(tree, list) else [tree])]
    return published


@pytest.fixture
def first(tmp_path: Path) -> Iterator[tuple[Nodes, LocalServices]]:
    """Servers and a house of this test's own: it ends them."""
    with local_nodes() as nodes, run_services(nodes, folder=tmp_path / "first") as services:
        yield nodes, services


async def test_a_restored_house_ends_as_the_undisturbed_one_and_nothing_has_its_effect_twice(
    first: tuple[Nodes, LocalServices], tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    nodes, services = first
    former = FormerSystems(services.env)
    with environment(services.env, nodes):
        await a_year_of_work(former, services.env)
        # On its way at the moment of the backup, and lost with the queues: what membership has not taken in yet,
        # and what membership has told of a merge.
        for name in ("billing", "events", "communications"):
            services.stop(name)
        await former.write(
            "clustr-numerique.membership", a_member(record_id="4", name="Coutellerie", siren="775672272")
        )
        await former.write("numelink.billing", an_invoice(invoice_id="F-0", record_id="B-2"))
        await well("duplicates", "separate", "numelink/B-2", "--reason", "another company after all")
        services.stop("membership")
        for name in ("billing", "events", "communications"):
            services.start(name)
        await former.write("numelink.billing", an_invoice(invoice_id="F-2", record_id="B-2", gross="1200"))
        await former.write("numelink.events", a_registration(registration_id="R-2", event_id="E-2", record_id="B-1"))

        # And what was said before the backup, and is only said again by whoever is told that it waited.
        await former.write("numelink.membership", a_member(record_id="M-700", name="Verrerie 0700"))

        async def known_to_wait() -> bool:
            theirs = Management(nodes.broker.management_url).call("GET", path("queues", VHOST, MEMBER_RECORDED))
            return theirs.get("messages") == 1

        await eventually(known_to_wait)

        traffic = Traffic(former)
        traffic.start()
        made = (await well("backup", str(backup), "--json")).json
        await traffic.finish()
        assert made["held_up_seconds"] < 2
        assert made["waiting"][MEMBER_RECORDED] == 1
        assert made["waiting"].keys() <= {MEMBER_RECORDED, "billing.invoice-recorded"}, "what our own tell again"
        services.start("membership")
        await wait_until_settled(services.env)
        undisturbed = await everything(services.env)
        inboxes = {name: await query(services.env, name, "select message from inbox") for name in SERVICES}
        rights = accounts_at(nodes)
        (read,) = await written_back(nodes)
    secret_words = {urlsplit(url).password for url in services.env.values()} - {None}
    assert not any(str(word) in (backup / "manifest.json").read_text() for word in secret_words)

    with local_nodes() as second:
        env = elsewhere(services.env, second)
        with environment(env, second):
            assert "whole, and can be restored" in (await well("restore", str(backup), "--dry-run")).out
            assert f"1 in {MEMBER_RECORDED}" in (await well("restore", str(backup))).out
            assert accounts_at(second) == rights
            refused = await traboule("restore", str(backup))
            assert (refused.exit_code, "not empty" in refused.err) == (2, True)
            await well("migrate", "--all", "--check")
            with services_at(env, tmp_path / "second"):
                await wait_until_settled(env)
                without = await everything(env)
                assert without["membership: views"] != undisturbed["membership: views"], "nothing was under way"
                assert await written_back(second) == []
                await well("republish")
                await wait_until_settled(env)
                # The former system may have read what was told before the end, and now reads it as newer.
                (again,) = await written_back(second)
                assert again["version"] > read["version"] + 1_000_000
                assert {**again, "version": 0} == {**read, "version": 0}
                # What is told again of records has the ids of the first time, so that an inbox knows it: all but what
                # two who are named by an older telling of a mailing alone are told.
                published = await query(env, "membership", "select message from inbox where message like '/traboule/%'")
                new = {row["message"] for row in published} - {row["message"] for row in inboxes["membership"]}
                assert [message.partition(" ")[0] for message in new] == ["/traboule/communications"]
                await former.publish_again(env)
                await wait_until_settled(env)
                restored = await everything(env)
                for what in undisturbed:
                    assert restored[what] == undisturbed[what], what
                for name in SERVICES:
                    assert await query(env, name, "select reason, detail from dead_letters") == [], name
                assert len(await query(env, "membership", "select 1 from record_changes")) == 1
                await well("republish", "-s", "billing")
                await wait_until_settled(env)
                assert await everything(env) == undisturbed


class Traffic(threading.Thread):
    """Invoices, one after the other, until told to stop."""

    def __init__(self, former: FormerSystems) -> None:
        super().__init__()
        self.former, self.ending = former, threading.Event()

    def run(self) -> None:
        """Publish."""
        asyncio.run(self._publish())

    async def _publish(self) -> None:
        number = 0
        while not self.ending.is_set():
            number += 1
            await self.former.write("clustr-numerique.billing", an_invoice(invoice_id=f"T-{number}", record_id="2"))

    async def finish(self) -> None:
        """Stop, and wait."""
        self.ending.set()
        await asyncio.to_thread(self.join)
