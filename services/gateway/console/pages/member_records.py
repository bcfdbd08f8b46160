"""Modifier: the fields of a member with their authority, one source record that is ours to change, and a new member."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.auth.caller import Caller
from services.gateway.console import former_values, rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import Mark, mark_of
from services.gateway.console.former_values import former_of
from services.gateway.console.forms import Typed, headers_of, typed, typed_again
from services.gateway.console.inside import Answer, Inside
from services.gateway.console.mounted import marks
from services.gateway.console.pages import member, members
from services.gateway.console.pages.member_values import settable
from services.gateway.console.pages.record_form import as_typed, both_versions, changed, created, form_fields
from services.gateway.console.session import Person
from services.gateway.console.shouting import member_name, record_name
from services.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)

NEW: Final = f"{members.PATH}/nouveau"
EDIT: Final = member.PATH + "/modifier"
RECORD: Final = member.PATH + "/fiche"
UNDO: Final = RECORD + "/annuler"


@dataclass(frozen=True, slots=True)
class Authority:
    """A record, and where it is changed: ``address`` is its form here, or ``sentence`` tells whose it is."""

    name: str
    title: str
    mark: Mark
    address: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster in which there may be a new member: ``sentence`` tells why there is none here."""

    code: str
    name: str
    sentence: str | None


@router.get(NEW)
async def new(request: Request, person: Person) -> Response:
    """A form for a new member of a cluster that was moved over; for others, where to make one."""
    return await _new_page(request, person)


@router.post(NEW)
async def create(request: Request, person: Person) -> Response:
    """Make it."""
    fields, words = await typed(request), rendering.words_of(request)
    body = {"fields": created(fields, words), **asking(fields)}
    path = f"/records/{quote(fields.get('cluster', ''), safe='')}"
    answer = await Inside(request, person).post(path, body, headers_of(fields))
    if answer.is_refusal:
        form = typed_again(request, fields, answer)
        return await _new_page(request, person, form=form, is_doubtful=answer.is_problem("value-not-understood"))
    return RedirectResponse(f"{members.PATH}/{answer.json['member_id']}", 303)


@router.get(EDIT)
async def edit(request: Request, person: Person, member_id: str) -> Response:
    """Every record with its authority, every field with the way to set it by hand."""
    inside, words = Inside(request, person), rendering.words_of(request)
    answer, sources = await asyncio.gather(
        inside.get(f"/members/{member_id}"), inside.get(f"/members/{member_id}/sources")
    )
    view = answer.value()
    own = f"{members.PATH}/{view['id']}"
    records = tuple(
        authority_of(f"{each['cluster']}/{each['record_id']}", each, own, person, marks(request), words)
        for each in sources.value()["items"]
    )
    name = (view.get("name") or {}).get("value")
    return rendering.page(
        request,
        person,
        "deciding/edit.html",
        words.text("Modifier %(name)s", name=member_name(name, words)),
        own=own,
        records=records,
        values=settable(words) if person.may_in_any("set-values", view["clusters"]) else {},
    )


@router.get(RECORD)
async def record(request: Request, person: Person, member_id: str, nom: str = "") -> Response:
    """The form about one record."""
    return await _record_page(request, person, member_id, nom, Typed())


@router.post(RECORD)
async def change(request: Request, person: Person, member_id: str, nom: str = "") -> Response:
    """Change what was changed in it, if nobody was quicker."""
    fields, inside = await typed(request), Inside(request, person)
    patch = changed(fields, rendering.words_of(request))
    before = await inside.get(record_path(nom))
    written = before.value()["fields"]
    expected = former_of(nom, before.etag or "", written, {**written, **patch})
    if expected is not None and not former_values.fits(request, expected) and not fields.get("final"):
        return await _record_page(request, person, member_id, nom, Typed(fields), is_final=True)
    seen = fields.get("_etag", "")
    answer = await inside.patch(record_path(nom), {"fields": patch, **asking(fields)}, {"if-match": seen})
    if answer.is_refusal:
        return await _record_page(request, person, member_id, nom, typed_again(request, fields, answer), answer)
    return undoable(request, nom, before, answer, seen)


@router.post(UNDO)
async def undo(request: Request, person: Person, member_id: str, nom: str = "") -> Response:
    """Bring back what the last edit replaced, if the record is still as that left it."""
    fields = await typed(request)
    former = former_values.kept(request, nom)
    if former is None:
        raise ProblemError("undo-over")
    # What nobody understood was accepted before, and is brought back as it was.
    body = {"fields": former.patch, **asking(fields), "accept_doubtful": True}
    answer = await Inside(request, person).patch(record_path(nom), body, {"if-match": former.etag})
    if answer.is_refusal:
        again = typed_again(request, {**as_typed(former.patch, former.saved), **fields}, answer)
        return await _record_page(request, person, member_id, nom, again, answer)
    response = RedirectResponse(f"{members.PATH}/{answer.json['member_id']}?fiche_annulee=oui", 303)
    former_values.keep(request, response, None)
    return response


