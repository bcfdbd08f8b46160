"""Many members: pages, and the same as CSV."""

import csv
import io
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import date
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from services.gateway.api.member_responses import Page
from services.gateway.auth.caller import Caller
from services.gateway.context import GatewayContext, answer
from services.gateway.cursors import cursor, position_in_list
from services.gateway.dependencies import After, Context, KnownCluster, PersonsReader, Reader, check_cluster
from services.gateway.problems import RETRY_SECONDS, ProblemError
from services.gateway.translations import COLUMNS, YES_NO, language_of
from services.membership.rows import Rows
from services.membership.translations import Language, label
from services.membership.views import queries
from services.membership.views.matches import EXACT, Matched, matches
from services.membership.views.queries import Filters
from shared.importing.cells import harmless

log = structlog.get_logger()

MOST_EXACT = 20
"""Members that the first page of a search names as exact: one, mostly."""

router = APIRouter(tags=["members"])

Code = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")]


async def filters(
    context: Context,
    search: Annotated[
        str,
        Query(
            max_length=200,
            description="words of the name, brand or town, or a SIREN; accents are ignored. Staff also search by "
            "e-mail address, phone number, a former system's id (`B-7`, `numelink/B-7`) and contact's name",
        ),
    ] = "",
    cluster: KnownCluster = None,
    lineage: Code = None,
    departement: Annotated[str | None, Query(pattern=r"^[0-9][0-9AaBb][0-9]?$", description="69, 2A, 974")] = None,
    paid_up: Annotated[bool | None, Query(description="has paid for today, or owes nothing")] = None,
    active: Annotated[bool | None, Query(description="has a membership that has not ended")] = None,
) -> Filters:
    """Which members are asked for. Raises RequestValidationError for a cluster that there is not."""
    known = check_cluster(context, cluster)
    return Filters(search, known, lineage, departement and departement.upper(), paid_up, active)


@router.get("/members", response_model=Page)
async def members(
    context: Context,
    caller: Reader,
    chosen: Annotated[Filters, Depends(filters)],
    sort: Literal["name"] = "name",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: After = None,
    total: Annotated[bool, Query(description="count them all too")] = False,
) -> Response:
    """Members by name, in pages. What is added while one reads on makes nothing appear twice or vanish.

    For staff, `matched` says what else of a member is what was searched for. The first page names in `exact` those
    that an e-mail address, a phone number or a former id leads to, wherever they stand in the list.
    """
    today, position = context.clock.today(), position_in_list(after)
    matched = await _matched(context, context.pool, caller, chosen)
    members = await queries.members(context.pool, chosen, today, after=position, limit=limit + 1, ids=matched)
    page = members[:limit]
    following = cursor(page[-1]["sort_key"], page[-1]["id"]) if len(members) > limit else None
    content: dict[str, Any] = {"items": [_listed(item, matched) for item in page], "next": following}
    if position is None and (exact := {member for member, how in matched.items() if how in EXACT}):
        leading = await queries.members_of(context.pool, chosen, today, exact, MOST_EXACT)
        content["exact"] = [_listed(item, matched) for item in leading]
    if total:
        content["total"] = await _total(context, chosen, today, matched)
    return answer(content)


def _listed(item: dict[str, Any], matched: Mapping[str, Matched]) -> dict[str, Any]:
    shown = {name: value for name, value in item.items() if name != "sort_key"}
    return shown | {"matched": matched[item["id"]]} if item["id"] in matched else shown


async def _matched(context: GatewayContext, rows: Rows, caller: Caller, chosen: Filters) -> Mapping[str, Matched]:
    """Members by what only those may search for who may read persons' data."""
    if not queries.searches(chosen) or not caller.may("read-persons"):
        return {}
    return await matches(rows, chosen.search, context.policy.clusters)


async def _total(context: GatewayContext, chosen: Filters, today: date, ids: Collection[str]) -> int:
    if queries.searches(chosen):
        return await queries.count_members(context.pool, chosen, today, ids)
    return await context.totals.latest(context.pool, chosen, today)


@router.get(
    "/members.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def members_csv(
    request: Request,
    context: Context,
    caller: PersonsReader,
    chosen: Annotated[Filters, Depends(filters)],
    lang: Annotated[Literal["fr", "en"] | None, Query()] = None,
) -> Response:
    """The same members for a spreadsheet: UTF-8 with BOM, semicolons, French headings unless `lang=en`."""
    if context.exports.locked():
        raise ProblemError("busy", headers={"retry-after": str(RETRY_SECONDS)})
    language = lang or language_of(request)
    lines = _lines(context, chosen, context.clock.today(), language, caller)
    # The first lines now, so that a database that is away is told by the status.
    first = await anext(lines)
    return StreamingResponse(
        _after(first, lines),
        media_type="text/csv; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="{"membres" if language == "fr" else "members"}.csv"',
            "cache-control": "private, no-store",
            "content-language": language,
        },
    )


async def _lines(
    context: GatewayContext, chosen: Filters, today: date, language: Language, caller: Caller
) -> AsyncGenerator[bytes]:
    rows = 0
    try:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(context.exports)
            connection = await stack.enter_async_context(context.pool.connection())
            matched = await _matched(context, connection, caller, chosen)
            text = "\ufeff" + _csv([[label(COLUMNS, name, language) for name in COLUMNS]])
            async for page in queries.stream_members(connection, chosen, today, matched):
                rows += len(page)
                yield (text + _csv([_row(item, language) for item in page])).encode()
                text = ""
            if text:
                yield text.encode()
    finally:
        # However it ends: a download that was broken off has carried members' data away as well.
        log.info("members.exported", key_id=caller.key_id, rows=rows)


async def _after(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    try:
        yield first
        async for lines in rest:
            yield lines
    finally:
        # A reader who hangs up must not keep a connection.
        await rest.aclose()


def _row(item: dict[str, Any], language: Language) -> list[str]:
    return [_cell(item[name], language) for name in COLUMNS]


def _cell(value: Any, language: Language) -> str:
    match value:
        case None:
            return ""
        case bool():
            yes, no = YES_NO[language]
            return yes if value else no
        case list():
            text = ", ".join(value)
        case _:
            text = str(value)
    return harmless(text)


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()
