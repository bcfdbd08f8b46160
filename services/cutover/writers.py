"""Who may write here once a former system no longer may: what membership announces, and the gate's count.

People and keys are in membership's database, and every service has a gate of its own. So membership announces when each
key that may write expires, and a far day for each person, and each service keeps the newest of that. Its gate counts
those that are valid at the moment; no announcement is needed when one expires.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.cutover import WriteAccessChanged
from schemas.envelope import Envelope
from services.cutover.preconditions import Writers
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

MAKE_A_KEY: Final = 'traboule keys create --name "the office" --role staff'
ASK_MEMBERSHIP: Final = (
    "traboule republish -s membership, while the membership service of this version runs: "
    "it announces them within seconds"
)

_KEEP = """
    insert into write_access as known (id, version, expires_at) values (1, $1, $2)
    on conflict (id) do update set version = excluded.version, expires_at = excluded.expires_at
    where known.version < excluded.version
"""
_COUNT = "select (select count(*) from unnest(expires_at) as e (at) where e.at > now()) from write_access"


async def keep_write_access(uow: UnitOfWork, messages: Sequence[Envelope[WriteAccessChanged]]) -> None:
    """Keep the newest of what membership announced."""
    newest = max((message.data for message in messages), key=lambda fact: fact.version)
    await uow.connection.exec_driver_sql(_KEEP, (newest.version, list(newest.expires_at)))


async def count_announced(connection: AsyncConnection) -> Writers:
    """How many people and API keys may write now, as membership announced; None as long as it did not."""
    rows = rows_of(await connection.exec_driver_sql(_COUNT))
    return Writers(int(rows[0][0]), MAKE_A_KEY) if rows else Writers(None, ASK_MEMBERSHIP)
