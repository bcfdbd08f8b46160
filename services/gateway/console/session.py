"""Who is signed in, and in which language they read."""

from typing import Annotated, Final

from fastapi import Depends, Request

from services.gateway.auth.key_cache import CALLER, Caller, presented
from services.gateway.context import GatewayContext
from services.gateway.translations import language_of as asked_language
from services.membership.translations import Language

__all__ = ["CALLER", "LANGUAGE_COOKIE", "SIGN_IN", "Caller", "Person", "SignInNeededError", "language_of", "signed_in"]

SIGN_IN: Final = "/console/connexion"
LANGUAGE_COOKIE: Final = "traboule-language"


class SignInNeededError(Exception):
    """Nobody is signed in."""


async def signed_in(request: Request) -> Caller | None:
    """Whoever asks. Raises DatabaseUnavailableError."""
    context: GatewayContext = request.app.state.context
    key = presented(request.headers.get("authorization"), None)
    return None if key is None else await context.keyring.find(key)


async def _person(request: Request) -> Caller:
    person = await signed_in(request)
    if person is None:
        raise SignInNeededError
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
