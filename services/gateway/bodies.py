"""Requests that bring a JSON object: read after the key was looked at, no further than a limit, and never repeated."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from services.gateway.problems import ProblemError

LONGEST = 64 * 1024
"""Bytes; what staff ask for is some lines."""
LONGEST_BULK = 256 * 1024
"""The same of a hundred decisions, each with its reason."""

T = TypeVar("T", bound=BaseModel)


async def read_body(request: Request, longest: int) -> bytes:
    """The body as it came. Raises ProblemError for one that is longer, without reading on."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > longest:
            raise ProblemError("body-too-long")
    return bytes(raw)


def body_of(shape: type[T], longest: int = LONGEST) -> Callable[[Request], Awaitable[T]]:
    """A dependency that gives the body in this shape. Ask for it after the caller, or anybody may send what he likes.

    FastAPI's own way would read all of it before it looks at the key.
    """

    async def read(request: Request) -> T:
        raw = await read_body(request, longest)
        try:
            return shape.model_validate_json(raw)
        except ValidationError as error:
            faults = [{"loc": ("body", *fault["loc"]), "msg": fault["msg"]} for fault in error.errors()]
            raise RequestValidationError(faults) from None

    return read
