"""Accounts as billing states them."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.billing.mirror.repository import BillingUnitOfWork
from tests.support.sections import newest_stated

KEY = "traboule.billing.account-changed"
DAYS = (date(2025, 12, 31), date(2026, 12, 31))


def begin(connection: AsyncConnection) -> BillingUnitOfWork:
    return BillingUnitOfWork(connection, "tresorerie")


async def stated(engine: AsyncEngine) -> list[tuple[str, int, str | None, str | None]]:
    """Record, version, and the two sums of each newest account."""
    async with engine.begin() as connection:
        result = await newest_stated(connection, KEY)
    return [(item["record_id"], item["version"], item.get("invoiced"), item.get("received")) for item in result]


async def paid(engine: AsyncEngine) -> dict[str, str | None]:
    """What was paid on each invoice, as the newest accounts say."""
    async with engine.begin() as connection:
        accounts = await newest_stated(connection, KEY)
    return {each["invoice_id"]: each.get("paid") for account in accounts for each in account.get("invoices", ())}
