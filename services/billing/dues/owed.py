"""What a member owes for a period: no day twice, neither over its records nor over what former systems billed.

Records come in a fixed order: first day, cluster, id. Each is charged the units of the period (months, quarters, or
the whole) in which it has a day that nothing covers yet, and covers these units in its turn. So cover moves when
members merge and separate, and prices do not: a record that was billed before keeps its price.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from services.billing.dues.case import Case, Cover, Key, Record
from services.billing.dues.days import (
    NEVER,
    Days,
    Range,
    add_months,
    contains,
    days_of,
    meets,
    moved_after,
    units_of,
    within,
    without,
    written,
    year_from,
)
from services.billing.dues.reasons import Reason
from services.billing.fees.pricing import Price, price_of
from services.billing.money import euros, part_of, parts_of

MONTHS = {"month": 1, "quarter": 3, "none": 12}
"""Months of each unit of a period."""


class OwedLine(NamedTuple):
    """What is owed on one line; ``units`` are the charged units of the period, counted from 0."""

    code: str
    cents: int
    units: tuple[int, ...] = ()


class Owed(NamedTuple):
    """What one record owes for a period. ``days`` are those that it is charged for; without lines it owes nothing.

    ``doubt`` says why the price is a guess, or why there is none.
    """

    key: Key
    period: Range
    days: Days
    lines: tuple[OwedLine, ...]
    reasons: tuple[Reason, ...]
    price: Price | None = None
    doubt: Reason | None = None

    @property
    def cents(self) -> int:
        """All lines together."""
        return sum(line.cents for line in self.lines)


def period_of(case: Case) -> Range:
    """The twelve months from the case's first day."""
    return year_from(case.first)


def owed(case: Case) -> tuple[Owed, ...]:
    """What each of the member's records owes, in the order in which they are charged. Pure."""
    period = period_of(case)
    covers = _covers(case)
    # Who joins ahead is charged for days before the period too, so cover is looked at from there on.
    reach = Range(add_months(case.first, -case.grid.ahead_months).toordinal(), period.last)
    taken: list[tuple[Range, str, str]] = [
        (days, "covered", cover.source) for cover in covers for days in within([cover.days], reach)
    ]
    result: list[Owed] = []
    for record, days, because in _in_order(case, period):
        item = _charge(case, period, record, days, because, taken)
        result.append(item)
        if item.lines:
            units = _units(case)
            charged = days_of([units[number] for number in item.lines[0].units])
            # And the days before the period that came with it.
            ahead = [span for span in item.days if span.first < period.first]
            taken += [(span, "covered-by", str(record.key)) for span in (*charged, *ahead)]
    return tuple(result)


def _units(case: Case) -> tuple[Range, ...]:
    return units_of(case.first, MONTHS[case.grid.prorata])


# --- which days -----------------------------------------------------------------------------------------------------


def _covers(case: Case) -> list[Cover]:
    """Cover as decisions of extension move it: of two that overlap the later begins after the earlier."""
    moving = {decision.key for decision in case.decisions if decision.kind == "extension"}
    ordered = sorted(case.covers, key=lambda cover: (cover.days, cover.key, cover.source))
    if not moving:
        return ordered
    moved: list[Cover] = []
    for cover in ordered:
        last = max((other.days.last for other in moved if meets((other.days,), cover.days)), default=None)
        late = cover.key in moving and last is not None
        moved.append(cover._replace(days=moved_after(cover.days, last or 0)) if late else cover)
    return moved


def _in_order(case: Case, period: Range) -> list[tuple[Record, Range, tuple[Reason, ...]]]:
    """Records that are members within the period, with their days of it, in the order of charging."""
    first = {decision.key for decision in case.decisions if decision.kind == "one-bill"}
    members = [(record, *days) for record in case.records if (days := _membership(case, period, record)) is not None]
    return sorted(members, key=lambda item: (item[0].key not in first, item[1].first, item[0].key))


def _membership(case: Case, period: Range, record: Record) -> tuple[Range, tuple[Reason, ...]] | None:
    """The days that a record may be charged for, and why they are not the whole period; None without any."""
    because: list[Reason] = []
    first, last = period.first, _last_day(case, period, record)
    since = record.since.toordinal() if record.since else 0
    if since > period.first:
        if since > add_months(period.last_day, -case.grid.ahead_months).toordinal() and case.grid.ahead_months:
            return None
        first = since
        because.append(Reason("joined", {"day": f"{record.since:%d/%m/%Y}"}))
    elif since and case.grid.ahead_months and since > add_months(case.first, -case.grid.ahead_months).toordinal() - 1:
        first = since
        if since < period.first:
            because.append(Reason("ahead", {"day": f"{record.since:%d/%m/%Y}"}))
    if last < first or last < period.first:
        return None
    if last < period.last:
        because.append(Reason("ended", {"day": f"{date.fromordinal(last):%d/%m/%Y}"}))
    return Range(first, min(last, period.last)), tuple(because)


def _last_day(case: Case, period: Range, record: Record) -> int:
    """The last day that is owed: by the statutes, unless a decision releases the record before."""
    released = [d.last.toordinal() for d in case.decisions if d.kind == "release" and d.key == record.key and d.last]
    last = NEVER if record.ended is None else record.ended.toordinal()
    if period.first <= last < period.last:
        match case.grid.resignation:
            case "due":
                last = period.last
            case "quarter":
                last = next(unit.last for unit in units_of(case.first, 3) if last <= unit.last)
            case "pro-rata":
                pass
    return min([last, *released])


