"""What the tests do to a running installation: publish, wait, read, and prove that nothing was lost."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from tests.compose.engine import Project
from tests.faults.checker import Checker
from tests.faults.generator import Workload
from tests.faults.publisher import Publishing


def wait_until_settled(project: Project, seconds: float = 180) -> None:
    """Wait until no message waits anywhere. Raises AssertionError."""
    deadline = time.monotonic() + seconds
    calm = 0
    while calm < 2:
        states = json.loads(project.traboule("status", "--json", codes=(0, 1)))["services"]
        # A busy machine's database may not have answered in time: then nobody knows, so it is asked again.
        waiting = sum(
            sum(item["messages"] for item in state["queues"]) + state["database"].get("outbox_rows", 1)
            for state in states
        )
        calm = calm + 1 if not waiting else 0
        assert time.monotonic() < deadline, f"{waiting} messages still wait"


def checker_of(project: Project, passwords: Mapping[str, str]) -> Checker:
    """What proves that nothing was lost, by an administrator's rights."""
    env = project.environment
    return Checker(
        f"postgresql://postgres:{passwords['postgres']}@127.0.0.1:{env['DATABASE_PORT']}/postgres",
        f"amqp://admin:{passwords['rabbitmq']}@127.0.0.1:{env['BROKER_PORT']}/traboule",
        f"http://admin:{passwords['rabbitmq']}@127.0.0.1:{env['BROKER_MANAGEMENT_PORT']}",
        "traboule",
    )


def publish(project: Project, passwords: Mapping[str, str], published: Workload, seconds: float) -> Publishing:
    """Start sending everything, as the former systems would."""
    port = project.environment["BROKER_PORT"]
    messages = published.messages(order=1)
    users = {message.user for message in messages}
    urls = {user: f"amqp://{user}:{passwords[user]}@127.0.0.1:{port}/traboule" for user in users}
    publishing = Publishing(urls, messages, seconds)
    publishing.start()
    return publishing


def get(project: Project, path: str, key: str) -> Any:
    """What the door answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{project.environment['HTTP_PORT']}{path}", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return json.load(answer)
