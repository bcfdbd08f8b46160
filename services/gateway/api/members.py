"""One member: the consolidated view, by our ids and by those of former systems, its timeline, its source records."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.cutover.stages import OURS
from services.gateway.api.member_responses import Member, Sources, Timeline
from services.gateway.api.timeline import About, timeline
from services.gateway.auth.caller import Caller
from services.gateway.context import GatewayContext, answer
from services.gateway.cursors import cursor, position_in_time
from services.gateway.dependencies import READS_PERSONS, After, Context, Lang, Reader
from services.gateway.fast_path import unchanged
from services.gateway.problems import ProblemError, described
from services.gateway.translations import language_of
from services.gateway.without_persons import document_for, etag_for
from services.membership.normalisation.data_quality import MEANINGS
from services.membership.rows import Rows
from services.membership.translations import MEANINGS_FR, Language
from services.membership.views import queries
from services.membership.views.queries import StoredView
from shared.runtime.http_metrics import template

_INTERNAL = {"sort_key", "search_text", "brand_key", "problems", "problem_fields"}
_REFUSALS = described(404, 410)
router = APIRouter(tags=["members"])


@router.get(
    "/members/by-source/{cluster}/{record_id:path}",
    response_model=Member,
    responses=_REFUSALS,
)
async def member_by_source(
    request: Request, context: Context, caller: Reader, cluster: str, record_id: str
) -> Response:
    """The member that a former system's record is part of; `record_id` is that system's own, slashes and all."""
    if "\x00" in cluster + record_id:
        raise ProblemError("member-unknown")
    view = _present(await queries.member_by_source(context.pool, cluster, record_id))
    return _document(request, context, caller, view)


@router.get("/members/{member_id}", response_model=Member, responses=_REFUSALS)
async def member(request: Request, context: Context, caller: Reader, member_id: str) -> Response:
    """The consolidated view. An id that was merged away keeps answering: `Content-Location` has the current one."""
    return _document(request, context, caller, await find_member(context.pool, member_id), asked=member_id)


@router.get("/members/{member_id}/timeline", response_model=Timeline, responses=_REFUSALS, dependencies=READS_PERSONS)
async def member_timeline(
    request: Request,
    context: Context,
    member_id: str,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: After = None,
    about: Annotated[About | None, Query(description="only what happened to one of these")] = None,
    lang: Lang = None,
) -> Response:
    """What happened, newest first: dues, registrations, consents, mailings, and changes of the source records."""
    position = position_in_time(after)
    view = await find_member(context.pool, member_id)
    language = language_of(request)
    entries = await timeline(context.pool, view, position, limit + 1, language, about)
    page = entries[:limit]
    following = cursor(*page[-1].position) if len(entries) > limit else None
    return answer({"items": [entry.content for entry in page], "next": following}, spoken(language))


@router.get("/members/{member_id}/sources", response_model=Sources, responses=_REFUSALS, dependencies=READS_PERSONS)
async def member_sources(request: Request, context: Context, member_id: str, lang: Lang = None) -> Response:
    """The former systems' records that are this member: as written, as understood, and what is doubtful."""
    view = await find_member(context.pool, member_id)
    language = language_of(request)
    records = await queries.sources(context.pool, str(view.member_id))
    return answer({"id": view.member_id, "items": [_source(record, language) for record in records]}, spoken(language))


async def find_member(rows: Rows, member_id: str) -> StoredView:
    """A member by its id, or by any that was merged into it. Raises ProblemError."""
    try:
        known = str(UUID(member_id))
    except ValueError:
        raise ProblemError("member-unknown") from None
    return _present(await queries.member_by_any_id(rows, known))


def spoken(language: Language) -> dict[str, str]:
    """Headers of an answer that holds words for people."""
    return {"content-language": language, "vary": "accept-language"}


def _present(view: StoredView | None) -> StoredView:
    if view is None:
        raise ProblemError("member-unknown")
    if view.member_id is None:
        raise ProblemError("member-removed")
    return view


def _document(
    request: Request, context: GatewayContext, caller: Caller, view: StoredView, asked: str | None = None
) -> Response:
    if caller.may("read-persons"):
        context.audit.read(caller, "read-persons", f"member:{view.member_id}", template(request.scope))
    etag = f'"{etag_for(caller, view.etag)}"'
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if asked != view.member_id:
        headers["content-location"] = f"/members/{view.member_id}"
    if_none_match = request.headers.get("if-none-match")
    if unchanged(None if if_none_match is None else if_none_match.encode("latin-1"), etag.encode()):
        return Response(status_code=304, headers=headers)
    return Response(document_for(caller, view.document), headers=headers, media_type="application/json")


def _source(row: Any, language: Language) -> dict[str, Any]:
    written, understood = row["written"], row["understood"]
    meanings = MEANINGS_FR if language == "fr" else MEANINGS
    return {
        "cluster": row["cluster"],
        "record_id": row["record_id"],
        "member_id": row["own_id"],
        "version": row["version"],
        "stage": row["stage"],
        "changeable": row["stage"] in OURS,
        "written": written,
        "understood": {name: value for name, value in understood.items() if name not in _INTERNAL},
        "problems": [
            {
                "field": item["field"],
                "code": item["code"],
                "meaning": meanings.get(item["code"], item["code"]),
                "written": written.get(item["field"]),
            }
            for item in understood.get("problems", ())
        ],
    }
