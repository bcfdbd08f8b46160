"""What the gateway itself knows of former systems: the board, and what became of each command.

All else about them is an operation of the service that keeps the stage: see ``operations.py``.
"""

import re

from fastapi import APIRouter, Request
from starlette.responses import Response

from schemas.operations import OPERATIONS
from schemas.rights import Right
from services.cutover.operations import authority
from services.gateway.api import cutover_responses
from services.gateway.api.cutover_answers import problem_of, system_of
from services.gateway.auth.authorisation import require
from services.gateway.context import answer
from services.gateway.dependencies import SEES_CUTOVER, Context, CutoverReader
from services.gateway.problems import ProblemError, as_json, described
from services.gateway.requests_queries import Request as KeptRequest
from services.gateway.requests_queries import board, request_now
from services.gateway.translations import language_of

router = APIRouter(tags=["cutover"])

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@router.get("/cutover/requests/{request_id}", response_model=cutover_responses.RequestShown, responses=described(404))
async def request_by_id(request: Request, context: Context, caller: CutoverReader, request_id: str) -> Response:
    """What was asked of a service that had not answered in time, and what it answered since."""
    kept = await request_now(context.pool, request_id) if _ID.fullmatch(request_id) else None
    if kept is None:
        raise ProblemError("cutover-request-unknown")
    if kept.key_id != caller.key_id:
        # The answer may hold what others may not see.
        require(caller, _right_of(kept))
    problem = None
    if kept.outcome == "refused" and kept.answer is not None:
        problem = as_json(problem_of(request_id, kept.answer), language_of(request, "en"))
    return answer(
        {
            "id": kept.request_id,
            "system": system_of(kept),
            "service": kept.service,
            "operation": kept.operation,
            "author": kept.author,
            "reason": kept.reason,
            "at": kept.at,
            "state": kept.outcome or "waiting",
            "answer": kept.answer if kept.outcome == "done" else None,
            "problem": problem,
            "answered_at": kept.answered_at,
        }
    )


def _right_of(kept: KeptRequest) -> Right:
    """What the operation needs; for one that there is no more, the right to read persons."""
    operation = next((item for item in OPERATIONS if item.name == kept.operation), None)
    return "read-persons" if operation is None else operation.right_at(kept.service)


@router.get("/cutover", response_model=cutover_responses.Board, dependencies=SEES_CUTOVER)
async def all_systems(context: Context) -> Response:
    """The board: every former system, and where it stands as its service last told."""
    systems = [(code, service) for code, cluster in context.policy.clusters.items() for service in cluster.services]
    return answer(
        {
            "items": [
                {
                    "system": f"{cluster}/{service}",
                    "cluster": cluster,
                    "service": service,
                    "stage": at.stage,
                    "authority": authority(at.stage),
                    "epoch": at.epoch,
                    "since": at.since,
                    "by": at.by,
                }
                for cluster, service, at in await board(context.pool, systems)
            ]
        }
    )
