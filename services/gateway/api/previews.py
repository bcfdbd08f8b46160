"""What a decision or a separation would do, before it is taken: nothing is written."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.gateway.api import decision_bodies
from services.gateway.api.authorship import refusals
from services.gateway.api.decision_bodies import SeparationTried, Trying
from services.gateway.api.duplicate_responses import Previewed
from services.gateway.api.members import find_member
from services.gateway.auth.authorisation import require
from services.gateway.auth.caller import Caller
from services.gateway.bodies import body_of
from services.gateway.context import GatewayContext, answer
from services.gateway.dependencies import Context, Decider
from services.gateway.problems import described
from services.membership.identity.decisions import DecisionError
from services.membership.rows import InTransaction
from services.membership.usecases.decide import separation
from services.membership.usecases.preview import MemberToBe, Preview, preview

router = APIRouter(tags=["duplicates"])


@router.post(
    "/duplicates/decisions/preview",
    response_model=Previewed,
    responses=described(413),
    openapi_extra=decision_bodies.described(Trying),
)
async def preview_decision(
    request: Request, context: Context, caller: Decider, body: Annotated[Trying, Depends(body_of(Trying))]
) -> Response:
    """The members that a decision would lead to, as they would be shown; the decision is not taken."""
    with refusals(request):
        decision = decision_bodies.decision_of(body.root)
        async with context.previewing() as uow:
            return _response(context, caller, await preview(uow, decision))


@router.post(
    "/members/{member_id}/separations/preview",
    response_model=Previewed,
    responses=described(404, 410, 413),
    openapi_extra=decision_bodies.described(SeparationTried),
)
async def preview_separation(
    request: Request,
    context: Context,
    caller: Decider,
    member_id: str,
    body: Annotated[SeparationTried, Depends(body_of(SeparationTried))],
) -> Response:
    """The members that there would be if these source records left this one; they do not leave it."""
    with refusals(request):
        records = decision_bodies.keys_of(body.records)
        async with context.previewing() as uow:
            member = await find_member(InTransaction(uow.connection), member_id)
            if set((await uow.members_by_record(records)).values()) - {member.member_id}:
                raise DecisionError("not-this-member", "these source records are not part of this member")
            return _response(context, caller, await preview(uow, await separation(uow, records)))


def _response(context: GatewayContext, caller: Caller, result: Preview) -> Response:
    """The members to be. Their views are whole: who may not read persons is refused, and who may leaves a trace."""
    require(caller, "read-persons")
    for member in result.members:
        context.audit.read(caller, "read-persons", f"member:{member.member_id}", "previews")
    members = [_member(member) for member in result.members]
    return answer({"changes": result.changes, "members": members, "gone_ids": result.gone_ids})


def _member(member: MemberToBe) -> dict[str, Any]:
    return {
        "id": member.member_id,
        "records": [str(key) for key in member.records],
        "changed": member.changed,
        "view": None if member.view is None else orjson.Fragment(member.view.document),
    }
