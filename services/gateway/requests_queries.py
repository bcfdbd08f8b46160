"""Where former systems stand, as the services told, and what staff asked about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.cutover.stages import StageState
from services.membership.rows import Rows
from shared.persistence.database import json_of

_BOARD = "select cluster, service, stage, epoch, since, by from former_systems"
_REQUEST = """
    select id as request_id, cluster, service, operation, author, key_id, reason, at, outcome, answer, answered_at
    from cutover_requests where id = $1
"""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it stands; ``outcome`` is None until it is answered, ``answer`` again once it is forgotten."""

    request_id: str
    cluster: str | None
    service: str
    operation: str
    author: str
    key_id: str
    reason: str | None
    at: datetime
    outcome: str | None
    answer: dict[str, Any] | None
    answered_at: datetime | None


async def board(rows: Rows, systems: Iterable[tuple[str, str]]) -> list[tuple[str, str, StageState]]:
    """Where each of these (cluster, service) stands; one of which nothing was told is in legacy."""
    states = {(cluster, service): StageState(*rest) for cluster, service, *rest in await rows.fetch(_BOARD)}
    return [(cluster, service, states.get((cluster, service), StageState())) for cluster, service in sorted(systems)]


async def request_now(rows: Rows, request_id: str) -> Request | None:
    """One request, or None if nobody made it."""
    for row in await rows.fetch(_REQUEST, request_id):
        return Request(**dict(row) | {"answer": json_of(row["answer"])})
    return None
