"""Connexion: come in by a link, and go out."""

import re
from typing import Final
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.auth import signing_in
from services.gateway.auth.oidc import RETURNED, SignInError
from services.gateway.auth.sessions import Browser
from services.gateway.auth.signing_in import Entered
from services.gateway.console import rendering
from services.gateway.console.forms import typed
from services.gateway.console.networks import network_of
from services.gateway.console.session import LANGUAGE_COOKIE, SIGN_IN, Person, keep_cookie, signed_in, token_of
from services.gateway.context import GatewayContext

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)

RETURN_COOKIE: Final = "traboule-return"
"""What was asked for before one had to sign in."""
ATTEMPT_COOKIE: Final = "__Host-traboule-attempt"
COMMAND: Final = 'traboule people link "Marie Dupuis"'
_MINUTES: Final = 15
_YEAR: Final = 31_536_000
_BROWSERS: Final = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
_SYSTEMS: Final = {
    "Android": "Android",
    "iPhone": "iOS",
    "iPad": "iOS",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}
"""What a browser's header holds, and how it is called; the first that fits."""
_SECRET: Final = {"referrer-policy": "no-referrer"}
"""The address of these pages is a secret."""


@router.get(SIGN_IN)
async def ways(request: Request) -> Response:
    """How one comes in; ``?encore=oui`` for who is in already, and must have signed in a short while ago."""
    if await signed_in(request) is not None and "encore" not in request.query_params:
        return RedirectResponse("/console", 303)
    context: GatewayContext = request.app.state.context
    provider = context.provider
    label = None if provider is None else provider.label or urlsplit(provider.client.issuer).hostname
    response = _page(request, "signing_in/ways.html", "Connexion", provider=label, command=COMMAND)
    if is_ours(wanted := request.query_params.get("vers", "")):
        response.set_cookie(
            RETURN_COOKIE, wanted, max_age=_MINUTES * 60, path="/console", httponly=True, samesite="lax"
        )
    return response


@router.post(f"{SIGN_IN}/fournisseur")
async def to_provider(request: Request) -> Response:
    """To the identity provider, and back to the page that was asked for."""
    context: GatewayContext = request.app.state.context
    signing_in.limit(network_of(request))
    fields = await typed(request)
    wanted = fields.get("vers") or request.cookies.get(RETURN_COOKIE, "")
    try:
        address, browser = await signing_in.begin(
            context,
            wanted if is_ours(wanted) else "/console",
            request.cookies.get(ATTEMPT_COOKIE),
            again=bool(fields.get("again")),
        )
    except SignInError as error:
        return _failed(request, error)
    response = RedirectResponse(address, 303)
    response.set_cookie(
        ATTEMPT_COOKIE, browser, max_age=_MINUTES * 60, path="/", secure=True, httponly=True, samesite="lax"
    )
    return response


@router.get(RETURNED)
async def from_provider(request: Request) -> Response:
    """Back from the identity provider. It is a request of another site: what it may do is to end one attempt."""
    context: GatewayContext = request.app.state.context
    signing_in.limit(network_of(request))
    issuer = "" if context.provider is None else context.provider.client.issuer
    browser = Browser(issuer, agent_of(request.headers.get("user-agent", "")), network_of(request))
    answer, attempt = dict(request.query_params), request.cookies.get(ATTEMPT_COOKIE, "")
    try:
        entered, wanted = await signing_in.enter_by_provider(context, answer, attempt, browser, token_of(request))
    except SignInError as error:
        return _failed(request, error)
    if entered is None:
        return _page(request, "signing_in/not_invited.html", "Connexion", status=403)
    return _entered(request, entered, wanted)


@router.get(f"{SIGN_IN}/{{token}}")
async def link(request: Request, token: str) -> Response:
    """Whom a link signs in, and a button. A scanner that opens the link uses nothing up."""
    context: GatewayContext = request.app.state.context
    signing_in.limit(network_of(request))
    known = await signing_in.look_at_link(context, token)
    if known is None or not known.usable:
        return _no_way_in(request, "used" if known is not None and known.used else "expired")
    return _page(request, "signing_in/link.html", "Connexion", headers=_SECRET, name=known.name)


@router.post(f"{SIGN_IN}/{{token}}")
async def enter(request: Request, token: str) -> Response:
    """Use the link up, and come in."""
    context: GatewayContext = request.app.state.context
    signing_in.limit(network_of(request))
    browser = Browser("link", agent_of(request.headers.get("user-agent", "")), network_of(request))
    entered = await signing_in.enter_by_link(context, token, browser, token_of(request))
    if entered is None:
        return _no_way_in(request, "used")
    return _entered(request, entered, request.cookies.get(RETURN_COOKIE, ""))


@router.post("/console/deconnexion")
async def leave(request: Request, person: Person) -> Response:
    """Go out. The browser forgets what it kept of us."""
    context: GatewayContext = request.app.state.context
    await signing_in.leave(context, person, str(token_of(request)))
    came_by_provider = person.session is not None and person.session.how != "link"
    elsewhere = await context.provider.end_address() if context.provider and came_by_provider else None
    response = RedirectResponse(elsewhere or SIGN_IN, 303, headers={"clear-site-data": '"cache", "storage"'})
    keep_cookie(response, None)
    return response


def is_ours(path: str) -> bool:
    """Whether one may be sent there after signing in: a page of the console, and no other site."""
    # Looked at before it is taken apart: what is no address raises there.
    if not path.startswith("/console") or re.search(r"[^!-~]|\\", path):
        return False
    return not urlsplit(path).path.startswith(SIGN_IN)


def agent_of(header: str) -> str:
    """A browser and its system in two words: enough to know one's own session again."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in header), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in header), "")
    return ", ".join(filter(None, (browser, system))) or "?"


def _entered(request: Request, entered: Entered, wanted: str) -> Response:
    response = RedirectResponse(wanted if is_ours(wanted) else "/console", 303, headers=_SECRET)
    keep_cookie(response, entered.token)
    response.delete_cookie(RETURN_COOKIE, path="/console")
    if LANGUAGE_COOKIE not in request.cookies:
        response.set_cookie(LANGUAGE_COOKIE, entered.locale, max_age=_YEAR, path="/console", samesite="lax")
    return response


def _failed(request: Request, error: SignInError) -> Response:
    log.warning("sign_in.failed", kind=error.kind, check=error.detail)
    status = 503 if error.kind == "provider-away" else 403
    return _page(request, "signing_in/failed.html", "Connexion", status=status, kind=error.kind)


def _no_way_in(request: Request, why: str) -> Response:
    return _page(request, "signing_in/refused.html", "Connexion", headers=_SECRET, status=410, why=why, command=COMMAND)


def _page(request: Request, template: str, title: str, **values: object) -> Response:
    shown = rendering.words_of(request).text(title)
    return rendering.page(request, None, template, shown, **values)  # pyright: ignore[reportArgumentType]
