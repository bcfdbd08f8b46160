"""A RabbitMQ of three nodes on loopback: nodes that lead a third of all queues are killed, and nothing is lost."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest

from deploy.local import packages
from deploy.local.broker import BrokerNode
from deploy.local.nodes import local_nodes
from deploy.local.runs import Run
from deploy.provisioning import definitions
from services.cli.doctor import replicas as doctor_replicas
from services.cli.doctor.findings import Finding, Findings
from tests.faults.nemesis import Stage, wait_until

NODES = 3


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, list[BrokerNode]]]:
    """A stage on a cluster, and the nodes that services and checker are not connected to."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TRABOULE_DATABASE_URL", "TRABOULE_BROKER_URL", "TRABOULE_BROKER_MANAGEMENT_URL"):
            patch.delenv(name, raising=False)
        with local_nodes() as nodes, Run() as run:
            assert isinstance(nodes.broker, BrokerNode)
            others = [BrokerNode(run, number=number) for number in range(2, NODES + 1)]
            for node in others:
                node.join(nodes.broker)
            # Queues are declared now, with a member on each node.
            stage = Stage(nodes, run, tmp_path_factory.mktemp("house"))
            try:
                stage.run_undisturbed()
                yield stage, others
            finally:
                stage.close()


def test_queues_have_a_member_on_each_node_and_leaders_on_several(cluster: tuple[Stage, list[BrokerNode]]) -> None:
    stage, _ = cluster
    assert {len(queue["members"]) for queue in _queues(stage)} == {NODES}
    leaders = Counter(queue["leader"] for queue in _queues(stage))
    assert len(leaders) == NODES, leaders


def test_a_node_is_killed_under_load_and_comes_back(cluster: tuple[Stage, list[BrokerNode]]) -> None:
    stage, others = cluster
    stage.reset()
    publishing = stage.publish(seconds=10)
    for share, node in zip((0.2, 0.6), others, strict=True):
        publishing.wait_for(share)
        led = sum(queue["leader"] == node.name for queue in _queues(stage))
        assert led, f"{node.name} leads no queue, so its death would prove little"
        node.kill()
        publishing.wait_for(share + 0.2)
        node.start()
        wait_until(lambda: _all_online(stage), 60, "the node that came back did not join its queues again")
    publishing.finish()
    stage.prove()


@pytest.mark.timeout(600)
def test_queues_that_a_node_lacks_are_named_and_grow_by_what_the_doctor_says(
    cluster: tuple[Stage, list[BrokerNode]],
) -> None:
    stage, (_, last) = cluster
    _manage_queues(last, "shrink", last.name)
    # It is done at once; but a queue that nobody uses says so minutes later, and the doctor reads what queues say.
    wait_until(lambda: {len(queue["members"]) for queue in _queues(stage)} == {NODES - 1}, 240, "it kept its queues")
    findings = [finding for finding in _examined(stage) if "kept on 2 of 3 nodes" in finding.found]
    assert [finding.mend for finding in findings] == ["rabbitmq-queues grow NODE all, for each node that lacks them"]
    _manage_queues(last, "grow", last.name, "all")
    wait_until(lambda: _all_online(stage), 240, "the node did not get its queues back")
    assert _examined(stage) == []


def _examined(stage: Stage) -> list[Finding]:
    nodes = definitions.call(stage.nodes.broker.management_url, "GET", "/api/nodes")
    return list(doctor_replicas.examine(Findings("broker"), _queues(stage), len(nodes)))


def _manage_queues(node: BrokerNode, *words: str) -> None:
    script = packages.broker_script()
    assert script is not None
    command = [str(script.with_name("rabbitmq-queues")), "-q", "-n", node.name, *words]
    subprocess.run(command, env=node.control_environment, check=True, capture_output=True, timeout=60)


def _queues(stage: Stage) -> list[dict[str, list[str]]]:
    return definitions.call(stage.nodes.broker.management_url, "GET", "/api/queues/traboule")


def _all_online(stage: Stage) -> bool:
    return all(len(queue.get("online", ())) == NODES for queue in _queues(stage))
