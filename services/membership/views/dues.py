"""Dues of a member: the accounts of its records, added up. What is billed, paid and owed is billing's to decide."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from services.membership.records.record import Related
from services.membership.views.items import Line, in_order, latest, lines, without

_SUMS = ("invoiced", "received", "outstanding")


def dues(accounts: Sequence[Related]) -> dict[str, Any]:
    """The section of the view; amounts are text. ``unlisted`` is there if an account left out its oldest lines.

    ``documents`` and ``periods`` are there where billing states any.
    """
    # A new record has no account yet.
    return _added_up(accounts) if accounts else {**_OF_NOBODY}


def _added_up(accounts: Sequence[Related]) -> dict[str, Any]:
    unlisted = sum(account.document.get("unlisted", 0) for account in accounts)
    return {
        **{name: str(_sum(accounts, name)) for name in _SUMS},
        **_named_sum("transferred", [account.document for account in accounts]),
        **_named_sum("written_off", [account.document for account in accounts]),
        "currency": "EUR",
        "invoices": [
            {"from": str(key), "paid": invoice.get("paid", "0"), **without(invoice, "paid")}
            for key, invoice in in_order(lines(accounts, "invoices"), "issued_on", "invoice_id")
        ],
        "payments": [
            {"from": str(key), **payment}
            for key, payment in in_order(lines(accounts, "payments"), "paid_on", "payment_id")
        ],
        **_named("documents", _documents(accounts)),
        **_named("periods", _periods(accounts)),
        **({"unlisted": unlisted} if unlisted else {}),
    }


def _named(name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: entries} if entries else {}


def _named_sum(name: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What former systems gave up, or others settled, where there is any."""
    amounts = [Decimal(part[name]) for part in parts if name in part]
    return {name: str(sum(amounts, Decimal()))} if amounts else {}


def _documents(accounts: Sequence[Related]) -> list[dict[str, Any]]:
    ordered = in_order(lines(accounts, "documents"), "issued_on", "number")
    return [{"from": str(key), **document} for key, document in ordered]


def _periods(accounts: Sequence[Related]) -> list[dict[str, Any]]:
    """Periods of the same days are one, over all records of the member."""
    by_days: dict[tuple[str, str], list[Line]] = {}
    for line in lines(accounts, "periods"):
        by_days.setdefault((line[1]["starts_on"], line[1]["ends_on"]), []).append(line)
    return [_period(days, by_days[days]) for days in sorted(by_days)]


def _period(days: tuple[str, str], entries: Sequence[Line]) -> dict[str, Any]:
    billed, paid, outstanding = (
        sum((Decimal(period[name]) for _, period in entries), Decimal()) for name in ("billed", "paid", "outstanding")
    )
    ordered = sorted(entries, key=lambda entry: entry[0])
    return {
        "starts_on": days[0],
        "ends_on": days[1],
        "billed": str(billed),
        "paid": str(paid),
        "outstanding": str(outstanding),
        **_named_sum("written_off", [period for _, period in entries]),
        # What one record paid too much settles nothing of another's: that takes a decision.
        # Nor is what a former system gave up.
        "paid_up": billed > 0
        and all(Decimal(period["outstanding"]) <= 0 and "written_off" not in period for _, period in entries),
        "reasons": [{"from": str(key), "reason": reason} for key, period in ordered for reason in period["reasons"]],
    }


def paid_until(accounts: Sequence[Related]) -> str | None:
    """The last day that any record paid for."""
    return latest(account.document.get("paid_until") for account in accounts)


def _sum(accounts: Sequence[Related], name: str) -> Decimal:
    return sum((Decimal(account.document[name]) for account in accounts if name in account.document), Decimal())


_OF_NOBODY: Final = _added_up(())
