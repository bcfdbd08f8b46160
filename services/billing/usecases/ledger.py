"""The books of an issuer: a financial year in the columns that accountants read, and its closing."""

from datetime import date, timedelta
from typing import Any

from schemas.billing_ledger import Closed, ClosedYear, Ledger, OfLedger
from services.billing.dues.days import add_months
from services.billing.issuers.issuer import Issuer
from services.billing.ledger.closing import close, closed_until
from services.billing.ledger.fec import COLUMNS, name_of, row_of
from services.billing.ledger.queries import count, entries
from services.billing.payments.repository import Signed
from services.billing.usecases.approval import approver
from services.billing.usecases.issuers import issuer_named
from services.billing.usecases.issuing import take_turn
from services.operations.binding import Call, RefusedError
from shared.runtime.clock import Clock


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
        next=lines[-1].place if lines else asked.after,
        closed_until=await closed_until(call.uow.connection, issuer.code),
    )


async def close_year(call: Call[ClosedYear]) -> Closed:
    """Close a year that is over, and all before it; once, however often it is asked for. Raises RefusedError."""
    issuer = issuer_named(call.uow.issuers, call.arguments.issuer)
    _, last = year_of(issuer, call.arguments.year)
    by = approver(call, issuer.last_on(Clock().today()))
    if last >= Clock().today():
        raise RefusedError("year-not-over", f"the year ends on {last}: close it once it is over")
    await take_turn(call.uow.connection, issuer.code)
    until = await closed_until(call.uow.connection, issuer.code)
    if until is None or until < last:
        signed = Signed(author=call.author, key_id=by.key_id, reason=call.reason, on=last)
        await close(call.uow.connection, issuer.code, signed)
    return Closed(issuer=issuer.code, closed_until=max(last, until or last))


async def refuse_closed(call: Call[Any], issuer: str, day: date) -> None:
    """Refuse what would be booked in a year that is closed. Raises RefusedError."""
    until = await closed_until(call.uow.connection, issuer)
    if until is not None and day <= until:
        raise RefusedError("period-closed", f"the books of {issuer} are closed until {until}: book it on a day after")


def year_of(issuer: Issuer, year: int) -> tuple[date, date]:
    """First and last day of the financial year that begins in this calendar year."""
    month = int(issuer.last_on(date(year, 12, 31)).year_starts[:2])
    first = date(year, month, 1)
    return first, add_months(first, 12) - timedelta(days=1)
