"""The list of members as a spreadsheet, with the columns that somebody chooses."""

import csv
import io
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response, StreamingResponse

from services.gateway.api.export_columns import COLUMNS, USUAL, heading, line, needs_view, with_refusals
from services.gateway.api.lists import Chosen, Order, matched_by, sought_by
from services.gateway.auth.caller import Caller
from services.gateway.context import GatewayContext
from services.gateway.dependencies import Context, PersonsReader
from services.gateway.problems import RETRY_SECONDS, ProblemError
from services.gateway.translations import language_of
from services.membership.translations import Language
from services.membership.views.lists import Filters, Sort, stream_members

log = structlog.get_logger()

router = APIRouter(tags=["members"])


async def columns(
    columns: Annotated[
        list[str] | None,
        Query(
            description="in this order, each `columns=…`; beside an address or a number stands what its member refuses",
            json_schema_extra={"items": {"type": "string", "enum": list(COLUMNS)}},
        ),
    ] = None,
) -> Sequence[str]:
    """The columns that are asked for. Raises RequestValidationError for one that there is not."""
    chosen = list(dict.fromkeys(columns or USUAL))
    if unknown := next((name for name in chosen if name not in COLUMNS), None):
        message = f"{unknown[:40]!r} is no column; there are {', '.join(COLUMNS)}"
        raise RequestValidationError([{"loc": ("query", "columns"), "msg": message}])
    return with_refusals(chosen)


@dataclass(frozen=True, slots=True)
class _Export:
    chosen: Filters
    sort: Sort
    columns: Sequence[str]
    today: date
    language: Language
    caller: Caller


@router.get(
    "/members.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def members_csv(
    request: Request,
    context: Context,
    caller: PersonsReader,
    chosen: Chosen,
    columns: Annotated[Sequence[str], Depends(columns)],
    sort: Order = "name",
    lang: Annotated[Literal["fr", "en"] | None, Query()] = None,
) -> Response:
    """The same members for a spreadsheet: UTF-8 with BOM, semicolons, French headings unless `lang=en`."""
    if context.exports.locked():
        raise ProblemError("busy", headers={"retry-after": str(RETRY_SECONDS)})
    language = lang or language_of(request)
    lines = _lines(context, _Export(sought_by(caller, chosen), sort, columns, context.clock.today(), language, caller))
    # The first lines now, so that the status says it if a database is away.
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


async def _lines(context: GatewayContext, export: _Export) -> AsyncGenerator[bytes]:
    rows, columns, language = 0, export.columns, export.language
    try:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(context.exports)
            connection = await stack.enter_async_context(context.pool.connection())
            matched = await matched_by(context, connection, export.caller, export.chosen)
            text = "\ufeff" + _csv([heading(columns, language)])
            pages = stream_members(
                connection,
                export.chosen,
                export.today,
                matched,
                sort=export.sort,
                with_documents=needs_view(columns),
            )
            async for page in pages:
                rows += len(page)
                yield (text + _csv(line(columns, member, language) for member in page)).encode()
                text = ""
            if text:
                yield text.encode()
    finally:
        # However it ends: a download that was broken off has carried members' data away as well.
        log.info("members.exported", key_id=export.caller.key_id, rows=rows, columns=list(columns))


async def _after(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    try:
        yield first
        async for lines in rest:
            yield lines
    finally:
        # A reader who hangs up must not keep a connection.
        await rest.aclose()


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()
