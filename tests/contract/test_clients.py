"""The publishers that we hand to producers work as they are, against a real broker, and say so when they do not."""

import contextlib
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import pika
import pika.spec
import pytest

from deploy.local.nodes import Nodes
from deploy.provisioning import definitions as provision
from schemas.envelope import Envelope
from schemas.examples import example_event
from schemas.membership import MemberRecorded
from schemas.membership_write_back import MemberWritten
from schemas.reading import read
from shared.messaging.topology import Queue, definitions
from tests.support.in_process import Passwords
from tests.support.waiting import eventually

CLIENTS = Path(__file__).parents[2] / "schemas" / "clients"
QUEUE = Queue("membership.member-recorded", MemberRecorded.binding())
DEBIAN_AMQPLIB = Path("/usr/share/php/PhpAmqpLib/autoload.php")
TRABOULE = "traboule.membership"
VARIABLE = "TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP"
FACT = {"record_id": "1042", "version": 7, "name": "Ateliers du Gier — Müller & fils", "postcode": "01000"}

Publish = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Broker:
    """A virtual host of our own with one queue. ``essai.nobody`` may publish where no queue listens, ``essai.mute``
    nowhere."""

    address: str
    admin: str
    password: str

    def url(self, user: str, password: str | None = None) -> str:
        return f"amqp://{user}:{password or self.password}@{self.address}"

    def received(self, queue: str = QUEUE.name) -> list[tuple[pika.spec.Basic.GetOk, pika.BasicProperties, bytes]]:
        with pika.BlockingConnection(pika.URLParameters(self.admin)) as connection:
            channel = connection.channel()
            result = []
            while (message := channel.basic_get(queue, auto_ack=True))[0] is not None:
                result.append(message)
            return result


@pytest.fixture(scope="module")
def broker(nodes: Nodes, passwords: Passwords) -> Iterator[Broker]:
    vhost, password = f"clients-{secrets.token_hex(3)}", secrets.token_hex(8)
    users = ("essai.membership", "essai.nobody", "essai.mute")
    services = {"membership": passwords.get(TRABOULE)}
    wanted = definitions([QUEUE], services, dict.fromkeys(users, password), vhost=vhost)
    # RabbitMQ 4 refuses what 3.10 leaves out: bindings to queues of services that are not here.
    theirs = {item["name"] for item in wanted["queues"]}
    wanted["bindings"] = [item for item in wanted["bindings"] if item["destination"] in theirs]
    for permission in wanted["topic_permissions"]:
        if permission["user"] == "essai.mute":
            permission["write"] = "^$"
    parts = urlsplit(nodes.broker.url)
    everything = {"vhost": vhost, "user": parts.username, "configure": ".*", "write": ".*", "read": ".*"}
    wanted["permissions"].append(everything)
    provision.load_definitions(nodes.broker.management_url, wanted)
    try:
        admin = urlunsplit(parts._replace(path=f"/{vhost}"))
        yield Broker(f"{parts.hostname}:{parts.port}/{vhost}", admin, password)
    finally:
        provision.call(nodes.broker.management_url, "DELETE", f"/api/vhosts/{vhost}")
        for user in users:
            provision.call(nodes.broker.management_url, "DELETE", f"/api/users/{user}")


def python(_: Path) -> list[str]:
    return [sys.executable, str(CLIENTS / "python" / "publish.py")]


def node(folder: Path) -> list[str]:
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        pytest.skip("node and npm are not installed")
    shutil.copytree(CLIENTS / "node", folder, dirs_exist_ok=True)
    install = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    installed = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=110)
    if installed.returncode:
        pytest.skip(f"npm could not install amqplib: {installed.stderr.strip()[-200:]}")
    return [program, str(folder / "publish.mjs")]


def php(folder: Path) -> list[str]:
    program = shutil.which("php")
    if program is None:
        pytest.skip("php is not installed")
    shutil.copytree(CLIENTS / "php", folder, dirs_exist_ok=True)
    if DEBIAN_AMQPLIB.is_file():
        (folder / "vendor").mkdir()
        (folder / "vendor" / "autoload.php").write_text(f"<?php require '{DEBIAN_AMQPLIB}';")
    elif composer := shutil.which("composer"):
        install = [composer, "install", "--no-interaction", "--quiet"]
        if subprocess.run(install, cwd=folder, capture_output=True, timeout=110).returncode:
            pytest.skip("composer could not install php-amqplib, and Debian's package of it is not there")
    else:
        pytest.skip("neither composer nor Debian's php-amqplib is installed")
    return [program, str(folder / "publish.php")]


