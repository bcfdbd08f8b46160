"""What membership would have said, for comparing it with what a former system says: where a membership stands."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import orjson

from schemas.membership import MemberStatus
from services.cutover.rehearsal_rule import Outcome, Outcomes, Rehearsal

# An invoice may name another record of the member than the one that its terms hang on: Dolibarr numbers third parties
# and members apart, and of the two only the member tells of a membership.
_RECORDS = """
    with received as (
        select document->>'invoice_id' as invoice_id, sum((document->>'amount')::numeric) as amount from related
        where kind = 'payment' and cluster = :cluster and document->>'invoice_id' is not null group by 1
    ), invoiced as (
        select item_id, record_id, document->>'corrects' as corrects, coalesce(document->>'status', 'issued') as status,
               coalesce(document->>'kind', 'invoice') as kind, (document->>'gross')::numeric as gross,
               (document->>'period_ends_on')::date as ends_on
        from related where kind = 'invoice' and cluster = :cluster
    ), covered as (
        select s.member_id, max(i.ends_on) as until
        from invoiced i
        join source_records s on (s.cluster, s.record_id) = (:cluster, i.record_id)
        left join received r on r.invoice_id = i.item_id
        where i.kind = 'invoice' and i.gross > 0 and i.ends_on is not null
          and (i.status = 'paid' or (i.status = 'issued' and r.amount >= i.gross))
          and not exists (select from invoiced n where n.corrects = i.item_id and n.kind = 'credit-note'
                                                   and n.status not in ('draft', 'cancelled'))
        group by s.member_id
    )
    select s.record_id, s.written->>'status', (s.written->>'paid_until')::date, (s.written->>'ended_on')::date,
           coalesce((s.written->>'exempt')::boolean, false), (s.written->'subscriptions')::text, c.until, current_date
    from source_records s left join covered c on c.member_id = s.member_id
    where s.cluster = :cluster and not s.removed
      and coalesce(s.written->>'status', s.written->>'paid_until', s.written->>'member_since') is not null
      and coalesce((s.written->>'ended_on')::date >= :since, true)
    order by s.record_id
"""


class MembershipState(Outcome):
    """Whether a membership runs, and the last day that its dues are paid for, as far as that is told."""

    status: MemberStatus | None
    paid_until: date | None


class Record(NamedTuple):
    """What a record says of itself. ``terms``: JSON; ``invoiced_until``: the end of what paid invoices cover."""

    record_id: str
    status: MemberStatus | None
    paid_until: date | None
    ended_on: date | None
    exempt: bool
    terms: str | None
    invoiced_until: date | None
    today: date


class Term(NamedTuple):
    """First and last day, both included."""

    starts_on: date
    ends_on: date


def _did(rows: Sequence[Record]) -> Outcomes:
    return {row.record_id: MembershipState(status=row.status, paid_until=row.paid_until) for row in rows}


def _would(rows: Sequence[Record]) -> Outcomes:
    return {row.record_id: _state_of(row) for row in rows}


def _state_of(record: Record) -> MembershipState:
    """Dues are paid until the end of the last period that something shows: a term, or an invoice that is paid in full.

    A term may be due and unpaid, so it never proves more than its system says; a paid invoice does. Where neither is
    known the former system is believed, as it is of exempt members and of memberships that have ended.
    A membership whose last day has passed has ended; one that waits (``pending``) runs while a term runs that is paid
    (the rule of the imports: one running term makes a member). Nobody else is ended by the calendar: that is for the
    board, which the former system tells of. Days are UTC's.
    """
    if record.status != "ended" and record.ended_on is not None and record.ended_on < record.today:
        detail = f"its last day was {record.ended_on}"
        return MembershipState(status="ended", paid_until=record.paid_until, because=detail)
    if record.status == "ended" or record.exempt:
        return MembershipState(status=record.status, paid_until=record.paid_until)
    terms = _terms(record.terms)
    paid_until, because = _paid_until(record, terms)
    runs = [term for term in terms if term.starts_on <= record.today <= term.ends_on]
    if record.status == "pending" and any(paid_until is not None and term.ends_on <= paid_until for term in runs):
        detail = "a term runs that is paid"
        return MembershipState(
            status="active", paid_until=paid_until, because=f"{because}; {detail}" if because else detail
        )
    return MembershipState(status=record.status, paid_until=paid_until, because=because)


def _paid_until(record: Record, terms: Sequence[Term]) -> tuple[date | None, str | None]:
    invoiced = record.invoiced_until
    if invoiced is not None and (record.paid_until is None or invoiced > record.paid_until):
        return invoiced, f"an invoice until {invoiced} is paid"
    shown = [term.ends_on for term in terms] + ([] if invoiced is None else [invoiced])
    if record.paid_until is not None and shown and max(shown) < record.paid_until:
        return max(shown), f"no term or paid invoice goes beyond {max(shown)}"
    return record.paid_until, None


def _terms(document: str | None) -> list[Term]:
    """Those that end: a term without an end shows no day that anything is paid until."""
    terms = orjson.loads(document or "[]")
    ends = [term for term in terms if term.get("ends_on")]
    return [Term(date.fromisoformat(term["starts_on"]), date.fromisoformat(term["ends_on"])) for term in ends]


REHEARSALS = (Rehearsal("standing", "where would we say each membership stands?", _RECORDS, Record, _did, _would),)
