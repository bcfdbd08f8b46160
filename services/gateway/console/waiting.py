"""What waits for a person, in numbers: asked once for a page, and shown beside the areas that it is about."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request

from services.gateway.auth.caller import Caller
from services.gateway.console.inside import Inside
from services.gateway.console.session import signed_in

_WAITING: Final = "traboule.waiting"
_PARTIAL: Final = "hx-request-type"


async def waiting_of(request: Request, person: Caller) -> Mapping[str, Any] | None:
    """The API's counts, asked once for a request; None for whoever may not see them, or where they are away."""
    if _WAITING not in request.scope:
        request.scope[_WAITING] = await _asked(request, person)
    return request.scope[_WAITING]


async def count_waiting(request: Request) -> None:
    """For routers of pages: the counts are there when the frame is drawn. Raises DatabaseUnavailableError."""
    if request.method == "GET" and _PARTIAL not in request.headers and (person := await signed_in(request)):
        await waiting_of(request, person)


def counts(request: Request) -> Mapping[str, int]:
    """By the address of an area, what waits there; nothing where nobody asked."""
    waiting: Mapping[str, Any] | None = request.scope.get(_WAITING)
    if waiting is None:
        return {}
    return {
        "/console/doublons": waiting["duplicates"]["open"],
        "/console/conflits": waiting["conflicts"]["open"],
    }


async def _asked(request: Request, person: Caller) -> Mapping[str, Any] | None:
    if not person.may("see-cutover"):
        return None
    answer = await Inside(request, person).get("/waiting")
    return None if answer.is_refusal else answer.json