def undoable(request: Request, record: str, before: Answer, after: Answer, seen: str) -> Response:
    """To the member of a record that was just changed, where that can be undone.

    ``seen`` is the entity tag of the form: what was read ``before`` is what the change replaced only if it is the same.
    """
    response = RedirectResponse(f"{members.PATH}/{after.json['member_id']}?fiche={quote(record, safe='')}", 303)
    is_what_was_replaced = before.etag is not None and before.etag == seen
    written = before.json["fields"], after.json["fields"]
    former_values.keep(
        request, response, former_of(record, after.etag or "", *written) if is_what_was_replaced else None
    )
    return response


def asking(fields: Mapping[str, str]) -> dict[str, Any]:
    """What a form about a record says besides its fields: why, and that a doubtful value is meant."""
    reason = fields.get("reason", "").strip()
    insisting = {"accept_doubtful": True} if fields.get("insist") else {}
    return {**({"reason": reason} if reason else {}), **insisting}


def record_path(record: str) -> str:
    """Where the API has a record that pages name ``cluster/id``."""
    cluster, _, record_id = record.partition("/")
    return f"/records/{cluster}/{record_id}"


def authority_of(
    name: str, shown: Mapping[str, Any], own: str, person: Caller, marks: Mapping[str, Mark], words: Words
) -> Authority:
    """Where a record of the API is changed: one by itself, or one of a member's."""
    written = shown["fields"] if "fields" in shown else shown["written"]
    mark = mark_of(shown["cluster"], marks)
    is_ours = shown["changeable"] and person.may("write-records", shown["cluster"])
    if is_ours:
        sentence = words.text("Cette fiche est chez nous : elle se modifie ici.")
    elif shown["changeable"]:
        sentence = words.text("Cette fiche est chez nous ; la modifier revient à l’équipe de %(name)s.", name=mark.name)
    else:
        sentence = former_authority(mark, words)
    return Authority(
        name=name,
        title=record_name(written, words),
        mark=mark,
        address=f"{own}/fiche?{urlencode({'nom': name})}" if is_ours else None,
        sentence=sentence,
    )


def former_authority(mark: Mark, words: Words) -> str:
    """Who is believed about the records of a cluster that was not moved over."""
    return words.text("L’ancien système de %(name)s fait autorité : corrigez-y la fiche.", name=mark.name)


async def _record_page(
    request: Request,
    person: Caller,
    member_id: str,
    name: str,
    form: Typed,
    refused: Answer | None = None,
    *,
    is_final: bool = False,
) -> Response:
    words, own = rendering.words_of(request), f"{members.PATH}/{member_id}"
    answer = await Inside(request, person).get(record_path(name))
    shown = answer.value()
    is_late = refused is not None and refused.is_problem("record-changed-meanwhile")
    versions = both_versions(shown["fields"], form.values, words) if is_late else ()
    return rendering.page(
        request,
        person,
        "deciding/record.html",
        words.text("Modifier la fiche %(record)s", record=name),
        status=refused.status if refused is not None else 422 if is_final else 200,
        own=own,
        address=f"{own}/fiche?{urlencode({'nom': name})}",
        ending=f"{own}/fiche/fin?{urlencode({'nom': name})}",
        is_ended=shown["fields"].get("status") == "ended",
        authority=authority_of(name, shown, own, person, marks(request), words),
        fields=form_fields(shown["fields"], form, words),
        etag=answer.etag if is_late else form.value("_etag", answer.etag or ""),
        versions=versions,
        is_doubtful=refused is not None and refused.is_problem("value-not-understood"),
        form=form,
        is_final=is_final,
    )


async def _new_page(
    request: Request, person: Caller, form: Typed | None = None, *, is_doubtful: bool = False
) -> Response:
    words = rendering.words_of(request)
    board = (await Inside(request, person).get("/cutover")).value()["items"]
    stages = {line["cluster"]: line["stage"] for line in board if line["service"] == "membership"}
    all_of = tuple(_cluster(mark, stages, person, words) for mark in marks(request).values())
    return rendering.page(
        request,
        person,
        "deciding/new.html",
        words.text("Nouveau membre"),
        status=200 if form is None or form.refusal is None else form.refusal.status,
        open_clusters=tuple(each for each in all_of if each.sentence is None),
        other_clusters=tuple(each for each in all_of if each.sentence is not None),
        fields=form_fields({}, form or Typed(), words),
        form=form or Typed(),
        is_doubtful=is_doubtful,
    )


def _cluster(mark: Mark, stages: Mapping[str, str], person: Caller, words: Words) -> Cluster:
    if stages.get(mark.code) not in ("live", "retired"):
        text = words.text("L’ancien système de %(name)s fait autorité : créez-y le membre.", name=mark.name)
        return Cluster(mark.code, mark.name, text)
    if not person.may("write-records", mark.code):
        text = words.text("Créer un membre de %(name)s revient à son équipe.", name=mark.name)
        return Cluster(mark.code, mark.name, text)
    return Cluster(mark.code, mark.name, None)
