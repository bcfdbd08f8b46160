"""What was done with rights: the audit for administrators, and everybody's own sessions."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from services.gateway.api import access_bodies as shapes
from services.gateway.api.decision_bodies import described as described_body
from services.gateway.auth import sessions
from services.gateway.auth.audit import Access
from services.gateway.auth.audit_queries import AuditFilters, audit
from services.gateway.auth.caller import Caller, SignedIn
from services.gateway.bodies import body_of
from services.gateway.context import answer
from services.gateway.dependencies import Context, Reader, having
from services.gateway.problems import ProblemError, described

router = APIRouter(tags=["access"])

_NOTHING: Final = Depends(body_of(shapes.Nothing))
_Text = Annotated[str | None, Query(max_length=1_000, pattern=r"^[^\x00]+$")]


@router.get("/access/audit", response_model=shapes.Audit, dependencies=having("read-audit"))
async def trail(
    context: Context,
    who: _Text = None,
    about: _Text = None,
    right: _Text = None,
    since: datetime | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Who did what, and who looked at whom, for twelve months. Programs' reads are counted, not named."""
    items = await audit(context.pool, AuditFilters(who, about, right, since), before, limit + 1)
    following = items[limit - 1]["id"] if len(items) > limit else None
    return answer({"items": items[:limit], "next": following})


@router.get("/access/sessions", response_model=shapes.Sessions, responses=described(404))
async def own_sessions(context: Context, caller: Reader) -> Response:
    """One's own sessions; a program has none."""
    own = _session(caller)
    async with context.reading() as connection:
        items = await sessions.sessions_of(connection, own.person_id)
    return answer({"items": [item | {"is_this": item["number"] == own.number} for item in items]})


@router.post(
    "/access/sessions/{number}/end",
    response_model=shapes.Done,
    responses=described(404, 413),
    openapi_extra=described_body(shapes.Nothing),
)
async def end_session(context: Context, caller: Reader, number: int, body: Any = _NOTHING) -> Response:
    """End one of one's own sessions."""
    own = _session(caller)
    async with context.writing(Access(caller, "sign-in", f"session:{number}", reason="ended")) as uow:
        if not await sessions.end_by_number(uow.connection, number, own.person_id):
            raise ProblemError("session-unknown")
    await context.callers.refresh()
    return answer({"id": str(number), "name": caller.name})


@router.post(
    "/access/sessions/end-others",
    response_model=shapes.Done,
    responses=described(404, 413),
    openapi_extra=described_body(shapes.Nothing),
)
async def end_other_sessions(context: Context, caller: Reader, body: Any = _NOTHING) -> Response:
    """End all of one's sessions but this one."""
    own = _session(caller)
    async with context.writing(Access(caller, "sign-in", "sessions", reason="others ended")) as uow:
        await sessions.end_others(uow.connection, own.person_id, own.number)
    await context.callers.refresh()
    return answer({"id": str(own.number), "name": caller.name})


def _session(caller: Caller) -> SignedIn:
    if caller.session is None:
        raise ProblemError("session-unknown")
    return caller.session
