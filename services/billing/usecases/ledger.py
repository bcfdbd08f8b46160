"""The books of an issuer for a financial year, in the columns that accountants read."""

from datetime import date, timedelta

from schemas.billing_ledger import Ledger, OfLedger
from services.billing.dues.days import add_months
from services.billing.issuers.issuer import Issuer
from services.billing.ledger.fec import COLUMNS, name_of, row_of
from services.billing.ledger.queries import count, entries
from services.billing.usecases.issuers import issuer_named
from services.operations.binding import Call


async def ledger(call: Call[OfLedger]) -> Ledger:
    """A page of entries. Raises RefusedError."""
    asked = call.arguments
    issuer = issuer_named(call.uow.issuers, asked.issuer)
    first, last = year_of(issuer, asked.year)
    span = (call.uow.connection, issuer.code, first, last)
    lines = await entries(*span, asked.after, asked.limit)
    return Ledger(
        issuer=issuer.code,
        first=first,
        last=last,
        file=name_of(issuer.last_on(last).siren, last),
        columns=list(COLUMNS),
        rows=[row_of(line) for line in lines],
        entries=await count(*span),
        next=lines[-1].number if lines else asked.after,
    )


def year_of(issuer: Issuer, year: int) -> tuple[date, date]:
    """First and last day of the financial year that begins in this calendar year."""
    month = int(issuer.last_on(date(year, 12, 31)).year_starts[:2])
    first = date(year, month, 1)
    return first, add_months(first, 12) - timedelta(days=1)
