"""Former systems that were retired over HTTP lose their right to write, by an operators' command.

The service that retired one says in its answer that the right ``remains``; whoever takes it says that nothing does.

Only an administrator of RabbitMQ may change rights, so the process that the Internet reaches does not: its address of
the management API would be a way to redraw the whole topology.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from services.gateway import requests
from shared.messaging import accounts
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import json_of, rows_of
from shared.runtime.tls import TlsError
from shared.runtime.variables import SecretFileError

_REMAINS = """
    select id, cluster || '.' || service, answer from cutover_requests
    where operation = 'move' and arguments ->> 'move' = 'retire' and outcome = 'done' and answer ->> 'remains' <> ''
    order by id
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """One broker user; ``remains`` is what is still to be done, None if it may write no more."""

    user: str
    remains: str | None


async def take_rights(uow: UnitOfWork, broker_url: str) -> list[Taken]:
    """Take every right that an answer says to remain, and complete those answers."""
    rows = rows_of(await uow.connection.exec_driver_sql(_REMAINS))
    taken = {user: await _take(user, broker_url) for user in dict.fromkeys(user for _, user, _ in rows)}
    for request_id, user, answer in rows:
        if taken[user] is None:
            document: dict[str, Any] = json_of(answer)
            await requests.complete(uow, request_id, document | {"remains": None})
    return [Taken(user, remains) for user, remains in taken.items()]


async def _take(user: str, broker_url: str) -> str | None:
    try:
        await asyncio.to_thread(accounts.revoke, user, broker_url)
    except (accounts.RightsError, SecretFileError, TlsError) as error:
        return str(error)
    return None
