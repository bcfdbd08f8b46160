"""What the script of the check-in page asks and sends: the list as JSON, and whom a phone let in while off line."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from schemas.event_requests import PersonNoted
from services.gateway.api.decision_bodies import described as described_body
from services.gateway.bodies import LONGEST, body_of
from services.gateway.context import answer
from services.gateway.dependencies import Context, Lang
from services.gateway.problems import RETRY_SECONDS, ProblemError, described
from services.gateway.public import checkin_view as view
from services.gateway.public.checkin import Token, allow_change, allow_look, keep, list_of
from services.gateway.public.checkin_script import EntriesSent, ListShown, Noted
from services.gateway.public.checkin_texts import TEXTS
from services.gateway.translations import language_of

router = APIRouter(prefix="/p", tags=["public"])

_ONE_OF_TWO: Final = "name an attendee_id, or the name of somebody who is on no list"


@router.get("/c/{token}/list", openapi_extra={"security": []}, response_model=ListShown,
            responses=described(404, 429, 503))  # fmt: skip
async def check_in_list(request: Request, context: Context, token: Token, lang: Lang = None) -> Response:
    """Who is expected and who came, with the digests of tickets."""
    allow_look(request)
    listed = await list_of(context, token)
    if listed is None:
        raise ProblemError("service-away", headers={"retry-after": str(RETRY_SECONDS)}, service="events")
    if isinstance(listed, str):
        raise ProblemError(listed)
    language = language_of(request)
    rows = [row.for_script() for row in view.rows_of(listed, TEXTS[language], language)]
    return answer({"present": listed.present, "expected": listed.expected, "people": rows, "keys": listed.keys})


@router.post("/c/{token}/entries", openapi_extra={"security": []} | described_body(EntriesSent), response_model=Noted,
             responses=described(413, 429))  # fmt: skip
async def keep_entries(
    request: Request,
    context: Context,
    token: Token,
    sent: Annotated[EntriesSent, Depends(body_of(EntriesSent, LONGEST))],
    lang: Lang = None,
) -> Response:
    """Keep whom a phone let in, also while events is away. The list tells later which of them were taken."""
    allow_change(request, token)
    now = context.clock.now()
    try:
        entries = [
            PersonNoted(
                key=each.key, attendee_id=each.attendee_id, name=each.name, at=now - timedelta(seconds=each.ago)
            )
            for each in sent.entries
        ]
    except ValidationError:
        raise RequestValidationError([{"loc": ("body", "entries"), "msg": _ONE_OF_TWO}]) from None
    await keep(context, token, sent.device, entries)
    return answer({"noted": len(entries)})
