"""Refusals as pages: what was refused, in the API's words, and the way on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import Request
from starlette.datastructures import URL
from starlette.responses import RedirectResponse, Response

from schemas.dead_letters import LONGEST_BODY
from services.gateway.auth.caller import Caller
from services.gateway.bodies import read_body
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words, typeset
from services.gateway.console.inside import RefusedError
from services.gateway.console.session import SIGN_IN, SignInNeededError, signed_in
from services.gateway.problems import TYPE
from services.gateway.public.forms import fields_of
from services.gateway.translations import PROBLEMS
from services.membership.connections import DatabaseUnavailableError

LONGEST_FORM: Final = 4 * LONGEST_BODY
"""Bytes: a corrected message, each character of which may be written as three."""
MOST_FIELDS: Final = 300
"""A hundred lines to be ticked, say, with two fields each."""
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a page of a refusal shows. ``details`` are what is wrong with each field, or what mends it."""

    title: str
    message: str
    details: tuple[str, ...]
    number: str | None
    is_passing: bool
    status: int
    needs_sign_in: bool


def refusal(status: int, problem: Mapping[str, Any], words: Words) -> Refusal:
    """A problem (RFC 9457) as it is shown."""
    kind = str(problem.get("type", "")).removeprefix(TYPE)
    text = str(problem.get("title", ""))
    if kind in PROBLEMS:
        _, french, english = PROBLEMS[kind]
        text = french if words.language == "fr" else english
    details = [f"{fault['field']} : {fault['message']}" for fault in problem.get("errors") or ()]
    details += [str(problem[name]) for name in ("mend", "meaning") if problem.get(name)]
    number = str(problem["instance"]).removeprefix("urn:uuid:") if problem.get("instance") else None
    printed = [typeset(each, words.language) for each in (text, *details)]
    return Refusal(
        _title(status, words),
        printed[0],
        tuple(printed[1:]),
        number,
        status in (429, 503),
        status,
        kind == "sign-in-again",
    )


def _title(status: int, words: Words) -> str:
    match status:
        case 404:
            return words.text("Il n’y a rien ici")
        case 410:
            return words.text("Ce n’est plus là")
        case 403:
            return words.text("Vous n’en avez pas le droit")
        case 429 | 503:
            return words.text("Pas de réponse pour le moment")
        case _ if status >= 500:
            return words.text("Quelque chose a échoué")
        case _:
            return words.text("Ce n’est pas possible ainsi")


async def error_page(request: Request, status: int, problem: Mapping[str, Any], retry_after: str | None) -> Response:
    """A refusal in the frame; where a part of a page was asked for, a notice for the page that is shown."""
    shown = refusal(status, problem, rendering.words_of(request))
    headers = {"retry-after": retry_after} if retry_after else {}
    if rendering.is_part(request):
        headers |= {"hx-retarget": "#notices", "hx-reswap": "innerHTML"}
        return rendering.part(request, "errors/notice.html", status=status, headers=headers, refusal=shown)
    person = await _whoever(request)
    return rendering.page(
        request, person, "errors/page.html", shown.title, status=status, headers=headers, refusal=shown
    )


async def _whoever(request: Request) -> Caller | None:
    try:
        return await signed_in(request)
    except DatabaseUnavailableError:
        return None


async def answer_refused(_: Request, error: Exception) -> Response:
    """What the API refused inside goes out as it came; :mod:`outside` makes a page of it."""
    assert isinstance(error, RefusedError)
    headers = {"retry-after": error.retry_after} if error.retry_after else {}
    return Response(orjson.dumps(error.problem), error.status, headers, PROBLEM)


async def answer_sign_in(request: Request, error: Exception) -> Response:
    """To the page for signing in, and from there back; what was typed into a form is shown again, to be sent then.

    A part of a page is not to be replaced by that: the browser goes as a whole.
    """
    assert isinstance(error, SignInNeededError)
    if request.method not in ("GET", "HEAD"):
        return await _session_over(request)
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"hx-redirect": _sign_in_for(_shown(request))})
    return RedirectResponse(_sign_in_for(request.url), 303)


def _shown(request: Request) -> URL:
    """The page that the browser shows, as it says."""
    try:
        page = URL(request.headers.get("hx-current-url", "/console"))
        return page if page.path else URL("/console")
    except ValueError:
        return URL("/console")


def _sign_in_for(page: URL) -> str:
    """The page for signing in, with where to return to: that page looks whether it is one of ours."""
    return SIGN_IN if page.path == "/console" else f"{SIGN_IN}?{urlencode({'vers': path_of(page)})}"


def path_of(page: URL) -> str:
    """An address without the host, with its query."""
    return f"{page.path}?{page.query}" if page.query else page.path


async def _session_over(request: Request) -> Response:
    """Nothing that was typed is lost: the form is here again, and can be sent from a new session."""
    fields = fields_of(await read_body(request, LONGEST_FORM), MOST_FIELDS)
    headers = {"hx-retarget": "#content", "hx-reswap": "innerHTML"}
    title = rendering.words_of(request).text("Votre session est finie")
    return rendering.page(
        request,
        None,
        "signing_in/over.html",
        title,
        status=401,
        headers=headers,
        address=path_of(request.url),
        fields=fields,
        sign_in=SIGN_IN,
    )
