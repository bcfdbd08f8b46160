"""The messaging tests, and a hostile publisher's, pass on newer RabbitMQs too than the one of `make test` (3.10)."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.runs import CHECKOUT, free_ports
from shared.messaging.topology import FRAME_BYTES, MESSAGE_BYTES
from tests.compose.engine import Engine, make_base_images

BOOT_SECONDS = 90.0


@pytest.mark.parametrize("version", ["4.0", "4.3"])
def test_messaging_tests_pass(container_engine: Engine, tmp_path: Path, version: str) -> None:
    make_base_images(container_engine, {f"library/rabbitmq:{version}-management": f"rabbitmq-{version}"})
    with _broker(container_engine, tmp_path, version) as servers:
        for tests, seconds in (
            (["tests/integration/messaging"], 600),
            (["tests/faults/test_hostile_publisher.py", "-m", "faults"], 2_400),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *tests, "-q"],
                cwd=CHECKOUT, env=os.environ | servers, capture_output=True, text=True, timeout=seconds, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout[-4_000:]
            print(f"\nRabbitMQ {version}: {done.stdout.strip().splitlines()[-1]}")


@contextmanager
def _broker(engine: Engine, folder: Path, version: str) -> Generator[dict[str, str]]:
    """A broker of this version, and the variables that name it."""
    password = secrets.token_hex(12)
    settings = folder / "10-test.conf"
    settings.write_text(
        f"default_user = admin\ndefault_pass = {password}\ndefault_vhost = traboule\nloopback_users = none\n"
        f"max_message_size = {MESSAGE_BYTES}\nframe_max = {FRAME_BYTES}\nlog.console = true\n"
    )
    settings.chmod(0o644)
    plugins = CHECKOUT / "deploy" / "compose" / "enabled_plugins"
    amqp, management = free_ports(2)
    name = f"traboule-test-rabbitmq-{version}"
    engine.run(
        "run", "--detach", "--rm", "--name", name, "--hostname", "rabbitmq",
        "--volume", f"{settings}:/etc/rabbitmq/conf.d/10-test.conf:ro",
        "--volume", f"{plugins}:/etc/rabbitmq/enabled_plugins:ro",
        "--publish", f"127.0.0.1:{amqp}:5672", "--publish", f"127.0.0.1:{management}:15672",
        f"docker.io/library/rabbitmq:{version}-management",
    )  # fmt: skip
    try:
        address = f"admin:{password}@127.0.0.1"
        _wait_until_up(f"http://127.0.0.1:{management}")
        yield {
            "TRABOULE_BROKER_URL": f"amqp://{address}:{amqp}/traboule",
            "TRABOULE_BROKER_MANAGEMENT_URL": f"http://{address}:{management}",
        }
    finally:
        engine.run("rm", "--force", name)


def _wait_until_up(url: str) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with opener.open(url, timeout=2):
                return
        except OSError:
            assert time.monotonic() < deadline, "RabbitMQ does not answer"
            time.sleep(0.5)
