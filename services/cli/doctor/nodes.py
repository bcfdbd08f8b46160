"""How the broker's nodes are: whether they run, hear each other, and have room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.cli.doctor.findings import Finding, Findings
from shared.cli.terminal import size


def examine(report: Findings, nodes: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """``nodes`` as the management API lists them, running or not."""
    for node in nodes:
        name = node["name"]
        if not node.get("running"):
            yield report.fail(
                "nodes", f"{name} does not run", "start it: queues go on only while most of their nodes run"
            )
            continue
        if "disk_free" not in node:
            yield report.warn("nodes", f"{name} has just started, and does not tell how it is", "ask again in a moment")
            continue
        wrong = [f"{name} is apart from {other}" for other in node.get("partitions", ())]
        yield from (report.fail("nodes", line, "mend the network, then restart the smaller part") for line in wrong)
        free, least = node["disk_free"], node["disk_free_limit"]
        detail = f"{name} has {_size(free)} of disk free, and stops publishers below {_size(least)}"
        if node["disk_free_alarm"]:
            yield report.fail("nodes", detail, "make room: nobody can publish until then")
        elif node["mem_alarm"]:
            detail = f"{name} uses {_size(node['mem_used'])} of memory, and so stops publishers"
            yield report.fail("nodes", detail, "give it more memory, or start who should consume")
        elif isinstance(free, int) and isinstance(least, int) and free < 2 * least:
            yield report.warn("nodes", detail, "make room before it does")
        elif not wrong:
            yield report.ok("nodes", detail)


def _size(value: Any) -> str:
    # Where a node cannot tell, it says so in words.
    return size(value) if isinstance(value, int | float) else str(value)