# --- how much -------------------------------------------------------------------------------------------------------


def _charge(
    case: Case,
    period: Range,
    record: Record,
    days: Range,
    because: tuple[Reason, ...],
    taken: Sequence[tuple[Range, str, str]],
) -> Owed:
    """What one record owes, after what was taken before it."""
    if exempt := _exempt(case, record):
        return Owed(record.key, period, (), (), (Reason("exempt", {"source": exempt}),))
    gone = days_of([span for span, _, _ in taken])
    free = without((days,), gone)
    because += _covered(days, taken)
    numbers = _charged(case, free)
    if not numbers:
        return Owed(record.key, period, (), (), because)
    price = case.frozen.get(record.key) or price_of(case.grid_of(record), record.criteria)
    if not price.billable:
        return Owed(record.key, period, (), (), (*price.reasons, *because), price, price.doubt)
    if record.key in case.frozen:
        because = (*because, Reason("frozen"))
    units = _units(case)
    if len(numbers) < len(units):
        because = (Reason("parts", {"count": str(len(numbers)), "of": str(len(units))}), *because)
    joins = record.since is not None and days.first == record.since.toordinal() and _is_new(case, record)
    lines = _lines(price, numbers, len(units), joins=joins)
    lines, lowered = _lowered(case, record, lines)
    charged = [units[number] for number in numbers]
    # Of each unit the days that nobody else covers; and those before the period, for who joined ahead.
    spans = without(days_of([*charged, *_before(free, period)]), gone)
    return Owed(record.key, period, spans, lines, (*price.reasons, *because, *lowered), price, price.doubt)


def _before(free: Days, period: Range) -> Days:
    return within(free, Range(0, period.first - 1))


def _exempt(case: Case, record: Record) -> str:
    """Why it owes nothing; empty if it does. A decision comes before what the former system says."""
    for decision in case.decisions:
        if decision.kind == "exempt" and decision.key == record.key:
            first, last = decision.first or date.min, decision.last or date.max
            if first <= case.first <= last:
                return decision.reason
    if record.exempt:
        return record.exempt
    category = record.criteria.category.strip().casefold()
    return record.criteria.category if category in {c.strip().casefold() for c in case.grid.exempt_categories} else ""


def _covered(days: Range, taken: Iterable[tuple[Range, str, str]]) -> tuple[Reason, ...]:
    """What covers days of the record, in order; ranges of one source that touch are one."""
    by_source: dict[tuple[str, str], list[Range]] = {}
    for span, code, source in taken:
        if part := within((span,), days):
            by_source.setdefault((code, source), []).extend(part)
    spans = sorted((span, code, source) for (code, source), all_ in by_source.items() for span in days_of(all_))
    return tuple(
        Reason(code, {"first": written(span.first), "last": written(span.last), "source": source})
        for span, code, source in spans
    )


def _charged(case: Case, free: Days) -> tuple[int, ...]:
    """The units that are charged: those with a free day; where begun ones do not count, those wholly free."""
    counts = meets if case.grid.begun_counts or case.grid.prorata == "none" else contains
    return tuple(number for number, unit in enumerate(_units(case)) if counts(free, unit))


def _is_new(case: Case, record: Record) -> bool:
    """Whether no other record of the member was a member before: a merge makes nobody join again."""
    since = record.since or date.min
    return all((other.since or date.min) >= since for other in case.records if other.key != record.key)


def _lines(price: Price, numbers: Sequence[int], of: int, *, joins: bool) -> tuple[OwedLine, ...]:
    """The dues for these units first, and the joining fee of who joins within the period."""
    dues = [
        OwedLine(line.code, _part(line.cents, numbers, of), tuple(numbers)) for line in price.lines if not line.once
    ]
    fees = [OwedLine(line.code, line.cents) for line in price.lines if line.once and joins]
    return (*dues, *fees)


def _part(cents: int, numbers: Sequence[int], of: int) -> int:
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return parts_of(cents, numbers[0], numbers[-1] + 1, of)
    return sum(part_of(cents, number, of) for number in numbers)


def _lowered(
    case: Case, record: Record, lines: tuple[OwedLine, ...]
) -> tuple[tuple[OwedLine, ...], tuple[Reason, ...]]:
    """The lines less what decisions take off, from the first line on and never below nothing."""
    because: list[Reason] = []
    for decision in sorted(case.decisions):
        if decision.kind not in ("remit", "credit") or decision.key != record.key or decision.first != case.first:
            continue
        lines, cents = _less(lines, decision.cents, decision.line)
        because.append(Reason(decision.kind, {"amount": str(euros(cents)), "source": decision.reason}))
    return lines, tuple(because)


def _less(lines: tuple[OwedLine, ...], cents: int, only: str) -> tuple[tuple[OwedLine, ...], int]:
    """The lines less so many cents, and how many these were: there may not be so many."""
    left, lowered = cents, list[OwedLine]()
    for line in lines:
        part = min(left, line.cents) if only in ("", line.code) else 0
        lowered.append(line._replace(cents=line.cents - part))
        left -= part
    return tuple(lowered), cents - left
