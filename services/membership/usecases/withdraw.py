"""Take away what was published and never linked, because its message was parked, or came from a system not heard.

Until then it counts among those who share a key, so it must not stay. A message that comes later all the same is
recognised as any other.
"""

from typing import Final

from services.membership.projections import consolidate_withdrawn
from services.membership.unit_of_work import MembershipUnitOfWork

MINUTES: Final = 10
"""A batch is linked within seconds of its being published; longer if the database is away."""


async def withdraw_unlinked(uow: MembershipUnitOfWork, minutes: float = MINUTES) -> int:
    """Withdraw what has been pending so long; returns how many records that were."""
    await uow.serialise_writers()
    keys = await uow.unlinked(minutes)
    if keys:
        await consolidate_withdrawn(uow, keys)
    return len(keys)