@pytest.fixture(scope="module", params=[python, node, php], ids=["python", "node", "php"])
def publish(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Publish:
    command = request.param(tmp_path_factory.mktemp(request.param.__name__))

    def run(url: str, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        env = {"PATH": os.environ["PATH"], VARIABLE: url}
        return subprocess.run([*command, *arguments], env=env, input=stdin, capture_output=True, text=True, timeout=60)

    return run


def test_what_it_publishes_is_accepted(publish: Publish, broker: Broker) -> None:
    done = publish(broker.url("essai.membership"), json.dumps(FACT))
    assert done.returncode == 0, done.stderr
    [(delivered, properties, body)] = broker.received()
    assert delivered.routing_key == "essai.membership.member-recorded"
    assert properties.user_id == "essai.membership"
    assert properties.delivery_mode == 2
    [event] = read(MemberRecorded, body, properties.content_type, properties.headers or {})
    assert isinstance(event, Envelope), event
    assert event.source == "/essai/membership"
    assert event.data == MemberRecorded.model_validate(FACT)
    assert event.id == properties.message_id == done.stdout.strip()


def test_the_same_fact_again_is_the_same_event(publish: Publish, broker: Broker) -> None:
    for _ in range(2):
        publish(broker.url("essai.membership"), stdin=json.dumps(FACT))
    first, second = [properties.message_id for _, properties, _ in broker.received()]
    assert first == second


@pytest.mark.parametrize("user", ["essai.nobody", "essai.mute"])
def test_it_says_when_the_broker_does_not_take_it(publish: Publish, broker: Broker, user: str) -> None:
    done = publish(broker.url(user), json.dumps(FACT))
    assert done.returncode == 1
    word = "NO_ROUTE" if user == "essai.nobody" else "ACCESS_REFUSED"
    assert word in done.stderr.replace("UnroutableError", "NO_ROUTE")
    assert broker.received() == []


def test_it_says_when_it_may_not_come_in(publish: Publish, broker: Broker) -> None:
    done = publish(broker.url("essai.membership", "wrong"), json.dumps(FACT))
    assert done.returncode == 1
    assert "ACCESS_REFUSED" in done.stderr


def written_here(record_id: str) -> bytes:
    event = example_event(MemberWritten)
    return json.dumps(event | {"data": event["data"] | {"record_id": record_id, "version": 9}}).encode()


async def test_a_reader_of_the_way_back_takes_nothing_that_another_wrote(
    broker: Broker, passwords: Passwords, tmp_path: Path
) -> None:
    """Source, type and id are what the sender says; who it is the broker has checked."""
    queue, structured = "essai.membership.way-back", "application/cloudevents+json"
    other = unquote(urlsplit(broker.admin).username or "")
    own, key = broker.url(TRABOULE, passwords.get(TRABOULE)), f"{TRABOULE}.member-written.essai"
    sent = [
        (broker.admin, "", queue, other, "forged by another"),
        (broker.admin, "", queue, None, "of nobody"),
        (own, "traboule", key, TRABOULE, "1042"),
    ]
    for url, exchange, key, user, record_id in sent:
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            properties = pika.BasicProperties(content_type=structured, user_id=user, delivery_mode=2)
            channel.basic_publish(exchange, key, written_here(record_id), properties, mandatory=True)
    database = tmp_path / "members.sqlite"
    done = subprocess.run(
        [sys.executable, str(CLIENTS / "python" / "way_back.py"), str(database)],
        env={"PATH": os.environ["PATH"], VARIABLE: broker.url("essai.membership")},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    with contextlib.closing(sqlite3.connect(database)) as kept:
        assert kept.execute("select record_id from written").fetchall() == [("1042",)]
    rejected = list[str]()

    async def parked() -> bool:
        rejected.extend(json.loads(body)["data"]["record_id"] for _, _, body in broker.received("membership.dead"))
        return len(rejected) == 2

    await eventually(parked)
    assert sorted(rejected) == ["forged by another", "of nobody"]
    assert broker.received(queue) == []


def test_the_php_publisher_parses() -> None:
    php = shutil.which("php")
    if php is None:
        pytest.skip("php is not installed")
    done = subprocess.run([php, "-l", str(CLIENTS / "php" / "publish.php")], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout
