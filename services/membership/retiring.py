"""A former system that was retired at the door loses its right to write, even if nobody waits for the answer any more.

The service that retired it says in its answer that the right ``remains``; whoever takes it says that nothing does.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.membership import cutover_requests
from services.membership.repository.rows import json_of
from shared.messaging import accounts
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of
from shared.runtime.tls import TlsError, address
from shared.runtime.variables import SecretFileError

log = structlog.get_logger()

EVERY = 10.0
"""Seconds between two looks at what remains."""

_REMAINS = """
    select id, cluster || '.' || service, answer from cutover_requests
    where operation = 'move' and arguments ->> 'move' = 'retire' and outcome = 'done' and answer ->> 'remains' <> ''
    order by id
"""


async def take_right(user: str, broker_url: str) -> str | None:
    """Take a broker user's rights away; what remains to be done, if that did not work."""
    try:
        await asyncio.to_thread(accounts.revoke, user, broker_url)
    except (accounts.RightsError, SecretFileError, TlsError) as error:
        return str(error)
    return None


@dataclass(frozen=True, slots=True)
class Retiring:
    """What the door does by itself where it knows the broker's management API; elsewhere the answers say who must."""

    broker_url: str

    async def finish(self, engine: AsyncEngine) -> None:
        """Take every right that an answer says to remain."""
        if address(accounts.MANAGEMENT) is None:
            return
        async with engine.connect() as connection:
            found = rows_of(await connection.exec_driver_sql(_REMAINS))
        for request_id, user, answer in found:
            told: dict[str, Any] = json_of(answer)
            remains = await take_right(user, self.broker_url)
            if remains == told["remains"]:
                continue
            async with engine.begin() as connection:
                await cutover_requests.complete(UnitOfWork(connection), request_id, told | {"remains": remains})
            log.info("cutover.right-taken" if remains is None else "cutover.right-remains", broker_user=user)
