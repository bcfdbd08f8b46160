"""What billing billed of bookings that cost something, as it says so."""

from collections.abc import Sequence
from typing import Final

import orjson

from schemas.charges import RegistrationBilled
from schemas.envelope import Envelope
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import newest_by

_KEEP: Final = """
    insert into booking_bills as kept (booking_id, version, amount, "references")
    select id, version, amount, "references"
    from json_to_recordset($1::json) as n (id uuid, version bigint, amount numeric, "references" text[])
    on conflict (booking_id) do update
    set version = excluded.version, amount = excluded.amount, "references" = excluded."references"
    where kept.version < excluded.version
"""


async def keep_bills(uow: UnitOfWork, messages: Sequence[Envelope[RegistrationBilled]]) -> None:
    """Keep what was billed of each registration last."""
    newest = newest_by(messages, lambda m: m.data.registration_id, lambda m: m.data.version)
    # In the order of their keys, so that two replicas lock rows in the same order.
    rows = [_row(newest[key].data) for key in sorted(newest)]
    await uow.connection.exec_driver_sql(_KEEP, (orjson.dumps(rows).decode(),))


def _row(fact: RegistrationBilled) -> dict[str, object]:
    return {
        "id": fact.registration_id,
        "version": fact.version,
        "amount": str(fact.amount),
        "references": fact.references,
    }
