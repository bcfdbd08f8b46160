"""Replicas, stops in mid-traffic, slow consumers, and handlers that fail."""

import json
from dataclasses import replace

from services import SERVICES
from tests.faults.crashing import MARK
from tests.faults.generator import Workload
from tests.faults.nemesis import Stage
from tests.faults.sent import Event
from tests.faults.test_clock import metrics_of


def test_undisturbed_but_in_other_order_with_many_duplicates(stage: Stage) -> None:
    stage.publish(seconds=0, duplicates=1.0).finish()
    stage.prove()


def test_one_of_two_replicas_killed(stage: Stage) -> None:
    replicas = {service: stage.stack.start_replica(service) for service in ("membership", "billing")}
    publishing = stage.publish(seconds=4)
    publishing.wait_for(0.4)
    for service in replicas:
        # The first is the one whose relay is active.
        stage.stack.kill(service)
    publishing.finish()
    stage.prove()
    for service, replica in replicas.items():
        stage.stack.stop(replica)
        stage.stack.start(service)


def test_four_processes_of_membership_end_as_one_does(stage: Stage) -> None:
    names = ["membership", *(stage.stack.start_replica("membership") for _ in range(3))]
    # Asleep until all is published, so that each of them finds its share.
    for name in names:
        stage.stack.process(name).suspend()
    stage.publish(seconds=0, duplicates=0.5).finish()
    for name in names:
        stage.stack.process(name).resume()
    end = stage.prove(stage.workload)
    assert end.views == stage.undisturbed.views
    shares = {name: _applied(stage.stack.url(name)) for name in names}
    assert min(shares.values()) > 0, shares
    for replica in names[1:]:
        stage.stack.stop(replica)


def _applied(url: str) -> float:
    """Facts that this process applied, by its own metrics."""
    samples = (sample for family in metrics_of(url) for sample in family.samples)
    return sum(
        sample.value
        for sample in samples
        if sample.name == "traboule_facts_total" and sample.labels["outcome"] == "applied"
    )


def test_all_stopped_gracefully_in_mid_traffic(stage: Stage) -> None:
    publishing = stage.publish(seconds=5)
    for share in (0.2, 0.6):
        publishing.wait_for(share)
        for service in SERVICES:
            stage.stack.stop(service)
            assert stage.stack.returncode(service) == 0
        for service in SERVICES:
            stage.stack.start(service, wait=False)
        stage.stack.wait_until_ready(SERVICES)
    publishing.finish()
    stage.prove()


def test_slow_consumer(stage: Stage) -> None:
    stage.start_special("membership", "slow-handler", 60)
    publishing = stage.publish(seconds=0)
    publishing.finish()
    stage.prove()


def test_handler_that_fails_twice_applies_once(stage: Stage) -> None:
    marked, chosen = _marked(stage.workload)
    assert chosen
    stage.start_special("billing", "failing-handler", 2)
    stage.publish(marked).finish()
    assert stage.prove(marked).parked == stage.undisturbed.parked


def test_handler_that_always_fails_parks_the_guilty_alone(stage: Stage) -> None:
    marked, chosen = _marked(stage.workload)
    guilty = [replace(event, poison="handler-failed") for event in marked.events if event.name in chosen]
    published = replace(
        marked,
        events=[event for event in marked.events if event.name not in chosen],
        bad_events=[*marked.bad_events, *guilty],
    )
    stage.start_special("billing", "failing-handler", 1_000)
    stage.publish(published).finish()
    more = stage.prove(published).parked - stage.undisturbed.parked
    assert {(queue, reason) for _, queue, _, reason in more} == {("billing.invoice-recorded", "handler-failed")}


def _marked(workload: Workload) -> tuple[Workload, set[str]]:
    """The same, with some invoices on which a failing handler fails, and the names of those."""

    def mark(event: Event) -> Event:
        tree = json.loads(event.body)
        tree["data"]["label"] = MARK
        return replace(event, body=json.dumps(tree).encode())

    chosen = {event.name for event in workload.events if event.key == "invoice-recorded" and event.id < "1"}
    events = [mark(event) if event.name in chosen else event for event in workload.events]
    return replace(workload, events=events), chosen
