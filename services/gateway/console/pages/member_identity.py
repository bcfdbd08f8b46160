"""Fiches d’un membre: what holds them together, what became of them, and how some of them leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words, typeset
from services.gateway.console.display import Mark, cluster_of, mark_of
from services.gateway.console.forms import Typed, typed, typed_again
from services.gateway.console.inside import Inside
from services.gateway.console.mounted import marks
from services.gateway.console.pages import member, members
from services.gateway.console.pages.duplicates_preview import Preview, preview_of
from services.gateway.console.pages.duplicates_taken import NamedRecord, signed, verdict_of
from services.gateway.console.session import Person
from services.gateway.console.shouting import member_name, record_name

router = APIRouter(include_in_schema=False)

PATH: Final = member.PATH + "/fiches"
_TICK: Final = "fiche_"
SHOWN: Final = 200
"""So many records can be ticked; a form has room for no more."""
EVENTS: Final = 30


@dataclass(frozen=True, slots=True)
class Tie:
    """Two records that are held together, and by what."""

    left: NamedRecord
    right: NamedRecord
    by: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that became of the records."""

    what: str
    when: str
    records: tuple[NamedRecord, ...]
    because: str | None


@dataclass(frozen=True, slots=True)
class Ticked:
    """A record that may leave."""

    field: str
    name: str
    title: str
    mark: Mark
    is_ticked: bool


@router.get(PATH)
async def records(request: Request, person: Person, member_id: str) -> Response:
    """Why these records are one member, and a form by which some of them leave."""
    return await _page(request, person, member_id)


@router.post(PATH)
async def separate(request: Request, person: Person, member_id: str) -> Response:
    """The records that are ticked leave the member."""
    fields = await typed(request)
    body = {"records": _ticked(fields), "reason": fields.get("reason", "")}
    path = f"/members/{member_id}/separations"
    answer = await Inside(request, person).post(path, body)
    if answer.is_refusal:
        form = typed_again(request, fields, answer)
        return await _page(request, person, member_id, form=form, status=answer.status)
    done = f"{members.PATH}/{member_id}/fiches?fait={answer.json['decision']}"
    return RedirectResponse(done, 303)


@router.post(f"{PATH}/apercu")
async def preview(request: Request, person: Person, member_id: str) -> Response:
    """The members that there would be; nothing is done."""
    fields = await typed(request)
    path = f"/members/{member_id}/separations/preview"
    answer = await Inside(request, person).post(path, {"records": _ticked(fields)})
    if rendering.is_part(request):
        shown = preview_of(answer.value(), marks(request), rendering.words_of(request))
        return rendering.part(request, "duplicates/preview.html", preview=shown)
    if answer.is_refusal:
        form = typed_again(request, fields, answer)
        return await _page(request, person, member_id, form=form, status=answer.status)
    shown = preview_of(answer.value(), marks(request), rendering.words_of(request))
    return await _page(request, person, member_id, form=Typed(fields), preview=shown)


def _ticked(fields: Mapping[str, str]) -> list[str]:
    return [name.removeprefix(_TICK) for name in fields if name.startswith(_TICK)]


async def _page(
    request: Request,
    person: Caller,
    member_id: str,
    *,
    form: Typed | None = None,
    preview: Preview | None = None,
    status: int = 200,
) -> Response:
    inside, words = Inside(request, person), rendering.words_of(request)
    view = (await inside.get(f"/members/{member_id}")).value()
    own = f"/members/{view['id']}"
    identity = (await inside.get(f"{own}/identity", {"limit": EVENTS})).value()
    name = (view.get("name") or {}).get("value")
    ticks = ticks_of(view, form, marks(request), words)
    clusters = {cluster_of(record) for record in identity["records"]}
    done = request.query_params.get("fait", "")
    return rendering.page(
        request,
        person,
        "deciding/records.html",
        words.text("Fiches de %(name)s", name=member_name(name, words)),
        status=status,
        own=f"{members.PATH}/{view['id']}",
        ticks=ticks,
        links=tuple(_tie(item, marks(request), words) for item in identity["links"]),
        turns=tuple(_turn(item, marks(request), words) for item in identity["items"]),
        may_separate=len(identity["records"]) > 1 and person.may_in_any("decide-identity", clusters),
        form=form or Typed(),
        preview=preview,
        done=done if done.isdecimal() else None,
        is_undone="annule" in request.query_params,
    )


def ticks_of(
    view: Mapping[str, Any], form: Typed | None, marks: Mapping[str, Mark], words: Words
) -> tuple[Ticked, ...]:
    """The member's records, with those ticked that a form named."""
    sources: Sequence[Mapping[str, Any]] = view.get("sources") or ()
    return tuple(
        Ticked(
            field=f"{_TICK}{source['from']}",
            name=source["from"],
            title=record_name(source["written"], words),
            mark=mark_of(cluster_of(source["from"]), marks),
            is_ticked=form is not None and bool(form.value(f"{_TICK}{source['from']}")),
        )
        for source in sources[:SHOWN]
    )


def _named(record: str, marks: Mapping[str, Mark]) -> NamedRecord:
    return NamedRecord(record, mark_of(cluster_of(record), marks))


def _tie(link: Mapping[str, Any], marks: Mapping[str, Mark], words: Words) -> Tie:
    left, right = (_named(record, marks) for record in link["records"])
    if link["by"] == "decision":
        by = words.text("par une décision de %(signed)s", signed=signed(link, words))
        return Tie(left, right, by, (link["reason"],))
    told = sorted(link["evidence"], key=lambda item: -item["weight"])
    reasons = tuple(typeset(item["words"], words.language) for item in told if item["weight"] > 0)
    return Tie(left, right, words.text("par ce que disent les fiches"), reasons)


def _turn(item: Mapping[str, Any], marks: Mapping[str, Mark], words: Words) -> Turn:
    signature = signed({"author": "", **item}, words).removeprefix(", ")
    match item["what"]:
        case "merged":
            what, names, cause = words.text("Réunies"), item["records"], item.get("cause")
        case "separated":
            parts: Sequence[Mapping[str, Any]] = item.get("parts") or ()
            what, cause = words.text("Séparées"), item.get("cause")
            names = [record for part in parts for record in part["records"]]
        case "taken-back":
            what = words.text("Décision annulée : %(verdict)s", verdict=verdict_of(item, words))
            names, cause = _records(item), {**item["taken_back"], "by": "decision"}
        case _:
            what = words.text("Décision : %(verdict)s", verdict=verdict_of(item, words))
            names, cause = _records(item), {"by": "decision", "author": item["author"], "reason": item["reason"]}
    return Turn(what, signature, tuple(_named(record, marks) for record in names[:SHOWN]), _because(cause, words))


def _records(item: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(record for pair in item["pairs"] for record in pair["records"]))


def _because(cause: Mapping[str, Any] | None, words: Words) -> str | None:
    if cause is None or cause.get("by") == "records":
        return words.text("par ce que disent les fiches")
    if not cause.get("author"):
        return None
    return words.text("%(by)s : « %(reason)s »", by=cause["author"], reason=cause.get("reason", ""))
