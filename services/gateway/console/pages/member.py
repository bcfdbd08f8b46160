"""Un membre: who they are and who says so, what they owe, what happened."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.auth.caller import Caller
from services.gateway.console import former_values, navigation, rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import Mark, Tag, cluster_of, day_of, marks_for, siren
from services.gateway.console.inside import Inside
from services.gateway.console.mounted import marks, today
from services.gateway.console.pages import members
from services.gateway.console.pages.member_dues import Dues, dues_of
from services.gateway.console.pages.member_fields import Field, fields_of
from services.gateway.console.pages.member_sections import (
    Conflict,
    Mails,
    Record,
    Registration,
    conflicts_of,
    mails_of,
    records_of,
    registrations_of,
)
from services.gateway.console.pages.member_timeline import ENTRIES, KINDS, timeline_of
from services.gateway.console.session import Person
from services.gateway.console.shouting import member_name

router = APIRouter(include_in_schema=False)

PATH: Final = members.PATH + "/{member_id}"
QUESTIONS: Final = 5
"""So many open questions about a member are noted on its page."""
_TURNS: Final = 500
"""So many of its merges and separations are looked through for one of them."""


@dataclass(frozen=True, slots=True)
class Member:
    """What the page shows. Sections that the API does not give are None."""

    name: str
    brand: str | None
    siren: str | None
    siren_digits: str | None
    marks: tuple[Mark, ...]
    clusters: str
    dues_tag: Tag
    conflicts: tuple[Conflict, ...]
    fields: tuple[Field, ...]
    people: tuple[str, ...]
    dues: Dues | None
    registrations: tuple[Registration, ...] | None
    mails: Mails | None
    records: tuple[Record, ...] | None


@dataclass(frozen=True, slots=True)
class AlsoPerhaps:
    """Another member that may be this one."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Ways:
    """What somebody may do from here."""

    edit: bool
    set_values: bool
    read_history: bool
    see_identity: bool


@router.get(PATH)
async def member(
    request: Request, person: Person, member_id: str, depuis: str = "", sorte: str = "", suite: str = ""
) -> Response:
    """One member. An id that was merged away leads to the current one, which says so."""
    inside, words = Inside(request, person), rendering.words_of(request)
    if rendering.is_part(request):
        return await _timeline_part(request, inside, member_id, sorte, suite)
    path = f"/members/{member_id}"
    knows_persons = person.may("read-persons")
    asked = [inside.get(path)]
    if knows_persons:
        asked += [
            inside.get(f"{path}/sources"),
            inside.get(f"{path}/timeline", _narrowed(sorte, suite)),
            inside.get("/duplicates", {"member": member_id, "limit": QUESTIONS}),
        ]
    answer, *more = await asyncio.gather(*asked)
    view = answer.value()
    if view["id"] != member_id:
        return RedirectResponse(f"{members.PATH}/{view['id']}?depuis={member_id}", 303)
    doubts = _doubts(more[0].value()) if knows_persons else []
    overrides = await _overrides(inside, path, view) if knows_persons else []
    merged = None
    if depuis in view["former_ids"]:
        merged = await _merged(inside, path, _named(more[0].value(), {member_id, depuis}) if more else set(), words)
    shown = shown_member(view, doubts, overrides, marks(request), today(request), _conflicts_path(person), words)
    timeline = None
    if knows_persons:
        own = f"{members.PATH}/{member_id}"
        timeline = timeline_of(more[1].value(), own, sorte, marks(request), words, is_continued=bool(suite))
    query = request.query_params
    return rendering.page(
        request,
        person,
        "member/page.html",
        shown.name,
        member=shown,
        own=f"{members.PATH}/{member_id}",
        merged=merged,
        timeline=timeline,
        questions=questions_of(more[2].value(), member_id, words) if knows_persons else (),
        may=ways_of(person, view),
        set_field=query.get("fixee"),
        has_unset="retiree" in query,
        has_changed="fiche" in query,
        undo=_undo(request, person, view["id"], query.get("fiche", "")),
        has_undone="fiche_annulee" in query,
        is_part=False,
    )


def _undo(request: Request, person: Caller, member_id: str, record: str) -> str | None:
    """Where to undo the edit of this record that this session made a moment ago; None where there is none."""
    if not person.may("write-records", cluster_of(record)) or former_values.kept(request, record) is None:
        return None
    return f"{members.PATH}/{member_id}/fiche/annuler?{urlencode({'nom': record})}"


async def _timeline_part(request: Request, inside: Inside, member_id: str, kind: str, suite: str) -> Response:
    page = (await inside.get(f"/members/{member_id}/timeline", _narrowed(kind, suite))).value()
    timeline = timeline_of(
        page,
        f"{members.PATH}/{member_id}",
        kind,
        marks(request),
        rendering.words_of(request),
        is_continued=bool(suite),
    )
    template = "member/happenings.html" if suite else "member/timeline.html"
    return rendering.part(request, template, timeline=timeline, is_part=True)


