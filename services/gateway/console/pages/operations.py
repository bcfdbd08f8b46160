"""Exploitation: how each service is, what was set aside in it, and the note of a backup."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from schemas.dead_letters import SERVICES
from services.gateway.auth.authorisation import require
from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import Tag, moment, number
from services.gateway.console.forms import Typed, headers_of, typed, typed_again
from services.gateway.console.inside import Inside
from services.gateway.console.pages.asked import asked_address
from services.gateway.console.pages.cutover_parts import short_type
from services.gateway.console.pages.cutover_words import service_name
from services.gateway.console.pages.operations_words import STATUSES, reason_name
from services.gateway.console.sections import Link, Section, section_response, unanswered
from services.gateway.console.session import Person
from services.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)

PATH: Final = "/console/exploitation"
SERVICE: Final = f"{PATH}/{{service}}"
_ID: Final = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Health:
    """How a service is, in a line: ``facts`` are numbers in words. ``queues`` are those in which messages wait."""

    state: Tag
    facts: tuple[str, ...]
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Messages with one reason, of one queue and sender."""

    address: str
    reason: str
    count: str
    where: str
    first: str
    last: str
    again: str
    detail: str


@router.get(PATH)
async def operations(request: Request, person: Person, notee: str = "", attend: str = "") -> Response:
    """Every service, each as a part that asks for itself."""
    require(person, "see-operations")
    return _page(
        request, person, Typed(), noted=_noted(notee, attend, rendering.words_of(request)), waits=_waits(attend)
    )


@router.post(f"{PATH}/sauvegarde")
async def note_backup(request: Request, person: Person) -> Response:
    """Note in every service that all databases were backed up now."""
    fields = await typed(request)
    answer = await Inside(request, person).post(
        "/cutover/backups", {"note": fields.get("note", "")}, headers_of(fields)
    )
    if answer.is_refusal:
        require(person, "see-operations")
        return _page(request, person, typed_again(request, fields, answer), status=answer.status)
    waiting = [location.rpartition("/")[2] for location in answer.json["waiting"]]
    query = urlencode({"notee": ",".join(answer.json["noted"]), "attend": ",".join(waiting)})
    return RedirectResponse(f"{PATH}?{query}", 303)


@router.get(SERVICE)
async def service(request: Request, person: Person, service: str) -> Response:
    """One service: how it is, and what was set aside."""
    words = rendering.words_of(request)
    section = section_of(service, words)
    inside = Inside(request, person)
    health, groups = await asyncio.gather(inside.get(f"/{service}/health"), inside.get(f"/{service}/parked-groups"))
    for answer in (health, groups):
        if answer.is_refusal:
            return unanswered(request, person, section, section.title, answer, above(words))
    return section_response(
        request,
        person,
        section,
        "operations/service.html",
        above(words),
        health=health_of(health.json, words),
        groups=tuple(group_of(item, service, words) for item in groups.json["items"]),
        more=groups.json["more"],
        handled=f"{PATH}/{service}/messages?etat=rejoues",
    )


def section_of(service: str, words: Words) -> Section:
    """A service's part of the page. Raises ProblemError for a service that there is not."""
    if service not in SERVICES:
        raise ProblemError("not-found")
    return Section(service, service_name(service, words), f"{PATH}/{service}")


def above(words: Words) -> list[Link]:
    """The page that leads to what is below it."""
    return [Link(PATH, words.text("Exploitation"))]


def _page(
    request: Request,
    person: Caller,
    form: Typed,
    *,
    noted: str = "",
    waits: Sequence[Link] = (),
    status: int = 200,
) -> Response:
    words = rendering.words_of(request)
    return rendering.page(
        request,
        person,
        "operations/page.html",
        words.text("Exploitation"),
        status=status,
        sections=[section_of(each, words) for each in SERVICES],
        form=form,
        noted=noted,
        waits=waits,
        may_note=person.may("note-backup"),
    )


def _noted(services: str, waiting: str, words: Words) -> str:
    """That a backup was noted, and where; empty where the address says nothing of it."""
    names = [service_name(each, words) for each in services.split(",") if each in SERVICES]
    if not names and not _waits(waiting):
        return ""
    if not names:
        return words.text("La sauvegarde n’est encore notée nulle part.")
    return words.text("La sauvegarde est notée : %(services)s.", services=", ".join(names))


def _waits(waiting: str) -> list[Link]:
    ids = [each for each in waiting.split(",") if _ID.fullmatch(each)][: len(SERVICES)]
    return [Link(asked_address(each), str(number)) for number, each in enumerate(ids, 1)]


def health_of(answer: Mapping[str, Any], words: Words) -> Health:
    """How a service is, in words."""
    state = Tag("good", words.text("prêt")) if answer["ready"] else Tag("refused", words.text("pas prêt"))
    newest = words.text("aucun message reçu")
    if at := answer["newest_received_at"]:
        newest = words.text("dernier message le %(at)s", at=moment(at, words.language))
    unsent = words.plural("%(num)s à envoyer", "%(num)s à envoyer", answer["unsent"])
    parked = words.plural("%(num)s mis de côté", "%(num)s mis de côté", answer["parked"])
    facts = [
        newest,
        words.plural("%(num)s en attente", "%(num)s en attente", answer["waits"]),
        _since(unsent, answer["unsent_since"], words),
        _since(parked, answer["parked_since"], words),
    ]
    if answer["refused"]:
        facts.append(words.plural("%(num)s envoi refusé", "%(num)s envois refusés", answer["refused"]))
    return Health(state, (*facts, words.text("version %(name)s", name=answer["version"])), _queues(answer, words))


def _queues(answer: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    return tuple(
        words.text("%(queue)s : n’existe pas", queue=each["queue"])
        if each["waiting"] is None
        else words.text("%(queue)s : %(count)s", queue=each["queue"], count=number(each["waiting"], words.language))
        for each in answer["queues"]
        if each["waiting"] != 0
    )


def _since(text: str, at: str | None, words: Words) -> str:
    return text if at is None else words.text("%(what)s depuis le %(at)s", what=text, at=moment(at, words.language))


def group_of(item: Mapping[str, Any], service: str, words: Words) -> Group:
    """One of the API's groups as it is shown."""
    again = ""
    if item["parked_again"]:
        again = words.plural("%(num)s déjà rejoué", "%(num)s déjà rejoués", item["parked_again"])
    sender = item["producer"] or words.text("expéditeur inconnu")
    return Group(
        address=group_address(service, item),
        reason=reason_name(item["reason"], words),
        count=number(item["count"], words.language),
        where=" · ".join(filter(None, (item["queue"], sender, short_type(item["type"] or "")))),
        first=moment(item["first_at"], words.language),
        last=moment(item["last_at"], words.language),
        again=again,
        detail=item["detail"],
    )


def group_address(service: str, item: Mapping[str, Any], status: str = "parked") -> str:
    """Where the messages of a group are. What a message does not say is not asked for."""
    named = {"file": item["queue"], "motif": item["reason"], "type": item["type"], "de": item["producer"]}
    state = next(word for word, name in STATUSES.items() if name == status)
    kept = {name: value for name, value in (named | {"etat": state}).items() if value}
    return f"{PATH}/{service}/messages?{urlencode(kept)}"
