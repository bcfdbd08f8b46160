"""What ``traboule doctor`` says of the broker's nodes."""

from typing import Any

from services.cli.doctor.findings import Findings
from services.cli.doctor.nodes import examine

WELL = {
    "name": "a",
    "running": True,
    "partitions": [],
    "disk_free": 10_000_000_000,
    "disk_free_limit": 1_000_000_000,
    "disk_free_alarm": False,
    "mem_alarm": False,
    "mem_used": 1_000_000,
}


def told(**different: Any) -> list[tuple[str, str]]:
    return [(finding.state, finding.found) for finding in examine(Findings("broker"), [WELL | different])]


def test_a_node_tells_how_much_room_it_has_until_it_stops_publishers() -> None:
    ((state, result),) = told()
    assert (state, "disk free" in result) == ("ok", True)
    assert [state for state, _ in told(disk_free=1_500_000_000)] == ["warn"]
    assert [state for state, _ in told(disk_free_alarm=True)] == ["fail"]
    assert [state for state, _ in told(mem_alarm=True)] == ["fail"]


def test_nodes_that_do_not_run_or_do_not_hear_each_other_are_named() -> None:
    assert told(running=False) == [("fail", "a does not run")]
    assert told(partitions=["b", "c"]) == [("fail", "a is apart from b"), ("fail", "a is apart from c")]


def test_a_node_that_has_just_started_tells_nothing_yet() -> None:
    known = {"name": "a", "running": True}
    assert [(finding.state, finding.found) for finding in examine(Findings("broker"), [known])] == [
        ("warn", "a has just started, and does not tell how it is")
    ]


def test_a_node_that_cannot_tell_its_room_says_so_in_words() -> None:
    ((state, result),) = told(disk_free="disk_free_monitoring_disabled")
    assert (state, "disk_free_monitoring_disabled" in result) == ("ok", True)
