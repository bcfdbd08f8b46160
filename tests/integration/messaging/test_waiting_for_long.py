"""A lane that waits for longer than the broker lets a consumer keep its messages."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local import broker as private
from deploy.local.nodes import Nodes
from deploy.local.packages import broker_script
from shared.messaging.batch_processor import BatchProcessor
from shared.messaging.consumer import QueueConsumer
from shared.messaging.failures import NotReady
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.messages import NUMELINK, applied
from tests.support.waiting import eventually

DEPLOY = Path(private.__file__).parents[1]
DAY_MS = 24 * 60 * 60 * 1000


@pytest.fixture
def impatient(nodes: Nodes) -> Iterator[None]:
    """The broker takes messages back from whoever keeps them for two seconds."""
    if not nodes.owned:
        pytest.skip("the environment names the servers: their settings are not ours to change")
    script, node = broker_script(), nodes.broker
    assert script is not None
    assert isinstance(node, private.BrokerNode)

    def let(name: str, milliseconds: int) -> None:
        command = [str(script.with_name("rabbitmqctl")), "-q", "eval"]
        command.append(f"application:set_env(rabbit, {name}, {milliseconds}).")
        subprocess.run(command, env=node.control_environment, check=True, capture_output=True)

    let("channel_tick_interval", 500)
    let("consumer_timeout", 2_000)
    yield
    let("consumer_timeout", DAY_MS)
    let("channel_tick_interval", 60_000)


@pytest.mark.faults
async def test_what_came_over_a_closed_channel_is_kept_no_longer(
    impatient: None, empty_billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = True
    real = BatchProcessor._transaction  # pyright: ignore[reportPrivateUsage]

    async def unless_away(self: BatchProcessor, items: Any) -> None:
        if away and self.queue == "billing.invoice-recorded":
            raise NotReady("an operator is awaited")
        await real(self, items)

    monkeypatch.setattr(BatchProcessor, "_transaction", unless_away)
    channels = set[int]()
    put = QueueConsumer.put

    def count_channels(self: QueueConsumer, raw: Any) -> None:
        put(self, raw)
        channels.add(id(self._channel))  # pyright: ignore[reportPrivateUsage]

    monkeypatch.setattr(QueueConsumer, "put", count_channels)
    async with empty_billing.running() as service:
        invoices = [an_invoice() for _ in range(3)]
        for invoice in invoices:
            await empty_billing.publish_as(NUMELINK, invoice)
        lane = next(consumer for consumer in service.bus.lanes if consumer.queue == "billing.invoice-recorded")
        most = 0

        async def given_back_often() -> bool:
            nonlocal most
            most = max(most, len(lane._arrivals))  # pyright: ignore[reportPrivateUsage]
            return len(channels) > 5

        await eventually(given_back_often, 60)
        assert most <= len(invoices), "copies of messages that the broker has back"
        away = False
        await applied(empty_billing, invoices)
        assert await empty_billing.parked() == []


def test_every_broker_of_ours_lets_a_consumer_keep_its_messages_for_a_day() -> None:
    """With RabbitMQ's half an hour, messages would be parked after ten hours without a database."""
    cluster = yaml.safe_load((DEPLOY / "kubernetes" / "base" / "broker.yaml").read_text())
    settings = {
        "private nodes": private.SETTINGS,
        "compose": (DEPLOY / "compose" / "rabbitmq.conf").read_text(),
        "kubernetes": cluster["spec"]["rabbitmq"]["additionalConfig"],
    }
    for where, text in settings.items():
        lines = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
        assert int(lines["consumer_timeout"]) >= DAY_MS, where
