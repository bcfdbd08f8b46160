"""Accès: who did what, what each role may do, and one's own sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import moment
from services.gateway.console.inside import Inside
from services.gateway.console.pages.access_tabs import tabs
from services.gateway.console.session import Person

router = APIRouter(include_in_schema=False)

TRAIL: Final = "/console/acces/journal"
ROLES: Final = "/console/acces/roles"
SESSIONS: Final = "/console/acces/moi"
ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit. ``address`` is where what it is about can be seen."""

    when: str
    exactly: str
    name: str
    by_whom: str
    right: str
    about: str
    address: str | None
    outcome: str
    reason: str
    times: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One of one's own sessions."""

    number: int
    browser: str
    how: str
    since: str
    seen: str
    is_this: bool


@dataclass(frozen=True, slots=True)
class RightRow:
    """A right, and for each role whether it has it."""

    label: str
    scoped: bool
    given: tuple[bool, ...]


@router.get(TRAIL)
async def trail(request: Request, person: Person, qui: str = "", sur: str = "", avant: str = "") -> Response:
    """The audit, newest first; by one person, or about one member."""
    words = rendering.words_of(request)
    inside = Inside(request, person)
    asked = {"who": qui, "about": sur, "before": avant, "limit": ROWS}
    page = (await inside.get("/access/audit", asked)).value()
    labels = {each["right"]: each["label"] for each in (await inside.get("/access/rights")).value()["rights"]}
    kept = {name: value for name, value in (("qui", qui), ("sur", sur)) if value}
    following = f"{TRAIL}?{urlencode(kept | {'avant': page['next']})}" if page["next"] else None
    return rendering.page(
        request,
        person,
        "access/trail.html",
        words.text("Journal des accès"),
        tabs=tabs(person, TRAIL, words),
        entries=[entry(item, labels, words) for item in page["items"]],
        following=following,
        is_filtered=bool(kept),
    )


@router.get(ROLES)
async def roles(request: Request, person: Person) -> Response:
    """The table of rights that is enforced, in words."""
    words = rendering.words_of(request)
    table = (await Inside(request, person).get("/access/rights")).value()
    rows = [
        RightRow(each["label"], each["scoped"], tuple(each["right"] in role["rights"] for role in table["roles"]))
        for each in table["rights"]
    ]
    title = words.text("Rôles et droits")
    labels = [role["label"] for role in table["roles"]]
    shown = tabs(person, ROLES, words)
    return rendering.page(request, person, "access/roles.html", title, tabs=shown, roles=labels, rows=rows)


@router.get(SESSIONS)
async def own_sessions(request: Request, person: Person) -> Response:
    """One's own sessions, each of which can be ended."""
    words = rendering.words_of(request)
    items = (await Inside(request, person).get("/access/sessions")).value()["items"]
    rows = [session_row(item, words) for item in items]
    title = words.text("Mes sessions")
    return rendering.page(request, person, "access/sessions.html", title, tabs=tabs(person, SESSIONS, words), rows=rows)


@router.post(f"{SESSIONS}/{{which}}/fin")
async def end_session(request: Request, person: Person, which: str) -> Response:
    """End one of them, or all others."""
    below = "end-others" if which == "autres" else f"{which}/end"
    (await Inside(request, person).post(f"/access/sessions/{below}", {})).value()
    return RedirectResponse(SESSIONS, 303)


def entry(item: Mapping[str, Any], labels: Mapping[str, str], words: Words) -> Entry:
    """One of the API's lines as it is shown."""
    about: str = item["about"]
    member = about.removeprefix("member:") if about.startswith("member:") else None
    return Entry(
        when=moment(item["at"], words.language),
        exactly=item["at"],
        name=item["name"] or words.text("personne"),
        by_whom=f"{TRAIL}?{urlencode({'qui': item['who']})}",
        right=labels.get(item["permission"], words.text("connexion")),
        about=about,
        address=f"/console/membres/{member}" if member else None,
        outcome=_outcome(item["outcome"], words),
        reason=item["reason"] or "",
        times=item["times"],
    )


def _outcome(outcome: str, words: Words) -> str:
    match outcome:
        case "done":
            return words.text("fait")
        case "read":
            return words.text("lu")
        case "asked":
            return words.text("demandé")
        case _:
            return words.text("refusé")


def session_row(item: Mapping[str, Any], words: Words) -> SessionRow:
    """One of the API's sessions as it is shown."""
    how = words.text("par un lien") if item["how"] == "link" else item["how"]
    return SessionRow(
        number=item["number"],
        browser=f"{item['agent']} · {item['network']}",
        how=how,
        since=moment(item["signed_in_at"], words.language),
        seen=moment(item["seen_at"], words.language),
        is_this=item["is_this"],
    )
