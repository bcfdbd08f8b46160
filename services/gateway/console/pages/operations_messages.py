"""Messages that were set aside: those of a group, to be sent again as far as somebody saw them, or discarded."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from schemas.dead_letters import MOST_REPLAYED
from services.gateway.auth.authorisation import require
from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import Tag, moment
from services.gateway.console.forms import Typed, headers_of, typed, typed_again, whole_number
from services.gateway.console.inside import Inside, Params
from services.gateway.console.pages.asked import ASYNC, asked_address
from services.gateway.console.pages.cutover_parts import short_type
from services.gateway.console.pages.operations import PATH, SERVICE, above, section_of
from services.gateway.console.pages.operations_words import STATUSES, reason_name, status_tag
from services.gateway.console.sections import Link, Section, section_response, unanswered
from services.gateway.console.session import Person
from services.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)

MESSAGES: Final = f"{SERVICE}/messages"
ROWS: Final = 50
FEW: Final = 10
_DOING: Final = {"rejouer": "replay", "ecarter": "discard"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages, as their address says it."""

    file: str = ""
    motif: str = ""
    type: str = ""
    de: str = ""
    etat: str = ""

    def group(self) -> dict[str, str]:
        """What they have in common, as the API calls it."""
        named = {"queue": self.file, "cause": self.motif, "type": self.type, "producer": self.de}
        return {name: value for name, value in named.items() if value}

    def query(self, **more: str) -> str:
        """The same for an address."""
        named = {"file": self.file, "motif": self.motif, "type": self.type, "de": self.de, "etat": self.etat}
        return urlencode({name: value for name, value in (named | more).items() if value})


@dataclass(frozen=True, slots=True)
class Row:
    """One message; ``address`` is None for who may not see what it holds."""

    address: str | None
    number: int
    detail: str
    where: str
    when: str
    state: Tag


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there were when the page was made, and the newest number among them."""

    count: int
    up_to: int


async def wanted(
    file: str = "", motif: str = "", kind: Annotated[str, Query(alias="type")] = "", de: str = "", etat: str = ""
) -> Wanted:
    """What an address asks for."""
    return Wanted(file, motif, kind, de, etat if etat in STATUSES else "")


Asked = Annotated[Wanted, Depends(wanted)]


@router.get(MESSAGES)
async def messages(request: Request, person: Person, service: str, asked: Asked, suite: int = 0) -> Response:
    """The messages of a group, the oldest first."""
    return await _page(request, person, service, asked, Typed(), suite=suite)


@router.post(f"{MESSAGES}/{{doing}}")
async def all_of_them(request: Request, person: Person, service: str, asked: Asked, doing: str) -> Response:
    """Send those that somebody saw again, or discard them. What comes of it is a page of its own."""
    section_of(service, rendering.words_of(request))
    if doing not in _DOING:
        raise ProblemError("not-found")
    require(person, "replay-parked")
    if not asked.group():
        # The page has no form for all of a service, and an address that lost its end must not be one.
        raise ProblemError("invalid-parameters")
    fields = await typed(request)
    body: dict[str, Any] = {
        "reason": fields.get("reason", ""),
        **asked.group(),
        "limit": FEW if fields.get("combien") == "10" else MOST_REPLAYED,
        "up_to": whole_number(fields.get("up_to", "")),
    }
    inside = Inside(request, person)
    answer = await inside.post(f"/{service}/parked/{_DOING[doing]}", body, headers_of(fields) | ASYNC)
    if answer.is_refusal:
        again = typed_again(request, fields, answer)
        return await _page(request, person, service, asked, again, status=answer.status)
    if answer.status == 202:
        return RedirectResponse(asked_address(answer.json["id"]), 303)
    return RedirectResponse(f"{PATH}/{service}/messages?{asked.query()}", 303)


async def _page(
    request: Request,
    person: Caller,
    service: str,
    asked: Wanted,
    form: Typed,
    *,
    suite: int = 0,
    status: int = 200,
) -> Response:
    words = rendering.words_of(request)
    of_service = section_of(service, words)
    title = reason_name(asked.motif, words) if asked.motif else words.text("Messages mis de côté")
    address = f"{PATH}/{service}/messages"
    section = Section("messages", title, f"{address}?{asked.query()}")
    leading = [*above(words), Link(of_service.address, of_service.title)]
    inside = Inside(request, person)
    page: Params = {**asked.group(), "status": STATUSES[asked.etat], "after": suite, "limit": ROWS}
    listed, groups = await asyncio.gather(
        inside.get(f"/{service}/parked", page), inside.get(f"/{service}/parked-groups", asked.group())
    )
    for answer in (listed, groups):
        if answer.is_refusal:
            return unanswered(request, person, section, of_service.title, answer, leading, form)
    may_read, may_replay = person.may("read-parked"), person.may("replay-parked")
    following = listed.json["next"]
    response = section_response(
        request,
        person,
        section,
        "operations/messages.html",
        leading,
        rows=tuple(row_of(item, address if may_read else None, words) for item in listed.json["items"]),
        following=f"{address}?{asked.query(suite=str(following))}" if following is not None else None,
        states=_states(address, asked, words),
        counted=_counted(groups.json, asked) if may_replay and not asked.etat else None,
        few=FEW,
        most=MOST_REPLAYED,
        address=address,
        query=asked.query(),
        form=form,
    )
    response.status_code = status
    return response


def _counted(groups: Mapping[str, Any], asked: Wanted) -> Counted | None:
    """How many messages are meant by what is done with all: those that are there now. None where there are none."""
    if not groups["count"] or not asked.group():
        return None
    return Counted(groups["count"], groups["newest"])


def row_of(item: Mapping[str, Any], address: str | None, words: Words) -> Row:
    """One message of the list as it is shown."""
    return Row(
        address=None if address is None else f"{address}/{item['number']}",
        number=item["number"],
        detail=item["detail"],
        where=" · ".join(filter(None, (item["queue"], item["producer"], short_type(item["type"] or "")))),
        when=moment(item["last_at"], words.language),
        state=status_tag(item["status"], words),
    )


def _states(address: str, asked: Wanted, words: Words) -> tuple[tuple[Link, bool], ...]:
    labels = {
        "": words.text("Mis de côté"),
        "en-route": words.text("En route"),
        "rejoues": words.text("Appliqués"),
        "ecartes": words.text("Écartés"),
    }
    return tuple(
        (
            Link(f"{address}?{Wanted(asked.file, asked.motif, asked.type, asked.de, word).query()}", label),
            word == asked.etat,
        )
        for word, label in labels.items()
    )
