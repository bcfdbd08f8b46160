"""Sessions: rows that can be ended. A cookie holds 256 random bits, and the database their hash.

Eight hours without use, or twelve in all, end one (OWASP ASVS 5.0, 7.3). Signing in makes a new one (7.2.4).
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.auth.session_tokens import hash_token, new_token
from shared.persistence.database import rows_of

HOURS: Final = 12

_USE_LINK = """
    update sign_in_links l set used_at = now() from people p
    where l.hash = $1 and l.used_at is null and l.expires_at > now()
      and p.id = l.person_id and p.disabled_at is null
    returning p.id, p.name, p.locale
"""
_LINK = """
    select p.name, l.used_at is not null as used, l.expires_at <= now() as expired,
           p.disabled_at is not null as disabled
    from sign_in_links l join people p on p.id = l.person_id where l.hash = $1
"""
_CREATE = f"""
    insert into sessions (hash, person_id, how, agent, network, signed_in_at, until)
    values ($1, $2, $3, $4, $5, least(now(), to_timestamp($6)), now() + interval '{HOURS} hours') returning number
"""
_END = "update sessions set ended_at = now() where hash = $1 and ended_at is null"
_END_NUMBER = """
    update sessions set ended_at = now()
    where number = $1 and ended_at is null and ($2::text is null or person_id = $2) returning number
"""
_END_OTHERS = "update sessions set ended_at = now() where person_id = $1 and number <> $2 and ended_at is null"
_OF_PERSON = """
    select number, how, agent, network, signed_in_at, seen_at from sessions
    where person_id = $1 and ended_at is null and least(until, seen_at + interval '8 hours') > now()
    order by seen_at desc, number
"""
_BEGIN = """
    insert into sign_in_attempts (state, browser, nonce, verifier, return_to, expires_at)
    values ($1, $2, $3, $4, $5, now() + interval '10 minutes')
"""
_END_ATTEMPT = """
    delete from sign_in_attempts where state = $1 and browser = $2
    returning nonce, verifier, return_to, expires_at > now()
"""
_KNOWN = """
    select p.id, p.name, p.locale from identities i join people p on p.id = i.person_id
    where i.issuer = $1 and i.subject = $2 and p.disabled_at is null
"""
# An address lets somebody in once, who was invited with it and is not known to this issuer yet.
_JOIN = """
    with invited as (
        select id, name, locale from people p
        where lower(email) = lower($3) and disabled_at is null
          and not exists (select from identities i where i.person_id = p.id and i.issuer = $1)
    ), joined as (
        insert into identities (issuer, subject, person_id) select $1, $2, id from invited
        on conflict do nothing returning person_id
    )
    select i.id, i.name, i.locale from invited i join joined j on j.person_id = i.id
"""
_FORGET = """
    delete from sessions where coalesce(ended_at, until) < now() - interval '12 months'
"""
_FORGET_LINKS = "delete from sign_in_links where expires_at < now() - interval '7 days'"
_FORGET_ATTEMPTS = "delete from sign_in_attempts where expires_at < now()"


@dataclass(frozen=True, slots=True)
class Browser:
    """Whence somebody signs in: as much as they need to know their own sessions again."""

    how: str
    agent: str
    network: str


@dataclass(frozen=True, slots=True)
class Link:
    """A sign-in link: whom it signs in, and what is in the way."""

    name: str
    used: bool
    expired: bool
    disabled: bool

    @property
    def usable(self) -> bool:
        """Whether it signs anybody in."""
        return not (self.used or self.expired or self.disabled)


async def look_at_link(connection: AsyncConnection, token: str) -> Link | None:
    """Whom a link would sign in; None for one that nobody made. It changes nothing."""
    rows = rows_of(await connection.exec_driver_sql(_LINK, (hash_token(token),)))
    if not rows:
        return None
    return Link(*rows[0])


async def use_link(connection: AsyncConnection, token: str) -> tuple[str, str, str] | None:
    """Use a link up: the person's id, name and language; None for one that was used, is too old, or nobody made."""
    rows = rows_of(await connection.exec_driver_sql(_USE_LINK, (hash_token(token),)))
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


async def begin_attempt(connection: AsyncConnection, state: str, browser: str, kept: tuple[str, str, str]) -> None:
    """Keep an attempt: its nonce, its PKCE verifier, and where to go afterwards."""
    await connection.exec_driver_sql(_BEGIN, (hash_token(state), hash_token(browser), *kept))


async def end_attempt(connection: AsyncConnection, state: str, browser: str) -> tuple[str, str, str] | None:
    """What was kept of an attempt of this browser, once; None if there is none, or it is too old."""
    rows = rows_of(await connection.exec_driver_sql(_END_ATTEMPT, (hash_token(state), hash_token(browser))))
    return (rows[0][0], rows[0][1], rows[0][2]) if rows and rows[0][3] else None


async def person_of(
    connection: AsyncConnection, issuer: str, subject: str, email: str | None
) -> tuple[str, str, str] | None:
    """The id, name and language of whom an issuer means; None for somebody who was not invited."""
    known = rows_of(await connection.exec_driver_sql(_KNOWN, (issuer, subject)))
    if not known and email:
        known = rows_of(await connection.exec_driver_sql(_JOIN, (issuer, subject, email)))
    return (known[0][0], known[0][1], known[0][2]) if known else None


async def create_session(
    connection: AsyncConnection, person_id: str, browser: Browser, former: str | None, asked_at: float | None = None
) -> tuple[str, int]:
    """A new session's token and number. ``former``, the token that the browser held before, ends.

    ``asked_at`` is when the person was asked who they are, in seconds since 1970; None: now.
    """
    if former is not None:
        await end_session(connection, former)
    token = new_token()
    values = (hash_token(token), person_id, browser.how, browser.agent, browser.network, asked_at)
    number = (await connection.exec_driver_sql(_CREATE, values)).scalar_one()
    return token, number


async def end_session(connection: AsyncConnection, token: str) -> None:
    """Sign out."""
    await connection.exec_driver_sql(_END, (hash_token(token),))


async def end_by_number(connection: AsyncConnection, number: int, person_id: str | None) -> bool:
    """End one session, of this person if one is named; False where there is none such."""
    return (await connection.exec_driver_sql(_END_NUMBER, (number, person_id))).scalar() is not None


async def end_others(connection: AsyncConnection, person_id: str, number: int) -> None:
    """End all sessions of a person but this one."""
    await connection.exec_driver_sql(_END_OTHERS, (person_id, number))


async def sessions_of(connection: AsyncConnection, person_id: str) -> list[dict[str, Any]]:
    """A person's live sessions, the last used first."""
    return [dict(row) for row in (await connection.exec_driver_sql(_OF_PERSON, (person_id,))).mappings()]


async def forget(connection: AsyncConnection) -> None:
    """Forget sessions and links that are long over."""
    for statement in (_FORGET, _FORGET_LINKS, _FORGET_ATTEMPTS):
        await connection.exec_driver_sql(statement)
