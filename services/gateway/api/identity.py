"""Who a member is: what merged and separated, why its records are held together, and parting them."""

from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from services.gateway.api import decision_bodies
from services.gateway.api.authorship import refusals, require_share, signature
from services.gateway.api.decision_bodies import Separation
from services.gateway.api.duplicate_responses import DecidedNow, Identity
from services.gateway.api.duplicates import decided_response
from services.gateway.api.members import find_member, spoken
from services.gateway.auth.audit import Access
from services.gateway.bodies import body_of
from services.gateway.context import answer
from services.gateway.cursors import cursor, position_in_turns
from services.gateway.dependencies import READS_PERSONS, After, Context, Decider, Lang
from services.gateway.problems import described
from services.gateway.translations import language_of
from services.membership.identity import answers
from services.membership.identity.decisions import DecisionError
from services.membership.rows import InTransaction
from services.membership.usecases import decide

router = APIRouter(tags=["duplicates"])
log = structlog.get_logger()


@router.get(
    "/members/{member_id}/identity",
    response_model=Identity,
    responses=described(404, 410),
    dependencies=READS_PERSONS,
)
async def identity(
    request: Request,
    context: Context,
    member_id: str,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: After = None,
    lang: Lang = None,
) -> Response:
    """What holds a member's source records together now, and what merged, separated and was decided, newest first.

    `links` are told by their evidence, or by the decision that is believed instead of any.
    """
    before, language = position_in_turns(after) or answers.END, language_of(request)
    async with context.pool.snapshot() as rows:
        current, asked_id = str((await find_member(rows, member_id)).member_id), str(UUID(member_id))
        identity = await answers.identity(rows, current, context.policy.weights, language)
        turns = await answers.history(
            rows, current, asked_id, context.policy.weights, language, before=before, limit=limit + 1
        )
    page = turns[:limit]
    following = cursor(*_position(page[-1][0])) if len(turns) > limit else None
    return answer({**identity, "items": [content for _, content in page], "next": following}, spoken(language))


@router.post(
    "/members/{member_id}/separations",
    response_model=DecidedNow,
    status_code=201,
    responses={**described(404, 410, 413), 200: {"model": DecidedNow, "description": "Said already"}},
    openapi_extra=decision_bodies.described(Separation),
)
async def separations(
    request: Request,
    context: Context,
    caller: Decider,
    member_id: str,
    body: Annotated[Separation, Depends(body_of(Separation))],
) -> Response:
    """Undo a merge: these source records leave the member, and everything that names them goes with them.

    It is a decision like others: it can be taken back.
    """
    with refusals(request):
        signed, records = signature(body, caller), decision_bodies.keys_of(body.records)
        access = Access(caller, "decide-identity", f"member:{member_id}", reason=body.reason)
        async with context.writing(access) as uow:
            await uow.serialise_writers()  # from here on nobody else merges or separates
            member = await find_member(InTransaction(uow.connection), member_id)
            elsewhere = set((await uow.members_by_record(records)).values()) - {member.member_id}
            if elsewhere:
                raise DecisionError("not-this-member", "these source records are not part of this member")
            decision = await decide.separation(uow, records)
            require_share(caller, decision)
            decided = await decide.decide(uow, decision, signed)
    log.info("duplicates.decided", decision=decided.number, key_id=caller.key_id, repeated=decided.repeated)
    return decided_response(decided)


def _position(moment: answers.Moment) -> tuple[str, str]:
    return moment.at.isoformat(), f"{moment.rank}:{moment.number}"
