"""Accès: who may come in and what they may do, keys of programs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import Tag, day_of, moment
from services.gateway.console.forms import Typed, headers_of, typed, typed_again
from services.gateway.console.inside import Answer, Inside
from services.gateway.console.mounted import marks
from services.gateway.console.pages.access_tabs import tabs
from services.gateway.console.session import Person

router = APIRouter(include_in_schema=False)

PATH: Final = "/console/acces"
KEYS: Final = f"{PATH}/cles"


@dataclass(frozen=True, slots=True)
class GivenRole:
    """One grant as it is shown: ``address`` ends it."""

    address: str
    label: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody of the list."""

    id: str
    name: str
    email: str
    grants: tuple[GivenRole, ...]
    seen: str
    state: Tag
    is_disabled: bool
    is_self: bool


@dataclass(frozen=True, slots=True)
class KeyRow:
    """An API key of the list."""

    id: str
    name: str
    roles: str
    expires: str
    state: Tag
    is_usable: bool


@dataclass(frozen=True, slots=True)
class Secret:
    """What is shown once: a link that signs in, or a key."""

    text: str
    is_link: bool
    whose: str


@dataclass(frozen=True, slots=True)
class Option:
    """A role or a cluster to choose."""

    value: str
    label: str


@router.get(PATH)
async def people(request: Request, person: Person) -> Response:
    """Everybody, and a form to let somebody in."""
    return await _people(request, person)


@router.post(f"{PATH}/personnes")
async def invite(request: Request, person: Person) -> Response:
    """Let somebody in; their link is shown this once."""
    fields = await typed(request)
    body = {
        "name": fields.get("name", ""),
        "email": fields.get("email") or None,
        "locale": fields.get("locale", "fr"),
        "grants": [_grant(fields)],
    }
    answer = await Inside(request, person).post("/access/people", body, headers_of(fields))
    return await _people_after(request, person, answer, fields, fields.get("name", ""))


@router.post(f"{PATH}/personnes/{{person_id}}/{{what}}")
async def change(request: Request, person: Person, person_id: str, what: str) -> Response:
    """Another link or role for somebody; out, or in again."""
    fields = await typed(request)
    below = {"lien": "link", "role": "grants", "sortir": "disable", "remettre": "enable"}.get(what, what)
    body = _grant(fields) if below == "grants" else {}
    answer = await Inside(request, person).post(f"/access/people/{person_id}/{below}", body)
    return await _people_after(request, person, answer, fields, fields.get("name", ""))


@router.post(f"{PATH}/droits/{{grant_id}}/fin")
async def end_grant(request: Request, person: Person, grant_id: str) -> Response:
    """Take a role away."""
    fields = await typed(request)
    answer = await Inside(request, person).post(f"/access/grants/{grant_id}/end", {})
    return await _people_after(request, person, answer, fields, "")


@router.get(KEYS)
async def keys(request: Request, person: Person) -> Response:
    """API keys, and a form for another."""
    return await _keys(request, person)


@router.post(KEYS)
async def create_key(request: Request, person: Person) -> Response:
    """Make an API key; it is shown this once."""
    fields = await typed(request)
    days = fields.get("days", "365")
    body = {
        "name": fields.get("name", ""),
        "grants": [_grant(fields)],
        # What is no number of days, or has too many digits to be one, the API refuses in words.
        "days": int(days) if days.isdecimal() and len(days) < 6 else days,
        "signs_for_others": fields.get("signs") == "yes",
    }
    answer = await Inside(request, person).post("/access/keys", body, headers_of(fields))
    if answer.is_refusal:
        return await _keys(request, person, typed_again(request, fields, answer), status=answer.status)
    return await _keys(request, person, secret=Secret(answer.json["key"], is_link=False, whose=fields.get("name", "")))


