"""What was billed of seats, told to events again after a restore."""

from typing import Final

from services.billing.charges.repository import announce_billed
from services.billing.mirror.repository import BillingUnitOfWork
from services.common.republish import CAUSE, PAGE, Page, Place, Republisher, page_of
from shared.persistence.database import rows_of

_FIRST: Final = "00000000-0000-0000-0000-000000000000"
# In this order, and locked: what is told here is newer than what was told before, and no bill is issued meanwhile.
_NEXT: Final = f"""
    select registration_id::text from charges where registration_id > $1::uuid
    order by registration_id limit {PAGE} for update
"""


async def _bills(uow: BillingUnitOfWork, after: Place | None) -> Page:
    [last] = after or (_FIRST,)
    ids = [row[0] for row in rows_of(await uow.connection.exec_driver_sql(_NEXT, (last,)))]
    await announce_billed(uow, ids, CAUSE)
    return page_of(len(ids), (ids[-1],) if ids else None)


BILLS_AGAIN: Final = Republisher("bills of seats", "select count(*) from charges", _bills)
"""Also of what nothing was billed of: a restored database of events may say otherwise."""
