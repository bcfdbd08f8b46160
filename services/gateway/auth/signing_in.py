"""Signing in and out, each in a transaction of its own, with its trace."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.auth import sessions
from services.gateway.auth.audit import Access, note
from services.gateway.auth.caller import Caller, SignedIn
from services.gateway.auth.oidc import Attempt, Provider, SignInError
from services.gateway.auth.session_tokens import new_token
from services.gateway.auth.sessions import Browser, Link
from services.gateway.context import GatewayContext
from services.gateway.public.limits import RateLimit, too_many

_PER_NETWORK: Final = RateLimit(burst=10, per_second=10 / 60)
_IN_ALL: Final = RateLimit(burst=100, per_second=100 / 60)
"""Attempts: ten a minute from one network, a hundred in all."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A session that was just made. ``locale`` is what its person chose."""

    token: str
    locale: str


def limit(network: str) -> None:
    """Count one attempt. Raises ProblemError where there were too many."""
    if not _PER_NETWORK.allows(network) or not _IN_ALL.allows(""):
        raise too_many()


async def look_at_link(context: GatewayContext, token: str) -> Link | None:
    """Whom a link would sign in. Scanners of mails look at every link: looking changes nothing."""
    async with _transaction(context) as connection:
        return await sessions.look_at_link(connection, token)


async def enter_by_link(context: GatewayContext, token: str, browser: Browser, former: str | None) -> Entered | None:
    """Use a link up and sign its person in; None for a link that does not do so any more."""
    async with _transaction(context) as connection:
        person = await sessions.use_link(connection, token)
        if person is None:
            context.audit.turned_away(browser.network, "link-refused")
            return None
        made = await enter(connection, person, browser, former)
    await context.callers.refresh()
    return made


async def enter(
    connection: AsyncConnection,
    person: tuple[str, str, str],
    browser: Browser,
    former: str | None,
    asked_at: float | None = None,
) -> Entered:
    """Sign a person in, given their id, name and language."""
    person_id, name, locale = person
    session, number = await sessions.create_session(connection, person_id, browser, former, asked_at)
    signed_in = SignedIn(number, person_id, 0.0)
    caller = Caller(f"person:{person_id}", name, frozenset(), b"", 0.0, session=signed_in)
    await note(connection, Access(caller, "sign-in", browser.how))
    return Entered(session, locale)


async def begin(context: GatewayContext, return_to: str, known: str | None, *, again: bool) -> tuple[str, str]:
    """Where to send the browser to sign in, and the token by which it is known again. Raises SignInError.

    One that is ``known`` already keeps its token: attempts in two tabs must not break each other.
    """
    provider = _provider(context)
    state, browser = new_token(), known or new_token()
    attempt = Attempt(new_token(), new_token())
    address = await provider.address(state, attempt, again=again)
    async with _transaction(context) as connection:
        await sessions.begin_attempt(connection, state, browser, (attempt.nonce, attempt.verifier, return_to))
    return address, browser


async def enter_by_provider(
    context: GatewayContext, answer: Mapping[str, str], attempt_of: str, browser: Browser, former: str | None
) -> tuple[Entered | None, str]:
    """Sign in whom the provider names, and where to go then; None for somebody who was not invited.

    An attempt is used once, whatever comes of it. Raises SignInError.
    """
    provider = _provider(context)
    async with _transaction(context) as connection:
        kept = await sessions.end_attempt(connection, answer.get("state", ""), attempt_of)
    if kept is None:
        raise SignInError("answer-wrong", "state")
    nonce, verifier, return_to = kept
    try:
        identity = await provider.identity(answer, Attempt(nonce, verifier))
    except SignInError as error:
        async with _transaction(context) as connection:
            await note(connection, Access(_NOBODY, "sign-in", browser.how, outcome=error.kind, reason=error.detail))
        raise
    async with _transaction(context) as connection:
        person = await sessions.person_of(connection, identity.issuer, identity.subject, identity.email)
        if person is None:
            await note(connection, Access(_NOBODY, "sign-in", browser.how, outcome="not-invited"))
            return None, return_to
        entered = await enter(connection, person, browser, former, identity.asked_at)
    await context.callers.refresh()
    return entered, return_to


def _provider(context: GatewayContext) -> Provider:
    if context.provider is None:
        raise SignInError("provider-wrong", "none is configured")
    return context.provider


async def leave(context: GatewayContext, caller: Caller, token: str) -> None:
    """Sign out."""
    async with _transaction(context) as connection:
        await sessions.end_session(connection, token)
        await note(connection, Access(caller, "sign-in", "sign-out"))
    await context.callers.refresh()


_NOBODY: Final = Caller("nobody", "", frozenset(), b"", 0.0)


@asynccontextmanager
async def _transaction(context: GatewayContext) -> AsyncGenerator[AsyncConnection]:
    async with context.writing() as uow:
        yield uow.connection
