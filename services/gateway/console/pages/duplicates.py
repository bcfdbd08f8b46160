"""Doublons: whether what was recorded twice is one company. A queue, one question at a time, and the way back."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.forms import Typed, typed, typed_again
from services.gateway.console.inside import Answer, Inside
from services.gateway.console.mounted import marks
from services.gateway.console.pages.duplicates_case import case_of, decision_of
from services.gateway.console.pages.duplicates_preview import Preview, preview_of
from services.gateway.console.pages.duplicates_queue import PATH, Place, choices, first_of, queue_of
from services.gateway.console.pages.duplicates_taken import answer_to, decision_shown
from services.gateway.console.session import Person

router = APIRouter(include_in_schema=False)

DECISIONS: Final = "/duplicates/decisions"
_SEEN: Final = 200
"""Newest decisions among which the one that answered a question is looked for."""


@router.get(PATH)
async def queue(request: Request, person: Person) -> Response:
    """The queue, and the question that comes first."""
    return await _page(request, person)


@router.get(f"{PATH}/{{case_id}}")
async def case(request: Request, person: Person, case_id: str) -> Response:
    """The queue, and one question of it. One that is answered says by whom, and the next is here."""
    return await _page(request, person, case_id)


@router.post(f"{PATH}/{{case_id}}")
async def decide(request: Request, person: Person, case_id: str) -> Response:
    """Answer a question, if it is still one."""
    fields, inside = await typed(request), Inside(request, person)
    asked = await inside.get(f"/duplicates/{case_id}")
    if asked.status == 404:
        return await _page(request, person, case_id, status=409)
    body = {**decision_of(asked.value(), fields), "reason": _reason(fields), "case": case_id}
    answer = await inside.post(DECISIONS, body)
    if answer.is_problem("case-answered"):
        return await _page(request, person, case_id, status=409)
    if answer.is_refusal:
        form = typed_again(request, fields, answer)
        return await _page(request, person, case_id, form=form, status=answer.status)
    done = Place.of(request).address(fait=str(answer.json["decision"]), cas=case_id)
    return RedirectResponse(done, 303)


@router.post(f"{PATH}/{{case_id}}/apercu")
async def preview(request: Request, person: Person, case_id: str) -> Response:
    """What a yes would lead to; nothing is decided."""
    fields, inside = await typed(request), Inside(request, person)
    asked = (await inside.get(f"/duplicates/{case_id}")).value()
    body = decision_of(asked, {**fields, "verdict": "same"})
    answer = await inside.post(f"{DECISIONS}/preview", body)
    words = rendering.words_of(request)
    if rendering.is_part(request):
        shown = preview_of(answer.value(), marks(request), words)
        return rendering.part(request, "duplicates/preview.html", preview=shown)
    if answer.is_refusal:
        form = typed_again(request, fields, answer)
        return await _page(request, person, case_id, form=form, status=answer.status)
    shown = preview_of(answer.value(), marks(request), words)
    return await _page(request, person, case_id, form=Typed(fields), preview=shown)


def _reason(fields: Mapping[str, str]) -> str:
    """Why. What was put there for a yes, and was left so, is no reason for a no."""
    reason, other = fields.get("reason", ""), fields.get("_against", "")
    is_left = reason == fields.get("_for", "")
    return other if fields.get("verdict") == "different" and is_left and other else reason


async def _page(
    request: Request,
    person: Caller,
    case_id: str | None = None,
    *,
    form: Typed | None = None,
    preview: Preview | None = None,
    status: int = 200,
) -> Response:
    inside, words, place = Inside(request, person), rendering.words_of(request), Place.of(request)
    listed, asked, done = await asyncio.gather(
        inside.get("/duplicates", place.parameters()),
        _asked(inside, case_id),
        _done(inside, request.query_params.get("fait", "")),
    )
    page = listed.value()
    gone = None
    if asked is not None and asked.status == 404:
        gone = await _answered(inside, case_id or "")
        asked = None
    current = first_of(page["items"], place) if asked is None else asked.value()
    current_id = None if current is None else current["id"]
    return rendering.page(
        request,
        person,
        "duplicates/page.html",
        words.text("Doublons"),
        status=status,
        place=place,
        queue=queue_of(page, place, current_id, words),
        choices=choices(place, marks(request), words),
        case=None if current is None else case_of(current, person, marks(request), words),
        form=form or Typed(),
        preview=preview,
        was_gone=case_id is not None and asked is None,
        gone=None if gone is None else decision_shown(gone, person, marks(request), words),
        done=None if done is None else decision_shown(done, person, marks(request), words),
        done_case=request.query_params.get("cas", ""),
        is_undone="annule" in request.query_params,
    )


async def _asked(inside: Inside, case_id: str | None) -> Answer | None:
    return None if case_id is None else await inside.get(f"/duplicates/{case_id}")


async def _done(inside: Inside, number: str) -> Mapping[str, Any] | None:
    """The decision that was taken a moment ago, for the notice that can undo it."""
    if not number.isdecimal():
        return None
    answer = await inside.get(f"{DECISIONS}/{number}")
    return None if answer.is_refusal or answer.json["taken_back"] else answer.json


async def _answered(inside: Inside, case_id: str) -> Mapping[str, Any] | None:
    newest = (await inside.get(DECISIONS, {"limit": _SEEN})).value()
    return answer_to(case_id, newest["items"])
