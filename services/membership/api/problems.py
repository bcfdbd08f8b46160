"""Every refusal as ``application/problem+json`` (RFC 9457), in the reader's language, without anybody's data."""

from typing import Any
from uuid import uuid4

import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.membership.api.labels import PROBLEMS, language_of
from services.membership.api.pool import DatabaseAwayError

log = structlog.get_logger()

RETRY_SECONDS = 5


class ProblemError(Exception):
    """What the door answers instead of what was asked; ``kind`` is a key of :data:`labels.PROBLEMS`."""

    def __init__(self, kind: str, *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(kind)
        self.kind, self.headers, self.members = kind, headers or {}, members


class _Fault(BaseModel):
    field: str
    message: str


class _Details(BaseModel):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    instance: str | None = None
    errors: list[_Fault] | None = None


_CONTENT = {"application/problem+json": {"schema": TypeAdapter(_Details).json_schema()}}


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These refusals, for OpenAPI."""
    titles = {status: english for status, _, english in PROBLEMS.values()}
    return {status: {"description": titles[status], "content": _CONTENT} for status in statuses}


def refuse(request: Request, problem: ProblemError) -> Response:
    """The answer to a problem."""
    status, french, english = PROBLEMS[problem.kind]
    title = french if language_of(request, "en") == "fr" else english
    body = {"type": f"urn:traboule:problem:{problem.kind}", "title": title, "status": status, **problem.members}
    headers = {"cache-control": "no-store", "vary": "accept-language", **problem.headers}
    return Response(orjson.dumps(body), status, headers, media_type="application/problem+json")


def answer_problems(app: FastAPI) -> None:
    """Make an app answer with nothing else."""

    @app.exception_handler(ProblemError)
    async def known(request: Request, error: ProblemError) -> Response:
        return refuse(request, error)

    @app.exception_handler(HTTPException)
    async def unrouted(request: Request, error: HTTPException) -> Response:
        kind = {405: "method-not-allowed"}.get(error.status_code, "not-found")
        return refuse(request, ProblemError(kind, headers=dict(error.headers or {})))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [{"field": str(fault["loc"][-1]), "message": str(fault["msg"])} for fault in error.errors()]
        return refuse(request, ProblemError("invalid-parameters", errors=faults))

    @app.exception_handler(DatabaseAwayError)
    async def away(request: Request, error: DatabaseAwayError) -> Response:
        log.warning("http.database_away", error=str(error))
        return refuse(request, ProblemError("database-away", headers={"retry-after": str(RETRY_SECONDS)}))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        instance = f"urn:uuid:{uuid4()}"
        # The exception's own words may quote what was searched for; its type and the number are enough to find it.
        log.error("http.failed", instance=instance, error=type(error).__name__, path=request.url.path)
        return refuse(request, ProblemError("failure", instance=instance))
