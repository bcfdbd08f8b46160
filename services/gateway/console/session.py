"""Who is signed in, and in which language they read."""

from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.responses import Response
from starlette.types import Scope

from services.gateway.auth.caller import Caller
from services.gateway.context import GatewayContext
from services.gateway.translations import language_of as asked_language
from services.membership.translations import Language

SIGN_IN: Final = "/console/connexion"
LANGUAGE_COOKIE: Final = "traboule-language"
COOKIE: Final = "__Host-traboule"
"""``__Host-``: no other host, no other path, and only by TLS or to this machine (RFC 6265bis, 4.1.3.2)."""
_PERSON: Final = "traboule.person"


class SignInNeededError(Exception):
    """Nobody is signed in."""


def token_of(request: Request) -> str | None:
    """The session's token that the browser sent."""
    return request.cookies.get(COOKIE) or None


async def signed_in(request: Request) -> Caller | None:
    """Whoever asks, looked up once for a request. Raises DatabaseUnavailableError."""
    if _PERSON not in request.scope:
        context: GatewayContext = request.app.state.context
        token = token_of(request)
        person = None if token is None else await context.callers.signed_in(token)
        if person is not None:
            context.audit.seen(person)
        request.scope[_PERSON] = person
    return request.scope[_PERSON]


def forget_person(scope: Scope) -> None:
    """Take a request for one of nobody's, whatever it brings."""
    scope[_PERSON] = None


def keep_cookie(response: Response, token: str | None) -> None:
    """Give the browser a session's token, or take it away. Lax: a link in a mail opens what it names."""
    if token is None:
        response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    else:
        response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="lax")


async def _person(request: Request) -> Caller:
    person = await signed_in(request)
    if person is None:
        raise SignInNeededError
    context: GatewayContext = request.app.state.context
    context.limits.check_person(person)
    return person


Person = Annotated[Caller, Depends(_person)]
"""Whoever is signed in; anybody else is sent to the page for that."""


def language_of(request: Request) -> Language:
    """``?lang=``, else what was chosen before, else what the browser asks for, else French."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    match chosen:
        case "fr" | "en":
            return chosen
        case _:
            return asked_language(request)
