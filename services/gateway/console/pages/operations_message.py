"""One message that was set aside: why, what it holds, and what somebody does with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from schemas.dead_letters import LONGEST_BODY, Number
from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import Tag, moment
from services.gateway.console.errors import LONGEST_FORM
from services.gateway.console.forms import Typed, headers_of, typed, typed_again
from services.gateway.console.inside import Inside
from services.gateway.console.json_tree import Node, compact, pretty, tree_of, wrong_with
from services.gateway.console.pages.asked import asked_address
from services.gateway.console.pages.operations import PATH, above, group_address, section_of
from services.gateway.console.pages.operations_messages import MESSAGES
from services.gateway.console.pages.operations_words import reason_name, status_tag, step_name
from services.gateway.console.sections import Link, Section, is_live, section_response, unanswered
from services.gateway.console.session import Person
from services.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)

MESSAGE: Final = f"{MESSAGES}/{{number}}"
"""Bytes of a form with a body: most characters of JSON take three when they are sent."""
_DOING: Final = {"rejouer": "replay", "corriger": "replay", "ecarter": "discard"}


@dataclass(frozen=True, slots=True)
class Happened:
    """One step of a message's history."""

    what: str
    at: str
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Message:
    """What the page shows. ``tree`` is None where the body is shown as text; ``editable`` where it can be corrected."""

    number: int
    state: Tag
    is_parked: bool
    is_under_way: bool
    reason: str
    detail: str
    facts: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    history: tuple[Happened, ...]
    tree: tuple[Node, ...] | None
    body: str
    size: str
    editable: str | None
    group: str


@router.get(MESSAGE)
async def message(request: Request, person: Person, service: str, number: Number, fait: str = "") -> Response:
    """One message whole."""
    return await _page(request, person, service, number, Typed(), done=fait)


@router.post(f"{MESSAGE}/{{doing}}")
async def do(request: Request, person: Person, service: str, number: Number, doing: str) -> Response:
    """Send it again, as it is or corrected, or discard it."""
    words = rendering.words_of(request)
    section_of(service, words)
    if doing not in _DOING:
        raise ProblemError("not-found")
    fields = await typed(request, LONGEST_FORM)
    body: dict[str, Any] = {"numbers": [number], "reason": fields.get("reason", "")}
    if doing == "corriger":
        if (wrong := _no_json(fields.get("body", ""), words)) is not None:
            return await _page(request, person, service, number, Typed(fields), wrong=wrong, status=422)
        # As it is shown it is longer than it was, perhaps than a corrected one may be.
        body["body"] = compact(fields["body"])
    answer = await Inside(request, person).post(f"/{service}/parked/{_DOING[doing]}", body, headers_of(fields))
    if answer.is_refusal:
        wrong = str((answer.json or {}).get("detail", ""))
        again = typed_again(request, fields, answer)
        return await _page(request, person, service, number, again, wrong=wrong, status=answer.status)
    if answer.status == 202:
        return RedirectResponse(asked_address(answer.json["id"]), 303)
    done = "nulle-part" if answer.json.get("nowhere") else doing
    return RedirectResponse(f"{PATH}/{service}/messages/{number}?fait={done}", 303)


async def _page(
    request: Request,
    person: Caller,
    service: str,
    number: int,
    form: Typed,
    *,
    done: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response:
    words = rendering.words_of(request)
    of_service = section_of(service, words)
    title = words.text("Message %(number)s", number=number)
    section = Section("message", title, f"{PATH}/{service}/messages/{number}")
    leading = [*above(words), Link(of_service.address, of_service.title)]
    answer = await Inside(request, person).get(f"/{service}/parked/{number}")
    if answer.is_refusal:
        return unanswered(request, person, section, of_service.title, answer, leading, form)
    shown = shown_message(answer.json, service, words)
    may_replay = person.may("replay-parked")
    response = section_response(
        request,
        person,
        section,
        "operations/message.html",
        leading,
        message=shown,
        form=form,
        wrong=wrong,
        done=done,
        is_live=shown.is_under_way and is_live(request, answer.json["last_at"]),
        may_replay=may_replay,
        may_edit=may_replay and person.may("edit-parked") and shown.editable is not None,
        is_edited="body" in form.values,
    )
    response.status_code = status
    return response


def shown_message(item: Mapping[str, Any], service: str, words: Words) -> Message:
    """One of the API's messages as it is shown."""
    is_json, is_whole = item["body_is"] == "json", not item["cut"]
    facts = (
        (words.text("File"), item["queue"]),
        (words.text("Expéditeur"), item["producer"]),
        (words.text("Type"), item["type"]),
        (words.text("Clé"), item["routing_key"]),
        (words.text("Identifiant"), item["message_id"]),
        (words.text("Format"), item["content_type"]),
        (words.text("Venu"), words.plural("%(num)s fois", "%(num)s fois", item["count"])),
        (words.text("D’abord"), moment(item["first_at"], words.language)),
        (words.text("En dernier"), moment(item["last_at"], words.language)),
    )
    return Message(
        number=item["number"],
        state=status_tag(item["status"], words),
        is_parked=item["status"] == "parked",
        is_under_way=item["status"] == "replaying",
        reason=reason_name(item["reason"], words),
        detail=item["detail"],
        facts=tuple((label, value) for label, value in facts if value),
        headers=tuple((name, _line(value)) for name, value in item["headers"].items()),
        history=tuple(_happened(step, words) for step in item["history"]),
        tree=tree_of(item["body"], item["detail"]) if is_json and is_whole else None,
        body=item["body"],
        size=_size(item, words),
        editable=_editable(item),
        group=group_address(service, item),
    )


def _editable(item: Mapping[str, Any]) -> str | None:
    """The body as text to correct; None where it is not shown whole, or is no text."""
    if item["cut"] or item["body_is"] == "bytes":
        return None
    text = pretty(item["body"])
    # A line for each value may be several times as long; a form has its limit.
    return text if len(text.encode()) <= LONGEST_BODY else item["body"]


def _no_json(body: str, words: Words) -> str | None:
    """Where a text ceases to be JSON, in words."""
    if (where := wrong_with(body)) is None:
        return None
    line, column = where
    return words.text("Ce n’est pas du JSON : ligne %(line)s, colonne %(column)s.", line=line, column=column)


def _size(item: Mapping[str, Any], words: Words) -> str:
    size = words.plural("%(num)s octet", "%(num)s octets", item["body_bytes"])
    return words.text("%(size)s, dont le début est montré", size=size) if item["cut"] else size


def _line(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _happened(step: Mapping[str, Any], words: Words) -> Happened:
    note = " · ".join(str(step[name]) for name in ("note", "detail") if step.get(name))
    at = moment(step["at"], words.language) if step.get("at") else ""
    return Happened(step_name(str(step.get("what", "")), words), at, str(step.get("by") or ""), note)
