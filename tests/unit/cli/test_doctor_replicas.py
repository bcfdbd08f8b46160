"""What ``traboule doctor`` says of queues that a node, or its loss, leaves on too few nodes."""

import pytest

from services.cli.doctor.findings import Findings
from services.cli.doctor.replicas import examine

THREE = ["a", "b", "c"]


def queue(name: str, members: list[str], online: list[str] | None = None) -> dict[str, object]:
    return {"name": name, "type": "quorum", "members": members, "online": members if online is None else online}


def told(queues: list[dict[str, object]], nodes: int) -> list[tuple[str, str]]:
    findings = list(examine(Findings("broker"), queues, nodes))
    assert {finding.state for finding in findings} <= {"warn"}
    return [(finding.found, finding.mend.partition(",")[0]) for finding in findings]


def test_queues_that_were_declared_before_the_other_nodes_joined_are_named_together() -> None:
    grow = "rabbitmq-queues grow NODE all"
    early = [queue("billing.dead", ["a"]), queue("billing.paid", ["a"]), queue("events.dead", ["a", "b"])]
    assert told([*early, queue("events.held", THREE)], 3) == [
        ("billing.dead and 1 more: kept on 1 of 3 nodes, and should be on 3", grow),
        ("events.dead: kept on 2 of 3 nodes, and should be on 3", grow),
    ]


def test_a_member_that_is_down_still_is_a_member() -> None:
    assert told([queue("billing.dead", THREE, ["a", "b"])], 3) == [
        ("billing.dead lacks 1 of its nodes", "start the nodes")
    ]


@pytest.mark.parametrize(("members", "nodes"), [(["a"], 1), (["a", "b"], 2), (THREE, 3), (THREE, 5)])
def test_there_are_as_many_copies_as_nodes_up_to_three(members: list[str], nodes: int) -> None:
    assert told([queue("billing.dead", members)], nodes) == []


def test_a_queue_without_members_is_another_kind_or_too_new_to_tell() -> None:
    assert told([{"name": "bi.copy", "type": "classic"}], 3) == []
