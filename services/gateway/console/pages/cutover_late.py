"""One late message: what the former system said, beside what is held here; applied after all, or dismissed."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.display import moment
from services.gateway.console.forms import Typed, headers_of, typed, typed_again
from services.gateway.console.inside import Inside
from services.gateway.console.pages.asked import asked_address
from services.gateway.console.pages.cutover import SYSTEM, system_of
from services.gateway.console.pages.cutover_parts import late_tag, short_type, values_of
from services.gateway.console.pages.cutover_sections import above
from services.gateway.console.pages.cutover_words import decides
from services.gateway.console.sections import Link, Section, section_response, unanswered
from services.gateway.console.session import Person
from services.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)

LATE: Final = f"{SYSTEM}/tardifs/{{number}}"
_WAYS: Final = {"appliquer": "apply", "ecarter": "dismiss"}


@router.get(LATE)
async def late_message(request: Request, person: Person, cluster: str, service: str, number: int) -> Response:
    """What it said, and what is held."""
    return await _page(request, person, cluster, service, number, Typed())


@router.post(f"{LATE}/{{way}}")
async def decide(request: Request, person: Person, cluster: str, service: str, number: int, way: str) -> Response:
    """Apply it, or dismiss it."""
    if way not in _WAYS:
        raise ProblemError("not-found")
    fields = await typed(request)
    path = f"/cutover/{cluster}/{service}/quarantine/{number}/{_WAYS[way]}"
    body = {"reason": fields.get("reason", "")}
    answer = await Inside(request, person).post(path, body, headers_of(fields))
    if answer.is_refusal:
        again = typed_again(request, fields, answer)
        return await _page(request, person, cluster, service, number, again, status=answer.status)
    if answer.status == 202:
        return RedirectResponse(asked_address(answer.json["id"]), 303)
    return RedirectResponse(f"/console/bascule/{cluster}/{service}?fait={way}", 303)


async def _page(
    request: Request, person: Caller, cluster: str, service: str, number: int, form: Typed, *, status: int = 200
) -> Response:
    words = rendering.words_of(request)
    system = await system_of(request, person, cluster, service)
    title = words.text("Message tardif %(number)s", number=number)
    section = Section("tardif", title, f"{system.address}/tardifs/{number}")
    leading = [*above(system, words.text("Bascule")), Link(f"{system.address}/tardifs", words.text("Messages tardifs"))]
    answer = await Inside(request, person).get(f"/cutover/{cluster}/{service}/quarantine/{number}")
    if answer.is_refusal:
        return unanswered(request, person, section, system.service, answer, leading, form)
    shown: dict[str, Any] = answer.json
    response = section_response(
        request,
        person,
        section,
        "cutover/late_message.html",
        leading,
        form=form,
        type=short_type(shown["type"]),
        at=moment(shown["received_at"], words.language),
        state=late_tag(shown, words),
        decided=_decided(shown, words),
        values=values_of(shown["said"], shown["held"]),
        is_held=shown["held"] is not None,
        may_decide=shown["state"] == "waiting" and person.may(decides(service), cluster),
    )
    response.status_code = status
    return response


def _decided(shown: dict[str, Any], words: Any) -> str:
    if shown["decided_at"] is None:
        return ""
    at = moment(shown["decided_at"], words.language)
    return words.text(
        "Tranché le %(at)s par %(name)s : %(reason)s", at=at, name=shown["decided_by"], reason=shown["reason"]
    )
