"""Questions from one service to another: an answer within seconds, or none.

::

    gateway ─► default exchange ─► <service>.queries ─► one replica of the service
       ▲                                                      │
       └──────────── amq.rabbitmq.reply-to.<secret> ◄─────────┘   (direct reply-to)

A question is no fact. Nobody keeps it, nobody parks it, and nothing is done twice because of it. It waits in its queue
for :data:`TTL_SECONDS` at most; then whoever asked has given up already. Facts and commands never go this way.
"""

from dataclasses import dataclass
from typing import Final, Literal

TTL_SECONDS: Final = 5
"""For so long a question may wait in its queue."""
QUEUE_LENGTH: Final = 1_000
"""Questions that may wait in one queue; then the broker refuses more, and whoever asks is told at once."""
LONGEST_QUESTION: Final = 64 * 1024
LONGEST_REPLY: Final = 4 * 1024 * 1024
"""Bytes of a body."""
REPLY_TO: Final = "amq.rabbitmq.reply-to"

ReplyKind = Literal["done", "refused", "away", "failed"]
"""``away``: the service runs, and its database does not answer in time. ``failed``: by a fault of the service."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a service answered: JSON for done and refused, nothing for the others."""

    kind: ReplyKind
    body: bytes = b""


def queries_queue(service: str) -> str:
    """Where questions to a service wait."""
    return f"{service}.queries"
