"""Personal links: a fresh token in each letter, of which the database keeps the SHA-256 alone.

Whoever ordered holds the link of the whole registration. Others hold a link about themselves.
"""

import secrets
from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.events_public import feed_token
from schemas.letters import Attendance, RegistrationConfirmed
from schemas.objections import TOKEN_LENGTH, link_digest
from services.events.seats.order import Person
from shared.persistence.batches import transposed
from shared.persistence.database import rows_of

PATH: Final = "/p/r"
FEED_PATH: Final = "/p/feed/r"
_KEEP: Final = """
    insert into links (digest, booking_id, attendee_id, feed_digest, at)
    select *, $5::timestamptz from unnest($1::bytea[], $2::uuid[], $3::uuid[], $4::bytea[])
"""
_BY_DIGEST: Final = """
    select l.digest, b.session_id::text, b.booking_id::text, l.attendee_id::text
    from unnest($1::bytea[]) as n (digest)
    cross join lateral (select * from links where digest = n.digest offset 0) l
    cross join lateral (select * from bookings where booking_id = l.booking_id offset 0) b
"""
_COMING: Final = """
    select booking_id::text, attendee_id::text, name, email from attendees
    where booking_id = any($1::uuid[]) and left_at is null
"""


class Holder(NamedTuple):
    """Whom a letter is about: a person of a booking, or all of it. ``email`` is the address of its order."""

    booking_id: str
    attendee_id: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class Target:
    """What a link leads to: a booking, or one person of it."""

    session_id: str
    booking_id: str
    attendee_id: str | None


def new_token() -> str:
    """130 random bits in base32."""
    return b32encode(secrets.token_bytes(20)).decode().lower()[:TOKEN_LENGTH]


async def link_letters(
    connection: AsyncConnection,
    base: str,
    holders: Mapping[str, Holder],
    letters: Sequence[tuple[Any, Sequence[Attendance]]],
    at: datetime,
) -> list[tuple[Any, list[Attendance]]]:
    """The letters, each with a link of its own below ``base``; all digests are kept by one statement.

    Who has a seat also gets the address of a feed. Its token is made of the link's, and does not lead back to it.
    """
    rows: list[tuple[bytes, str, str | None, bytes]] = []

    def linked(letter: Attendance) -> Attendance:
        holder, token = holders[letter.registration_id], new_token()
        of_order = (letter.recipient.email or "").casefold() == (holder.email or "").casefold()
        fed = feed_token(token)
        digests = [bytes.fromhex(link_digest(each)) for each in (token, fed)]
        rows.append((digests[0], holder.booking_id, None if of_order else holder.attendee_id, digests[1]))
        more = {"feed": f"{base}{FEED_PATH}/{fed}.ics"} if isinstance(letter, RegistrationConfirmed) else {}
        return letter.model_copy(update={"link": f"{base}{PATH}/{token}", **more})

    answer = [(fact_type, [linked(letter) for letter in facts]) for fact_type, facts in letters]
    if rows:
        await connection.exec_driver_sql(_KEEP, (*transposed(rows), at))
    return answer


async def targets(connection: AsyncConnection, digests: Sequence[bytes]) -> dict[bytes, Target]:
    """What these links lead to, by digest; those that nobody was sent are left out."""
    rows = rows_of(await connection.exec_driver_sql(_BY_DIGEST, (list(set(digests)),)))
    return {bytes(digest): Target(*rest) for digest, *rest in rows}


async def coming(connection: AsyncConnection, booking_ids: Sequence[str]) -> dict[str, dict[str, Person]]:
    """By booking: who comes still, by id."""
    rows = rows_of(await connection.exec_driver_sql(_COMING, (list(booking_ids),)))
    people: dict[str, dict[str, Person]] = {booking_id: {} for booking_id in booking_ids}
    for booking_id, attendee_id, name, email in rows:
        people[booking_id][attendee_id] = Person(attendee_id=attendee_id, name=name, email=email)
    return people