def _narrowed(kind: str, suite: str) -> dict[str, str | int | None]:
    return {"limit": ENTRIES, "about": KINDS.get(kind), "after": suite}


def _doubts(sources: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {**problem, "record": f"{source['cluster']}/{source['record_id']}"}
        for source in sources["items"]
        for problem in source["problems"]
    ]


async def _overrides(inside: Inside, path: str, view: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Who set what by hand; most members have nothing of the kind, and are not asked about it."""
    if not any(isinstance(value, Mapping) and "override" in value for value in view.values()):
        return ()
    return (await inside.get(f"{path}/overrides")).value()["items"]


async def _merged(inside: Inside, path: str, both: set[str], words: Words) -> str:
    """When the member that was asked for became part of this one: ``both`` are their records, if these may be seen."""
    at = None
    if both:
        at = joined_at((await inside.get(f"{path}/identity", {"limit": _TURNS})).value()["items"], both)
    if at is None:
        return words.text("Le membre demandé a été réuni à celui-ci.")
    return words.text("Le membre demandé a été réuni à celui-ci le %(day)s.", day=day_of(at, words.language))


def joined_at(turns: Sequence[Mapping[str, Any]], both: set[str]) -> str | None:
    """Since when two records are one member, of what happened to it, the newest first; None where that is not said."""
    at = None
    for turn in turns:
        if turn["what"] == "merged" and both.issubset(turn["records"]):
            at = turn["at"]
        # Of parts that say nothing of both, others were separated.
        if turn["what"] == "separated" and any(len(both.intersection(part["records"])) == 1 for part in turn["parts"]):
            break
    return at


def _named(sources: Mapping[str, Any], ids: set[str]) -> set[str]:
    """The records that have these ids by themselves, such as ``numelink/B-7``."""
    return {f"{each['cluster']}/{each['record_id']}" for each in sources["items"] if each["member_id"] in ids}


def questions_of(page: Mapping[str, Any], member_id: str, words: Words) -> tuple[AlsoPerhaps, ...]:
    """The open questions about a member, by whom else it may be."""
    return tuple(
        AlsoPerhaps(
            ", ".join(member_name(other["name"], words) for other in case["members"] if other["id"] != member_id),
            f"/console/doublons/{case['id']}",
        )
        for case in page["items"]
    )


def ways_of(person: Caller, view: Mapping[str, Any]) -> Ways:
    """What this person may do about this member."""
    sets, writes = (person.may_in_any(right, view["clusters"]) for right in ("set-values", "write-records"))
    knows = person.may("read-persons")
    return Ways(knows and (sets or writes), knows and sets, person.may("read-audit"), knows)


def _conflicts_path(person: Caller) -> str | None:
    return navigation.path_for(person, "/console/conflits")


def shown_member(
    view: Mapping[str, Any],
    doubts: Sequence[Mapping[str, Any]],
    overrides: Sequence[Mapping[str, Any]],
    marks: Mapping[str, Mark],
    today: date,
    conflicts_path: str | None,
    words: Words,
) -> Member:
    """The API's view of a member as it is shown, with what is doubtful in its records and what was set by hand."""
    own = marks_for(view["clusters"], marks)
    name, number = _value(view, "name"), _value(view, "siren")
    return Member(
        name=member_name(name, words),
        brand=_value(view, "brand"),
        siren=siren(number) if number else None,
        siren_digits=number,
        marks=own,
        clusters=_joined([mark.name for mark in own], words),
        dues_tag=_dues_tag(view, today, words),
        conflicts=conflicts_of(view, conflicts_path, words),
        fields=fields_of(view, doubts, overrides, marks, words),
        people=tuple(_person(item) for item in view.get("people", ())),
        dues=dues_of(view, marks, today, words),
        registrations=registrations_of(view, marks, words),
        mails=mails_of(view, words),
        records=records_of(view, doubts, marks, words),
    )


def _value(view: Mapping[str, Any], field: str) -> str | None:
    return (view.get(field) or {}).get("value")


def _joined(names: Sequence[str], words: Words) -> str:
    if len(names) < 2:
        return "".join(names)
    return words.text("%(names)s et %(last)s", names=", ".join(names[:-1]), last=names[-1])


def _dues_tag(view: Mapping[str, Any], today: date, words: Words) -> Tag:
    until, now = view["paid_until"], today.isoformat()
    is_exempt = any(item.get("exempt") for item in view.get("memberships", ()))
    return members.dues(until, paid_up=is_exempt or (until or "") >= now, today=now, words=words)


def _person(item: Mapping[str, Any]) -> str:
    return ", ".join(str(item[name]) for name in ("name", "role", "email", "phone", "mobile") if item.get(name))
