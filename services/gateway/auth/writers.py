"""Who may write here, once a cluster is live: whoever holds an API key of staff. The gate asks."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.cutover.preconditions import Writers
from services.gateway.auth.keys import Role

MEND = 'traboule keys create --name "the office" --role staff'
"""The command that makes one."""

_KEYS = """
    select count(*) from api_keys where role = any($1::text[]) and revoked_at is null and expires_at > now()
"""
_WRITE = [role.value for role in Role if role is not Role.READER]


async def count_writers(connection: AsyncConnection) -> Writers:
    """How many usable API keys may write, and how to make one.

    Staff tools may also write as the broker user ``staff.membership``, which a database cannot know of.
    """
    return Writers(int((await connection.exec_driver_sql(_KEYS, (_WRITE,))).scalar_one()), MEND)
