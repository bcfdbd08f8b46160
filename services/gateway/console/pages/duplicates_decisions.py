"""Decisions that were taken about duplicates, and how one of them is taken back."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.forms import Typed, typed, typed_again
from services.gateway.console.inside import Inside
from services.gateway.console.mounted import marks
from services.gateway.console.pages.duplicates_taken import decision_shown
from services.gateway.console.session import Person

router = APIRouter(include_in_schema=False)

PATH: Final = "/console/doublons/decisions"
ROWS: Final = 30


@router.get(PATH)
async def decisions(request: Request, person: Person, suite: str = "") -> Response:
    """All of them, the newest first."""
    return await _decisions(request, person, suite)


@router.post(f"{PATH}/{{number}}/annuler")
async def take_back(request: Request, person: Person, number: int) -> Response:
    """Take one back, and return to where one was."""
    fields = await typed(request)
    body = {"reason": fields.get("reason", "")}
    answer = await Inside(request, person).post(f"/duplicates/decisions/{number}/take-back", body)
    if rendering.is_part(request):
        answer.value()
        return rendering.part(request, "duplicates/undone.html")
    if answer.is_refusal:
        form = typed_again(request, fields, answer)
        return await _decisions(request, person, form=form, number=number, status=answer.status)
    return RedirectResponse(way_back(fields) or f"{PATH}?{urlencode({'annulee': number})}#d{number}", 303)


def way_back(fields: Mapping[str, str]) -> str | None:
    """Where a form was sent from, if that is a page of ours."""
    address = fields.get("_retour", "")
    return address if address.startswith("/console/") and address.isprintable() else None


async def _decisions(
    request: Request,
    person: Caller,
    suite: str = "",
    *,
    form: Typed | None = None,
    number: int | None = None,
    status: int = 200,
) -> Response:
    words = rendering.words_of(request)
    page = (await Inside(request, person).get("/duplicates/decisions", {"limit": ROWS, "after": suite})).value()
    return rendering.page(
        request,
        person,
        "duplicates/decisions.html",
        words.text("Décisions prises"),
        status=status,
        rows=tuple(decision_shown(item, person, marks(request), words) for item in page["items"]),
        following=f"{PATH}?{urlencode({'suite': page['next']})}" if page["next"] else None,
        beginning=PATH if suite else None,
        form=form or Typed(),
        number=number,
    )
