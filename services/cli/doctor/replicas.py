"""On how many of the broker's nodes each queue is kept, and whether those run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.cli.doctor.findings import Finding, Findings

COPIES = 3
"""As many of each queue as there should be where the nodes are as many: with one node down, two go on."""
_GROW = "rabbitmq-queues grow NODE all, for each node that lacks them"


def examine(report: Findings, queues: Sequence[Mapping[str, Any]], nodes: int) -> Iterator[Finding]:
    """``queues`` as the management API lists them; ``nodes`` is how many belong to the broker, running or not."""
    copies = min(COPIES, nodes)
    few: defaultdict[int, list[str]] = defaultdict(list)
    for queue in queues:
        members = len(queue.get("members", ()))
        # One that was declared a moment ago is listed before its members are.
        if 0 < members < copies:
            few[members].append(queue["name"])
        if (down := members - len(queue.get("online", ()))) > 0:
            yield report.warn("replicas of queues", f"{queue['name']} lacks {down} of its nodes", "start the nodes")
    for members, names in sorted(few.items()):
        more = f" and {len(names) - 1} more" if names[1:] else ""
        detail = f"{names[0]}{more}: kept on {members} of {nodes} nodes, and should be on {copies}"
        yield report.warn("replicas of queues", detail, _GROW)
