"""Whether queues let go of what they have to dead-letter, and whether one is nearly full: and then, who fills it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.cli.doctor.findings import Finding, Findings
from shared.cli.terminal import size
from shared.messaging.management import Management, path
from shared.messaging.topology import OWN_PUBLISHER, dead_queue

Items = list[dict[str, Any]]

PAUSE_SECONDS = 6.0
"""Longer than the five seconds in which the broker counts anew."""
LOOKS = 3
NEARLY_FULL = 0.8
"""Of what a queue may hold, in bytes."""


# --- dead-lettering ------------------------------------------------------------------------------------------------


def dead_lettering(report: Findings, broker: Management, vhost: str, theirs: Items) -> Iterable[Finding]:
    """Messages on their way to another queue, of retries too, are neither ready nor unacknowledged: this counts them.

    They go within moments. Those that do not wait for room at their destination, or a part of the broker has ended.
    """
    stuck = _waiting(theirs)
    for _ in range(LOOKS - 1):
        if not stuck:
            break
        time.sleep(PAUSE_SECONDS)
        now = _waiting(broker.call("GET", path("queues", vhost)))
        stuck = {name: before for name, before in stuck.items() if now.get(name, 0) >= before}
    mend = (
        "is the queue that they go to full? They go within six minutes once it has room. If it has: restart the node "
        "whose log names rabbit_fifo_dlx, and upgrade it if it is older than RabbitMQ 4.0"
    )
    problems = [
        f"{count:,} messages of {name} wait to be dead-lettered, and do not go" for name, count in stuck.items()
    ]
    return report.judged("dead-lettering", problems, mend, "nothing waits for it")


def _waiting(queues: Items) -> dict[str, int]:
    return {queue["name"]: queue["messages_dlx"] for queue in queues if queue.get("messages_dlx")}


# --- room ----------------------------------------------------------------------------------------------------------


def room(report: Findings, broker: Management, vhost: str, theirs: Items, bindings: Items) -> Iterable[Finding]:
    """Queues that hold most of what they may: beyond that the broker takes nothing more, from anybody."""
    full = [
        (queue, most)
        for queue in theirs
        if (most := _most(queue)) and queue.get("message_bytes", 0) >= NEARLY_FULL * most
    ]
    if not full:
        return [report.ok("room in queues", f"none is over {NEARLY_FULL:.0%} full")]
    rates = _rates(broker, vhost)
    return [
        _nearly_full(report, document, most, _publishers(document["name"], bindings, rates)) for document, most in full
    ]


def _most(queue: Mapping[str, Any]) -> int:
    return (queue.get("effective_policy_definition") or {}).get("max-length-bytes", 0)


def _nearly_full(
    report: Findings, queue: Mapping[str, Any], most: int, busiest: Iterable[tuple[str, float]]
) -> Finding:
    who = ", ".join(f"{user} ({rate:,.1f} a second)" for user, rate in busiest) or "nobody who is connected now"
    detail = f"{queue['name']} holds {size(queue['message_bytes'])} of {size(most)}; most is published by {who}"
    mend = "full, it refuses every publisher: does its service run? If one publisher floods it, ask it to stop, or "
    return report.warn("room in queues", detail, mend + "traboule former-systems revoke SYSTEM until it has")


def _rates(broker: Management, vhost: str) -> Counter[str]:
    """Messages a second that each user publishes now."""
    rates = Counter[str]()
    for item in broker.call("GET", "/api/channels?columns=user,vhost,message_stats.publish_details.rate"):
        if item.get("vhost") == vhost:
            rates[item["user"]] += item.get("message_stats", {}).get("publish_details", {}).get("rate", 0)
    return rates


def _publishers(queue: str, bindings: Items, rates: Counter[str]) -> Iterator[tuple[str, float]]:
    """Who publishes what such a queue hears, the busiest first."""
    patterns = [
        binding["routing_key"].split(".")
        for binding in bindings
        if binding["destination"] == queue and binding["source"]
    ]
    service = queue.split(".")[0]
    for user, rate in rates.most_common():
        words = user.split(".")
        feeds = any(_fits(words, pattern) for pattern in patterns)
        if queue == dead_queue(service).name:
            feeds = words[0] != OWN_PUBLISHER and words[-1] == service
        if feeds and rate > 0:
            yield user, rate


def _fits(words: list[str], pattern: list[str]) -> bool:
    """Whether a user's routing keys, which begin with its name, can be what a binding asks for."""
    return len(pattern) > len(words) and all(asked in ("*", word) for asked, word in zip(pattern, words, strict=False))
