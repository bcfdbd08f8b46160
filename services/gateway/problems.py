"""Every refusal as ``application/problem+json`` (RFC 9457), in the reader's language, without anybody's data."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from services.gateway.translations import FORMER_PROBLEMS, PROBLEMS, language_of
from services.membership.connections import DatabaseBusyError, DatabaseUnavailableError
from services.membership.translations import Language
from shared.runtime.http_metrics import template

log = structlog.get_logger()

RETRY_SECONDS = 5
TYPE = "urn:traboule:problem:"
FORM = "as:"
"""Begins the name of each form that a body may have; which of them was meant is no place in it."""


class ProblemError(Exception):
    """What the gateway answers instead of what was asked; ``kind`` is a key of :data:`translations.PROBLEMS`."""

    def __init__(self, kind: str, *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(kind)
        self.kind, self.headers, self.members = kind, headers or {}, members


class _Fault(BaseModel):
    field: str
    message: str


class _Details(BaseModel):
    """A refusal (RFC 9457)."""

    type: str
    former_type: str | None = None
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
    body = as_json(problem, language_of(request, "en"))
    status: int = body["status"]
    headers = {"cache-control": "no-store", "vary": "accept-language", **problem.headers}
    return Response(orjson.dumps(body), status, headers, media_type="application/problem+json")


def as_json(problem: ProblemError, language: Language) -> dict[str, Any]:
    """A problem's body, as it is answered or stands among other results."""
    status, french, english = PROBLEMS[problem.kind]
    title = french if language == "fr" else english
    named: dict[str, Any] = {"type": f"{TYPE}{problem.kind}", "title": title, "status": status}
    if former := FORMER_PROBLEMS.get(problem.kind):
        named["former_type"] = f"{TYPE}{former}"
    return named | problem.members


def not_now(error: DatabaseUnavailableError) -> ProblemError:
    """What to answer when the database is away, or others are changing what is asked for."""
    kind = "changes-under-way" if isinstance(error, DatabaseBusyError) else "database-unavailable"
    return ProblemError(kind, headers={"retry-after": str(RETRY_SECONDS)})


def faults_of(errors: Sequence[Any]) -> list[dict[str, str]]:
    """What pydantic found wrong, by field: a parameter's name, or where in a body, such as ``parts.0.1``."""
    return [{"field": _field(error["loc"]), "message": str(error["msg"])} for error in errors]


def _field(where: Sequence[Any]) -> str:
    if where[:1] != ("body",):
        return str(where[-1])
    return ".".join(str(part) for part in where[1:] if not str(part).startswith(FORM)) or "body"


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
        return refuse(request, ProblemError("invalid-parameters", errors=faults_of(error.errors())))

    @app.exception_handler(DatabaseUnavailableError)
    async def away(request: Request, error: DatabaseUnavailableError) -> Response:
        log.warning("http.database_away", error=str(error))
        return refuse(request, not_now(error))

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, _: ClientDisconnect) -> Response:
        # Nobody reads this: the connection ended in the middle of the body.
        return refuse(request, ProblemError("body-broken-off"))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        instance = f"urn:uuid:{uuid4()}"
        # The exception's own words may quote what was searched for, and a path what a record is called, which may be an
        # e-mail address; type, route and number are enough to find it.
        log.error("http.failed", instance=instance, error=type(error).__name__, route=template(request.scope))
        return refuse(request, ProblemError("failure", instance=instance))
