"""``/p/feed/…``: calendars that people subscribe to. All gatherings, those of a cluster, and one person's own.

Programs read them again and again: what did not change is answered with 304.
"""

from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path
from starlette.requests import Request
from starlette.responses import Response

from schemas.events_public import PERSONAL_FEED, PUBLIC_FEED, Feed, OfFeed, OneLink
from schemas.objections import link_digest
from schemas.operation import Arguments, Operation
from services.gateway.context import GatewayContext
from services.gateway.dependencies import Context
from services.gateway.fast_path import unchanged
from services.gateway.problems import ProblemError, described
from services.gateway.public.gatherings import AUTHOR
from services.gateway.public.limits import RateLimit, caller_of, too_many
from services.gateway.public.links import Token
from services.gateway.queries import ask_for

router = APIRouter(prefix="/p/feed", tags=["public"])

Cluster = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,99}$", description="whose gatherings")]
IfNoneMatch = Annotated[str | None, Header(description="the etag of what was read before")]

LOOKS_BY_CALLER: Final = RateLimit(burst=120, per_second=1)
"""One server of Google or Microsoft reads the feeds of many people; each waits six hours or more."""
LOOKS_FOR_ALL: Final = RateLimit(burst=1_000, per_second=50)
"""Each look asks events a question."""
_CALENDAR: Final[dict[str, Any]] = {
    "content": {"text/calendar": {"schema": {"type": "string"}}},
    "description": "A calendar (RFC 5545)",
}
_ANSWERS: Final = described(404, 429, 503) | {200: _CALENDAR, 304: {"description": "It did not change"}}


@router.get("/events.ics", openapi_extra={"security": []}, response_class=Response, responses=_ANSWERS)
async def public_feed(request: Request, context: Context, if_none_match: IfNoneMatch = None) -> Response:
    """All gatherings that everybody may see."""
    return await _feed(request, context, PUBLIC_FEED, OfFeed(), if_none_match, "public")


@router.get("/r/{token}.ics", openapi_extra={"security": []}, response_class=Response, responses=_ANSWERS)
async def personal_feed(
    request: Request, context: Context, token: Token, if_none_match: IfNoneMatch = None
) -> Response:
    """One person's own seats, with addresses to join on line, at an address that was mailed to them alone."""
    return await _feed(request, context, PERSONAL_FEED, OneLink(digest=link_digest(token)), if_none_match, "private")


@router.get("/{cluster}.ics", openapi_extra={"security": []}, response_class=Response, responses=_ANSWERS)
async def feed_of_cluster(
    request: Request, context: Context, cluster: Cluster, if_none_match: IfNoneMatch = None
) -> Response:
    """The gatherings of one cluster that everybody may see."""
    if cluster not in context.policy.clusters:
        raise ProblemError("cluster-unknown")
    return await _feed(request, context, PUBLIC_FEED, OfFeed(cluster=cluster), if_none_match, "public")


async def _feed(
    request: Request,
    context: GatewayContext,
    operation: Operation,
    asked: Arguments,
    if_none_match: str | None,
    kept_by: str,
) -> Response:
    """What events answers. Raises ProblemError: nobody was sent this, events is away, or it is read too often."""
    if not (LOOKS_BY_CALLER.allows(caller_of(request)) and LOOKS_FOR_ALL.allows("")):
        raise too_many()
    answer = await ask_for(context, AUTHOR, operation, "events", None, asked)
    calendar = Feed.model_validate(answer).calendar.encode()
    etag = f'"{sha256(calendar).hexdigest()[:32]}"'
    headers = {
        "etag": etag,
        "cache-control": f"{kept_by}, no-cache",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex",
    }
    if unchanged(None if if_none_match is None else if_none_match.encode("latin-1"), etag.encode()):
        return Response(status_code=304, headers=headers)
    return Response(calendar, headers=headers, media_type="text/calendar")
