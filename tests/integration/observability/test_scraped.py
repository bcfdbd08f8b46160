"""A running house and its broker have every metric that alerts and dashboard ask for."""

import asyncio
import subprocess
import time
import urllib.request
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.broker import BrokerNode
from deploy.local.local_services import LocalServices
from deploy.local.nodes import Nodes
from deploy.local.packages import broker_script
from deploy.local.runs import free_ports
from services import SERVICES
from shared.messaging.consumer import BatchSettings
from tests.support.builders import an_invoice
from tests.support.observability import expressions, rules
from tests.support.promql import metrics_of, selected_labels
from tests.support.waiting import eventually

BY_PROMETHEUS = {"up"}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def scrape(url: str) -> dict[str, Metric]:
    """The metrics of one page, by the names of their series; those without a series yet by their own."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        text = answer.read().decode()
    metrics: dict[str, Metric] = {}
    for family in text_string_to_metric_families(text):
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
        metrics |= {family.name + suffix: family for suffix in suffixes}
        metrics |= {sample.name: family for sample in family.samples}
    return metrics


def value(metrics: dict[str, Metric], name: str, **labels: str) -> float | None:
    """One series' value."""
    samples = metrics[name].samples if name in metrics else ()
    return next(
        (sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items()), None
    )


def asked(prefix: str) -> set[str]:
    """The metrics of this prefix that rules and dashboard name."""
    return {name for expression in expressions() for name in metrics_of(expression.text) if name.startswith(prefix)}


def test_nothing_is_asked_of_anybody_else() -> None:
    names = {name for expression in expressions() for name in metrics_of(expression.text)}
    known = BY_PROMETHEUS | RECORDED | asked("traboule_") | asked("rabbitmq_") | asked("process_")
    assert names <= known


@pytest.mark.parametrize("service", SERVICES)
async def test_every_service_has_the_metrics_that_are_asked_of_it(stack: LocalServices, service: str) -> None:
    url = stack.url(service) + "/metrics"

    async def measured() -> dict[str, Metric]:
        thread = await asyncio.to_thread(scrape, url)
        # A service is ready before its relay has the lock and before it has looked into its database.
        theirs = ("traboule_measured_timestamp_seconds", "traboule_relay_active")
        return thread if all(value(thread, name) for name in theirs) else {}

    metrics = await eventually(measured, timeout=30)
    elsewhere = set() if service == "communications" else asked("traboule_deliver") | asked("traboule_mail_")
    assert (asked("traboule_") | asked("process_")) - elsewhere <= metrics.keys()
    for cluster in ("numelink", "clustr-numerique"):
        stages = {
            stage: value(metrics, "traboule_stage", former_system=f"{cluster}/{service}", stage=stage)
            for stage in ("legacy", "mirror", "live", "retired")
        }
        assert sorted(stage or 0 for stage in stages.values()) == [0, 0, 0, 1], stages
        assert value(metrics, "traboule_quarantined_messages", cluster=cluster) is not None
    assert value(metrics, "traboule_prefetch") == BatchSettings().prefetch
    limit = value(metrics, "traboule_database_connections_limit", pool="consumers")
    assert limit
    assert 0 <= (value(metrics, "traboule_database_connections", pool="consumers") or 0) <= limit
    assert value(metrics, "traboule_http_request_seconds_count", route="/health/ready", status="200")


async def test_a_message_shows_in_the_metrics_on_its_way_to_the_view(
    stack: LocalServices, publish_as: Callable[..., Awaitable[str]]
) -> None:
    def lags(service: str, metric: str, queue: str) -> tuple[float, float]:
        """How many were observed, and their seconds together."""
        metrics = scrape(f"{stack.url(service)}/metrics")
        return value(metrics, f"{metric}_count", queue=queue) or 0, value(metrics, f"{metric}_sum", queue=queue) or 0

    asked_at_membership = ("membership", "traboule_origin_lag_seconds", "membership.invoice-changed")
    asked_at_billing = ("billing", "traboule_applied_lag_seconds", "billing.invoice-recorded")
    views_before, seconds_before = lags(*asked_at_membership)
    applied_before, _ = lags(*asked_at_billing)
    # Published a hundred seconds ago, as it says: late enough to be told from everything else.
    headers = {"timestamp_in_ms": (time.time_ns() // 1_000_000) - 100_000}
    await publish_as("numelink.billing", an_invoice(invoice_id="measured", record_id="measured"), headers=headers)

    async def seen() -> bool:
        _, seconds = await asyncio.to_thread(lags, *asked_at_membership)
        return seconds >= seconds_before + 100

    await eventually(seen)
    views, seconds = lags(*asked_at_membership)
    assert views > views_before
    assert seconds < seconds_before + 160
    assert lags(*asked_at_billing)[0] > applied_before


async def test_a_parked_message_is_told_by_queue_and_reason(
    stack: LocalServices, publish_as: Callable[..., Awaitable[str]]
) -> None:
    await publish_as("numelink.events", b"{}", key="numelink.events.event-recorded")

    async def waits() -> bool:
        metrics = await asyncio.to_thread(scrape, stack.url("events") + "/metrics")
        labels = {"queue": "events.event-recorded", "reason": "not-a-cloudevent"}
        parked = value(metrics, "traboule_parked_total", **labels)
        kept = value(metrics, "traboule_dead_letter_bytes", producer="numelink.events")
        return bool(parked and kept and kept >= 2 and value(metrics, "traboule_dead_letters", **labels))

    await eventually(waits)


def test_the_broker_has_the_metrics_that_are_asked_of_it(nodes: Nodes, stack: LocalServices) -> None:
    broker, script = nodes.broker, broker_script()
    if not isinstance(broker, BrokerNode) or script is None:
        pytest.skip("a broker that others started keeps its plugins")
    (port,) = free_ports(1)

    def control(program: str, *arguments: str) -> None:
        command = [str(script.with_name(program)), *arguments]
        run = subprocess.run(command, check=False, capture_output=True, text=True, env=broker.control_environment)
        assert run.returncode == 0, run.stdout + run.stderr

    tcp = f'[{{port, {port}}}, {{ip, "127.0.0.1"}}]'
    control("rabbitmqctl", "eval", f"application:set_env(rabbitmq_prometheus, tcp_config, {tcp}).")
    control("rabbitmq-plugins", "enable", "rabbitmq_prometheus")
    try:
        # As prometheus.yml asks for them: each queue from one page, the alarms from the other.
        metrics = scrape(f"http://127.0.0.1:{port}/metrics/per-object")
        node = scrape(f"http://127.0.0.1:{port}/metrics")
        metrics |= {name: metric for name, metric in node.items() if name.startswith("rabbitmq_alarms_")}
    finally:
        control("rabbitmq-plugins", "disable", "rabbitmq_prometheus")
    assert asked("rabbitmq_") <= metrics.keys()
    for expression in expressions():
        for name, label in selected_labels(expression.text):
            if name.startswith("rabbitmq_"):
                assert any(label in sample.labels for sample in metrics[name].samples), (expression.where, name, label)
    assert value(metrics, "rabbitmq_queue_messages_ready", queue="membership.member-recorded") is not None
