"""What merges brought together that a member should not have twice, and where each stands.

They are resolved in the service that is responsible for them; here is what it answered.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.gateway.api.member_responses import Conflict, Conflicts
from services.gateway.api.members import find_member, spoken
from services.gateway.context import answer
from services.gateway.cursors import cursor, position_in_time
from services.gateway.dependencies import SEES_CONFLICTS, After, Context, Lang
from services.gateway.problems import ProblemError, described
from services.gateway.translations import language_of
from services.membership.translations import CONFLICTS, Language, label
from services.membership.views.conflict_queries import (
    ConflictFilters,
    OpenConflict,
    State,
    conflict,
    conflicts,
    count_conflicts,
)

router = APIRouter(tags=["conflicts"])

StateAsked = Annotated[State | None, Query(description="`open` also shows those that are told, and not answered yet")]


@router.get("/conflicts", response_model=Conflicts, responses=described(404, 410), dependencies=SEES_CONFLICTS)
async def list_conflicts(
    request: Request,
    context: Context,
    state: StateAsked = None,
    responsible: Literal["billing", "events"] | None = None,
    member: Annotated[str | None, Query(max_length=50, description="any id that the member ever had")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: After = None,
    lang: Lang = None,
) -> Response:
    """Conflicts, the oldest first; `total` counts all that the filters leave.

    Those of a member are all in which one of its records is one of the two.
    """
    position = position_in_time(after)
    current = None if member is None else (await find_member(context.pool, member)).member_id
    chosen = ConflictFilters(state, responsible, current)
    async with context.pool.snapshot() as rows:
        result = await conflicts(rows, chosen, after=position, limit=limit + 1)
        total = await count_conflicts(rows, chosen)
    page = result[:limit]
    following = cursor(page[-1].found_at.isoformat(), page[-1].conflict_id) if len(result) > limit else None
    language = language_of(request)
    items = [_as_json(conflict, language) for conflict in page]
    return answer({"items": items, "next": following, "total": total}, spoken(language))


@router.get("/conflicts/{conflict_id}", response_model=Conflict, responses=described(404), dependencies=SEES_CONFLICTS)
async def conflict_by_id(request: Request, context: Context, conflict_id: str, lang: Lang = None) -> Response:
    """One conflict: what is there twice, whose it is, and how far they are."""
    result = None if "\x00" in conflict_id else await conflict(context.pool, conflict_id)
    if result is None:
        raise ProblemError("conflict-unknown")
    language = language_of(request)
    return answer(_as_json(result, language), spoken(language))


def _as_json(conflict: OpenConflict, language: Language) -> dict[str, Any]:
    return {
        "conflict_id": conflict.conflict_id,
        "kind": conflict.kind,
        "what": label(CONFLICTS, conflict.kind, language),
        "responsible": conflict.responsible,
        "owner": conflict.owner,
        "state": conflict.state,
        "member": None if conflict.member_name is None else {"id": conflict.member_id, "name": conflict.member_name},
        "between": conflict.between,
        "overlaps": conflict.overlaps,
        "found_at": conflict.found_at,
        "answered_at": conflict.answered_at,
        "gone_at": conflict.gone_at,
    }