@router.post(f"{KEYS}/{{key_id}}/revoquer")
async def revoke_key(request: Request, person: Person, key_id: str) -> Response:
    """Revoke an API key."""
    answer = await Inside(request, person).post(f"/access/keys/{key_id}/revoke", {})
    if answer.is_refusal:
        return await _keys(request, person, typed_again(request, {}, answer), status=answer.status)
    return RedirectResponse(KEYS, 303)


async def _people_after(
    request: Request, person: Caller, answer: Answer, fields: Mapping[str, str], name: str
) -> Response:
    if answer.is_refusal:
        return await _people(request, person, typed_again(request, fields, answer), status=answer.status)
    if link := answer.json.get("link"):
        return await _people(request, person, secret=Secret(link, is_link=True, whose=name))
    return RedirectResponse(PATH, 303)


async def _people(
    request: Request, person: Caller, form: Typed | None = None, *, secret: Secret | None = None, status: int = 200
) -> Response:
    inside, words = Inside(request, person), rendering.words_of(request)
    listed, table = await asyncio.gather(inside.get("/access/people"), inside.get("/access/rights"))
    roles = {each["role"]: each["label"] for each in table.value()["roles"]}
    rows = tuple(person_row(item, person, roles, words) for item in listed.value()["items"])
    return rendering.page(
        request,
        person,
        "access/people.html",
        words.text("Accès"),
        status=status,
        tabs=tabs(person, PATH, words),
        rows=rows,
        form=form or Typed(),
        secret=secret,
        roles=[Option(role, label) for role, label in roles.items()],
        clusters=[Option(mark.code, mark.name) for mark in marks(request).values()],
    )


async def _keys(
    request: Request, person: Caller, form: Typed | None = None, *, secret: Secret | None = None, status: int = 200
) -> Response:
    inside, words = Inside(request, person), rendering.words_of(request)
    listed, table = await asyncio.gather(inside.get("/access/keys"), inside.get("/access/rights"))
    return rendering.page(
        request,
        person,
        "access/keys.html",
        words.text("Clés des programmes"),
        status=status,
        tabs=tabs(person, KEYS, words),
        rows=tuple(key_row(item, words) for item in listed.value()["items"]),
        form=form or Typed(),
        secret=secret,
        roles=[Option(each["role"], each["label"]) for each in table.value()["roles"]],
        clusters=[Option(mark.code, mark.name) for mark in marks(request).values()],
    )


def person_row(item: Mapping[str, Any], looking: Caller, roles: Mapping[str, str], words: Words) -> PersonRow:
    """One of the API's people as they are shown."""
    is_disabled = item["disabled_at"] is not None
    if is_disabled:
        state = Tag("quiet", words.text("dehors"))
    elif item["sessions"]:
        state = Tag("good", words.text("connecté"))
    else:
        state = Tag("quiet", words.text("peut entrer"))
    return PersonRow(
        id=item["id"],
        name=item["name"],
        email=item["email"] or "",
        grants=tuple(
            GivenRole(f"{PATH}/droits/{each['id']}/fin", _in_cluster(roles[each["role"]], each["cluster"]))
            for each in item["grants"]
        ),
        seen=moment(item["seen_at"], words.language) if item["seen_at"] else words.text("jamais"),
        state=state,
        is_disabled=is_disabled,
        is_self=looking.key_id == f"person:{item['id']}",
    )


def key_row(item: Mapping[str, Any], words: Words) -> KeyRow:
    """One of the API's keys as it is shown."""
    if item["usable"]:
        state = Tag("good", words.text("utilisable"))
    elif item["revoked_at"]:
        state = Tag("refused", words.text("révoquée"))
    else:
        state = Tag("quiet", words.text("expirée"))
    roles = ", ".join(item["roles"])
    return KeyRow(item["id"], item["name"], roles, day_of(item["expires_at"], words.language), state, item["usable"])


def _grant(fields: Mapping[str, str]) -> dict[str, str | None]:
    return {"role": fields.get("role", ""), "cluster": fields.get("cluster") or None}


def _in_cluster(label: str, cluster: str | None) -> str:
    return label if cluster is None else f"{label} · {cluster}"
