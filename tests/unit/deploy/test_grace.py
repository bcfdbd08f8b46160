"""Whoever ends a service by force waits longer than an orderly end takes."""

from typing import Any

import pytest
import yaml

from deploy.local.local_services import STOP_SECONDS
from deploy.local.runs import CHECKOUT
from deploy.provisioning.provision import CLUSTERS
from services import SERVICES
from services.cli.registry import definition_of, settings_type
from shared.messaging.consumer import BatchSettings, QueueConsumer
from shared.messaging.relay import Relay
from shared.process.http_side import HTTP_CLOSING_SECONDS, REQUESTS_SECONDS
from shared.process.service import Service

COMPOSE = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
DEPLOYMENT = next(
    item
    for item in yaml.safe_load_all((CHECKOUT / "deploy/kubernetes/base/service/deployment.yaml").read_text())
    if item["kind"] == "Deployment"
)


def built(name: str) -> Service:
    """The service, connected to nothing."""
    settings: Any = settings_type(name)
    return definition_of(name).create_app(
        settings(
            database_url="postgresql://nobody",
            broker_url="amqp://nobody",
            clusters_file=CLUSTERS,
            **({"address_keys": "1:" + "5a" * 32} if name == "communications" else {}),
        )
    )


@pytest.mark.parametrize("name", SERVICES)
async def test_every_deployment_waits_longer_than_an_orderly_end_takes(name: str) -> None:
    most = built(name).stop_seconds
    grace = COMPOSE["services"][name]["stop_grace_period"]
    assert grace.endswith("s")
    assert int(grace.removesuffix("s")) > most
    assert DEPLOYMENT["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > most
    assert most < STOP_SECONDS


async def test_an_orderly_end_is_as_long_as_its_parts_together() -> None:
    service = built("billing")
    drained = 2 * BatchSettings().drain_timeout
    closed = service.bus.stop_seconds - drained
    published = Relay("", "", "traboule.billing").publish_timeout + 2
    assert closed > 0
    assert all(isinstance(lane, QueueConsumer) and lane.stop_seconds == drained for lane in service.bus.lanes)
    assert service.stop_seconds == REQUESTS_SECONDS + HTTP_CLOSING_SECONDS + drained + closed + published
