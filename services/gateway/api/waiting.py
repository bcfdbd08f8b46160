"""What waits for a person, in numbers: the first page of whoever works here."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from services.gateway import waiting as counts
from services.gateway.context import answer
from services.gateway.dependencies import SEES_CUTOVER, Context
from services.membership.identity import review_rows

router = APIRouter(tags=["waiting"])


class WaitingInCluster(BaseModel):
    """What waits about one cluster's former system: messages in quarantine, differences that nobody accepted."""

    cluster: str
    late: int
    differences: int


class WaitingInService(BaseModel):
    """What a service announced last; ``parked`` are its dead letters, the oldest of them parked at ``parked_since``."""

    service: str
    parked: int
    parked_since: datetime | None
    late: int
    differences: int
    clusters: list[WaitingInCluster]


class OpenConflicts(BaseModel):
    """All, and by the service that resolves them."""

    open: int
    billing: int
    events: int


class OpenDuplicates(BaseModel):
    """Cases of the review queue."""

    open: int


class Waiting(BaseModel):
    """Every count is the length of the list that it leads to. A service that never announced anything is missing."""

    duplicates: OpenDuplicates
    conflicts: OpenConflicts
    services: list[WaitingInService]


@router.get("/waiting", response_model=Waiting, dependencies=SEES_CUTOVER)
async def waiting(context: Context) -> Response:
    """How much waits for a person: questions, conflicts, and in each service parked and late messages, differences.

    It asks no other service: each announces its counts when they change, within seconds.
    """
    async with context.pool.snapshot() as rows:
        conflicts = await counts.open_conflicts(rows)
        services = await counts.waiting_in_services(rows)
        cases = await review_rows.count(rows, review_rows.Wanted())
    by_service = {name: conflicts.get(name, 0) for name in ("billing", "events")}
    return answer(
        {
            "duplicates": {"open": cases},
            "conflicts": {"open": sum(conflicts.values()), **by_service},
            "services": services,
        }
    )
