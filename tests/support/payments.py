"""Members that are billed for a year, and payments that come in, as staff record them."""

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from services.billing.accounts.queries import ACCOUNTS
from services.common.sections import Record
from shared.runtime.clock import Clock
from tests.support.billing import Billing, a_description
from tests.support.dues import YEAR

HEADS = {"320.00": "3", "600.00": "12", "900.00": "30", "1250.00": "60"}
"""Headcounts that owe so much, by the grid of tests."""
_KEYS = count(1)


async def billed(office: Billing, *amounts: str, others: tuple[str, ...] = ()) -> list[str]:
    """Members numelink/1, 2…, billed these amounts for 2027, and ``others`` that were not; the numbers in order."""
    facts = [a_description("numelink", f"{n}", HEADS[amount]) for n, amount in enumerate(amounts, 1)]
    await office.describe(*facts)
    await office.adopted()
    await office.takes_over("clustr-numerique", "numelink")
    await office.issued(YEAR)
    await office.describe(*(a_description("numelink", name, "1") for name in others))
    rows = await office.rows("select number from documents where kind = 'invoice' order by record_id")
    return [number for (number,) in rows]


async def paid(office: Billing, amount: str, record: str = "numelink/1", **different: Any) -> dict[str, Any]:
    """A payment of today, recorded."""
    usual: dict[str, Any] = {"issuer": "merged", "received_on": Clock().today(), "key": f"REL-{next(_KEYS)}"}
    return await office.ask("record-payment", record=record, amount=amount, **usual | different)


async def allocated(office: Billing, payment: dict[str, Any], *documents: str) -> dict[str, Any]:
    """The payment once it pays these documents, each as NUMBER or NUMBER=AMOUNT."""
    parts = [dict(zip(("number", "amount"), text.split("="), strict=False)) for text in documents]
    return await office.ask("allocate-payment", payment_id=payment["payment_id"], documents=parts)


async def account(office: Billing, record_id: str) -> dict[str, Any]:
    """What billing states of numelink's record: sums as text, and its one period, if there is one."""
    key = Record("numelink", record_id)
    async with office.engine.begin() as connection:
        stated = (await ACCOUNTS.compose(connection, [key]))[key].model_dump()
    period = next(iter(stated["periods"]), None)
    names = ("received", "transferred", "outstanding")
    shown = {name: None if stated[name] is None else str(stated[name]) for name in names}
    return shown | {
        "paid_until": stated["paid_until"],
        "period": period and (str(period["paid"]), str(period["outstanding"]), period["paid_up"]),
    }


def euros(text: Any) -> Decimal:
    return Decimal(str(text))


LAST = date(2027, 12, 31)
