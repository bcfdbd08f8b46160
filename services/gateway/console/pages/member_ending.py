"""Mettre fin à l’adhésion: the last day of one source record that is ours to change."""

from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.display import day
from services.gateway.console.forms import Typed, typed, typed_again
from services.gateway.console.inside import Inside
from services.gateway.console.mounted import clock, marks
from services.gateway.console.pages import member, members
from services.gateway.console.pages.member_records import asking, authority_of, record_path, undoable
from services.gateway.console.session import Person

router = APIRouter(include_in_schema=False)

ENDING: Final = member.PATH + "/fiche/fin"


@router.get(ENDING)
async def ask(request: Request, person: Person, member_id: str, nom: str = "") -> Response:
    """The form: the last day, and why."""
    return await _page(request, person, member_id, nom, Typed())


@router.post(ENDING)
async def end(request: Request, person: Person, member_id: str, nom: str = "") -> Response:
    """End it, if the record is still as it was shown. The page that follows can undo it."""
    fields, inside = await typed(request), Inside(request, person)
    before, seen = await inside.get(record_path(nom)), fields.get("_etag", "")
    before.value()
    answer = await inside.post(
        f"{record_path(nom)}/end", {"on": fields.get("on", ""), **asking(fields)}, {"if-match": seen}
    )
    if answer.is_refusal:
        return await _page(request, person, member_id, nom, typed_again(request, fields, answer))
    return undoable(request, nom, before, answer, seen)


async def _page(request: Request, person: Caller, member_id: str, name: str, form: Typed) -> Response:
    words, own = rendering.words_of(request), f"{members.PATH}/{member_id}"
    answer = await Inside(request, person).get(record_path(name))
    shown = answer.value()
    last = shown["fields"].get("ended_on")
    return rendering.page(
        request,
        person,
        "deciding/ending.html",
        words.text("Mettre fin à l’adhésion de la fiche %(record)s", record=name),
        status=200 if form.refusal is None else form.refusal.status,
        own=own,
        address=f"{own}/fiche/fin?{urlencode({'nom': name})}",
        authority=authority_of(name, shown, own, person, marks(request), words),
        etag=answer.etag or "",
        today=clock(request).today().isoformat(),
        is_ended=shown["fields"].get("status") == "ended",
        ended_on=None if last is None else day(last, words.language),
        form=form,
    )
