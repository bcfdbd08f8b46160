"""Dues of a member: the accounts of its records, added up. What is billed, paid and owed is billing's to decide."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from services.membership.records.record import Related
from services.membership.views.items import in_order, latest, lines, without

_SUMS = ("invoiced", "received", "outstanding")


def dues(accounts: Sequence[Related]) -> dict[str, Any]:
    """The section of the view; amounts are text. ``unlisted`` is there if an account left out its oldest lines."""
    unlisted = sum(account.document.get("unlisted", 0) for account in accounts)
    return {
        **{name: str(_sum(accounts, name)) for name in _SUMS},
        "currency": "EUR",
        "invoices": [
            {"from": str(key), "paid": invoice.get("paid", "0"), **without(invoice, "paid")}
            for key, invoice in in_order(lines(accounts, "invoices"), "issued_on", "invoice_id")
        ],
        "payments": [
            {"from": str(key), **payment}
            for key, payment in in_order(lines(accounts, "payments"), "paid_on", "payment_id")
        ],
        **({"unlisted": unlisted} if unlisted else {}),
    }


def paid_until(accounts: Sequence[Related]) -> str | None:
    """The last day that any record paid for."""
    return latest(account.document.get("paid_until") for account in accounts)


def _sum(accounts: Sequence[Related], name: str) -> Decimal:
    return sum((Decimal(account.document[name]) for account in accounts if name in account.document), Decimal())
