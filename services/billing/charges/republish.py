"""What was billed of seats, told to events again after a restore."""

from collections.abc import Sequence
from typing import Final

from services.billing.charges.repository import announce_billed
from services.billing.mirror.repository import BillingUnitOfWork
from services.common.republish import CAUSE, PAGE, by_id

# In this order, and locked: what is told here is newer than what was told before, and no bill is issued meanwhile.
_NEXT: Final = f"""
    select registration_id::text from charges where registration_id > $1::uuid
    order by registration_id limit {PAGE} for update
"""


async def _bills(uow: BillingUnitOfWork, registrations: Sequence[str]) -> None:
    await announce_billed(uow, registrations, CAUSE)


BILLS_AGAIN: Final = by_id("bills of seats", "select count(*) from charges", _NEXT, _bills)
"""Also of what nothing was billed of: a restored database of events may say otherwise."""
