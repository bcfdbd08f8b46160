"""Raw messages of billing, and waiting for what became of them."""

from collections.abc import Iterable
from typing import Any

import orjson

from schemas.billing import InvoiceRecorded
from schemas.envelope import encode
from tests.support.builders import unique
from tests.support.in_process import OwnService
from tests.support.waiting import eventually

NUMELINK = "numelink.billing"
KEY = "numelink.billing.invoice-recorded"


def event_of(invoice: InvoiceRecorded, **different: Any) -> dict[str, Any]:
    """The event around an invoice, as a tree to spoil: ``different`` replaces fields of the fact."""
    event = orjson.loads(encode("/numelink/billing", [invoice]).body)
    event["data"] |= different
    event["id"] = unique("event")
    return event


async def applied(billing: OwnService, invoices: Iterable[InvoiceRecorded], timeout: float = 15) -> None:  # noqa: ASYNC109
    """Wait until these invoices, and no others, are there."""
    expected = {invoice.invoice_id for invoice in invoices}

    async def all_present() -> bool:
        column = set(await billing.column("select invoice_id from invoices"))
        assert column == expected, f"{len(column)} of {len(expected)}"
        return True

    await eventually(all_present, timeout)


async def parked(billing: OwnService, count: int = 1, *, status: str = "parked") -> list[dict[str, Any]]:
    """Wait until there are so many dead letters, all of this status."""

    async def so_many() -> list[dict[str, Any]]:
        rows = await billing.parked()
        assert [row["status"] for row in rows] == [status] * count, [(row["reason"], row["status"]) for row in rows]
        return rows

    return await eventually(so_many)
