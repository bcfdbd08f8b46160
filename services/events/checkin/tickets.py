"""Tickets in letters: a fresh token in each letter to somebody who has a seat, kept as its SHA-256 alone.

Earlier ones work on: people look for any of the mails. All of somebody's end when another person comes instead.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.letters import RegistrationConfirmed, Ticket
from services.events.checkin.ticket import TicketAddressError, digest_of, new_token, ticket_url
from services.events.public.links import Holder
from shared.persistence.batches import transposed

_KEEP: Final = """
    insert into tickets (digest, attendee_id, at)
    select *, $3::timestamptz from unnest($1::bytea[], $2::uuid[])
"""
_END: Final = "update tickets set former_name = $2 where attendee_id = $1::uuid and former_name is null"


async def add_tickets(
    connection: AsyncConnection,
    base: str,
    holders: Mapping[str, Holder],
    letters: Sequence[tuple[Any, Sequence[Any]]],
    at: datetime,
) -> list[tuple[Any, list[Any]]]:
    """The letters, each confirmation to somebody who comes with a ticket of its own.

    Whoever ordered for others, and comes not, gets none. All digests are kept by one statement.
    """
    rows: list[tuple[bytes, str]] = []

    def with_ticket(letter: Any) -> Any:
        attendee_id = holders[letter.registration_id].attendee_id
        if not isinstance(letter, RegistrationConfirmed) or attendee_id is None:
            return letter
        token = new_token()
        rows.append((digest_of(token), attendee_id))
        return letter.model_copy(update={"ticket": Ticket(code=token, address=_address(base, token))})

    answer = [(fact_type, [with_ticket(letter) for letter in facts]) for fact_type, facts in letters]
    if rows:
        await connection.exec_driver_sql(_KEEP, (*transposed(rows), at))
    return answer


async def end_tickets(connection: AsyncConnection, attendee_id: str, former_name: str) -> None:
    """End the tickets of somebody in whose place another comes. Their name says at the door whose it was."""
    await connection.exec_driver_sql(_END, (attendee_id, former_name))


def _address(base: str, token: str) -> str | None:
    """Where the ticket leads; None where the gateway's address fits no ticket: then its picture holds the code."""
    try:
        return ticket_url(base, token)
    except TicketAddressError:
        return None
