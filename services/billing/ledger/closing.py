"""Until which day the books of an issuer are closed. What comes later is booked on a later day, never before."""

from datetime import date
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.payments.repository import Signed

_CLOSED: Final = "select max(last_on) from closings where issuer = $1"
_CLOSE: Final = """
    insert into closings (issuer, last_on, closed_by, closed_key, reason) values ($1, $2, $3, $4, $5)
    on conflict do nothing
"""


async def closed_until(connection: AsyncConnection, issuer: str) -> date | None:
    """The last day of the years that are closed; None where none is."""
    return (await connection.exec_driver_sql(_CLOSED, (issuer,))).scalar_one()


async def close(connection: AsyncConnection, issuer: str, signed: Signed) -> None:
    """Close all days up to ``signed.on``, for ever."""
    await connection.exec_driver_sql(_CLOSE, (issuer, signed.on, signed.author, signed.key_id, signed.reason))
