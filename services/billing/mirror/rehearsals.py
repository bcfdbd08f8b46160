"""What billing would have done, for comparing it with what a former system did: what is billed, and what is settled."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from services.cutover.rehearsal_rule import Outcome, Outcomes, Rehearsal

_STANDS = "status not in ('draft', 'cancelled')"

# --- settlement: what is still owed ---------------------------------------------------------------------------------

_SETTLED = f"""
    with paid as (
        select invoice_id, sum(amount) as amount from (
            select invoice_id, amount from payments where cluster = :cluster and invoice_id is not null
            union all
            select a.invoice_id, a.amount
            from payments p cross join lateral jsonb_to_recordset(p.allocations) as a (invoice_id text, amount numeric)
            where p.cluster = :cluster
        ) parts group by invoice_id
    ), credited as (
        -- Some systems write a credit note as a negative amount, some do not.
        select corrects as invoice_id, sum(abs(gross)) as amount from invoices
        where cluster = :cluster and kind = 'credit-note' and corrects is not null and {_STANDS} group by corrects
    )
    select i.invoice_id, i.issued_on, i.status, i.gross, coalesce(p.amount, 0), coalesce(c.amount, 0),
           coalesce(i.written_off, 0)
    from invoices i left join paid p using (invoice_id) left join credited c using (invoice_id)
    where i.cluster = :cluster and i.kind = 'invoice' and i.status <> 'draft' and i.gross > 0 and i.issued_on >= :since
    order by i.invoice_id
"""


class Settlement(Outcome):
    """Whether anything is owed on an invoice. ``gross`` and the year of issue are the same on both sides."""

    owed: bool
    year: int
    gross: Decimal


class Issued(NamedTuple):
    """An invoice, and in euros all that was paid on it, taken off it and given up of it."""

    invoice_id: str
    issued_on: date
    status: str
    gross: Decimal
    paid: Decimal
    credited: Decimal
    written_off: Decimal = Decimal()


def _held_for_settled(rows: Sequence[Issued]) -> Outcomes:
    return {row.invoice_id: _settlement(row, owed=row.status == "issued" and not row.written_off) for row in rows}


def _settles(rows: Sequence[Issued]) -> Outcomes:
    """What payments less refunds, credit notes and write-offs leave is owed; of a cancelled one nothing."""
    outcomes: dict[str, Outcome] = {}
    for row in rows:
        owed = row.status != "cancelled" and row.paid + row.credited + row.written_off < row.gross
        gone = f", {row.written_off:.2f} written off" if row.written_off else ""
        because = f"{row.paid:.2f} paid and {row.credited:.2f} credited{gone} of {row.gross:.2f}"
        outcomes[row.invoice_id] = _settlement(row, owed=owed, because=because)
    return outcomes


def _settlement(fact: Issued, *, owed: bool, because: str | None = None) -> Settlement:
    return Settlement(owed=owed, year=fact.issued_on.year, gross=fact.gross, because=because)


def _open(outcome: Settlement) -> tuple[int, Decimal]:
    """Gross amounts of invoices on which anything is owed."""
    return outcome.year, outcome.gross if outcome.owed else Decimal()


# --- dues: what is billed -------------------------------------------------------------------------------------------

_DUES = f"""
    with dues as (
        select coalesce(m.member_id::text, i.cluster || '/' || i.record_id) as member, i.cluster, i.record_id,
               i.invoice_id, i.issued_on, i.period_starts_on, i.period_ends_on, i.gross,
               i.cluster = :cluster and i.issued_on >= :since as asked
        from invoices i left join member_records m on (m.cluster, m.record_id) = (i.cluster, i.record_id)
        where i.kind = 'invoice' and i.{_STANDS} and i.gross > 0
          and i.period_starts_on is not null and i.period_ends_on is not null
          and not exists (select from invoices n where (n.cluster, n.corrects) = (i.cluster, i.invoice_id)
                                                   and n.kind = 'credit-note' and n.{_STANDS})
    )
    select member, cluster, record_id, invoice_id, issued_on, period_starts_on, period_ends_on, gross, asked
    from dues where member in (select member from dues where asked)
    order by member, issued_on, cluster, invoice_id
"""


class Dues(Outcome):
    """Whether a period of membership is billed as it was. ``gross`` and year of issue are the same on both sides."""

    billed: bool
    year: int
    gross: Decimal


class Period(NamedTuple):
    """An invoice for a period, first and last day; ``asked`` is false of what only tells what was billed before."""

    member: str
    cluster: str
    record_id: str
    invoice_id: str
    issued_on: date
    starts_on: date
    ends_on: date
    gross: Decimal
    asked: bool


def _billed(rows: Sequence[Period]) -> Outcomes:
    return {row.invoice_id: _dues(row, billed=True) for row in rows if row.asked}


def _bills(rows: Sequence[Period]) -> Outcomes:
    """Nobody is billed for days for which the same member was billed before under another record, of either cluster.

    Source: the mistake of others that billing must not make ("the same membership bought through two systems is billed
    twice"). Two invoices of one record are not judged: it may buy two things. Where days are covered in part we would
    bill the rest, and what that costs is in no fact: it counts as not billed as it was.
    """
    outcomes: dict[str, Outcome] = {}
    before: list[Period] = []
    for row in rows:
        twice = next((other for other in before if _twice(row, other)), None)
        if twice is None or not row.asked:
            before.append(row)
        if row.asked:
            because = None
            if twice is not None:
                because = f"{twice.cluster}/{twice.invoice_id} covers {twice.starts_on} to {twice.ends_on}"
            outcomes[row.invoice_id] = _dues(row, billed=twice is None, because=because)
    return outcomes


def _twice(period: Period, other: Period) -> bool:
    same_record = (period.cluster, period.record_id) == (other.cluster, other.record_id)
    return not same_record and period.starts_on <= other.ends_on and other.starts_on <= period.ends_on


def _dues(period: Period, *, billed: bool, because: str | None = None) -> Dues:
    return Dues(billed=billed, year=period.issued_on.year, gross=period.gross, because=because)


def _amount(outcome: Dues) -> tuple[int, Decimal]:
    return outcome.year, outcome.gross if outcome.billed else Decimal()


REHEARSALS = (
    Rehearsal(
        "dues",
        "which periods would we have billed?",
        _DUES,
        Period,
        _billed,
        _bills,
        together=attrgetter("member"),
        money=_amount,
    ),
    Rehearsal(
        "settlement",
        "on which invoices would we say that something is owed?",
        _SETTLED,
        Issued,
        _held_for_settled,
        _settles,
        money=_open,
    ),
)
