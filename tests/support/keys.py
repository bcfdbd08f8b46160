"""API keys that tests ask with."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.auth import keys
from services.gateway.auth.caller import Grant


async def create_key(connection: AsyncConnection, name: str, role: str, days: int) -> str:
    """A key of one role, ``staff`` or ``staff@numelink``, which may name an author."""
    return await keys.create_key(connection, name, [Grant.parse(role)], days, by="a test", signs_for_others=True)
