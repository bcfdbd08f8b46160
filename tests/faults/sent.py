"""Events and messages as a former system sends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from schemas.envelope import source_of

CLUSTERS = ("clustr-numerique", "numelink")


@dataclass(frozen=True)
class Event:
    """One event as its publisher wrote it; ``poison`` is the reason for which it must be parked, if it is not sound."""

    cluster: str
    service: str
    key: str
    id: str
    body: bytes
    poison: str = ""

    @property
    def name(self) -> str:
        """How an inbox calls it."""
        return f"{source_of(self.cluster, self.service)} {self.id}"


@dataclass(frozen=True)
class Message:
    """One message to publish, as the former system ``user``."""

    user: str
    routing_key: str
    body: bytes
    content_type: str | None
    message_id: str
    headers: dict[str, Any] = field(default_factory=dict)
