"""What a member owes, computed day by day: a second, naive implementation that serves as the oracle.

It shares only the shapes of a case with the program: no ranges, no units, no cents, no prices.
"""

from calendar import monthrange
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from schemas.billing_grids import ByCategory, ByHeadcount, Grid
from services.billing.dues.case import Case, Cover, Key, Record

DAY = timedelta(days=1)
MONTHS = {"none": 12, "quarter": 3, "month": 1}


class NaiveOwed(NamedTuple):
    """What a record owes: euros, and the days that it is charged for."""

    amount: Decimal
    days: frozenset[date]


def naively_owed(case: Case) -> dict[Key, NaiveOwed]:
    """By record, those that owe nothing left out."""
    units = months_in(case.first, MONTHS[case.grid.prorata])
    everything = {day for unit in units for day in unit}
    covered = covered_days(case)
    result: dict[Key, NaiveOwed] = {}
    for record in in_order(case, everything):
        if is_exempt(case, record):
            continue
        free = membership_days(case, record, everything) - covered
        if case.grid.begun_counts or case.grid.prorata == "none":
            charged = [place for place, unit in enumerate(units) if free & unit]
        else:
            charged = [place for place, unit in enumerate(units) if unit <= free]
        full = full_price(case.grid, record)
        if not charged or full is None:
            continue
        dues = sum((share(full, place, len(units)) for place in charged), Decimal())
        lowered = [d.cents for d in case.decisions if d.kind in ("remit", "credit") and d.key == record.key
                   and d.first == case.first and d.line in ("", "dues")]  # fmt: skip
        days = {day for place in charged for day in units[place]} | {day for day in free if day < case.first}
        result[record.key] = NaiveOwed(max(dues - Decimal(sum(lowered)) / 100, Decimal()), frozenset(days - covered))
        covered |= {day for place in charged for day in units[place]} | days
    return result


def months_in(first: date, months: int) -> list[set[date]]:
    days: list[list[date]] = []
    day = first
    for count in range(12):
        length = monthrange(day.year, day.month)[1]
        if count % months == 0:
            days.append([])
        days[-1] += [day + DAY * n for n in range(length)]
        day += DAY * length
    return [set(unit) for unit in days]


def all_days(first: date, last: date) -> set[date]:
    return {first + DAY * n for n in range((last - first).days + 1)}


def covered_days(case: Case) -> set[date]:
    extended = {decision.key for decision in case.decisions if decision.kind == "extension"}
    laid: list[set[date]] = []
    for cover in sorted(case.covers, key=lambda c: (c.days, c.key, c.source)):
        days = all_days(cover.days.first_day, cover.days.last_day)
        overlapped = [other for other in laid if other & days]
        if cover.key in extended and overlapped:
            days = later(cover, max(max(other) for other in overlapped))
        laid.append(days)
    return set().union(*laid)


def later(cover: Cover, last: date) -> set[date]:
    """As many whole months after that day, where both are whole months; else as many days."""
    first, end = cover.days.first_day, cover.days.last_day + DAY
    start = last + DAY
    if first.day == end.day and start.day == 1:
        day = start
        for _ in range((end.year - first.year) * 12 + end.month - first.month):
            day += DAY * monthrange(day.year, day.month)[1]
        return all_days(start, day - DAY)
    return all_days(start, start + (cover.days.last_day - first))


def in_order(case: Case, everything: set[date]) -> list[Record]:
    first = {decision.key for decision in case.decisions if decision.kind == "one-bill"}
    members = [(record, membership_days(case, record, everything)) for record in case.records]
    there = [(record, days) for record, days in members if days]
    return [r for r, days in sorted(there, key=lambda x: (x[0].key not in first, min(x[1]), x[0].key))]


def membership_days(case: Case, record: Record, everything: set[date]) -> set[date]:
    since, ended = record.since or date.min, record.ended or date.max
    last = max(everything)
    if min(everything) <= ended < last:
        if case.grid.resignation == "due":
            ended = last
        elif case.grid.resignation == "quarter":
            ended = max(next(quarter for quarter in months_in(case.first, 3) if ended in quarter))
    released = [d.last for d in case.decisions if d.kind == "release" and d.key == record.key and d.last]
    ended = min([ended, *released])
    if case.grid.ahead_months:
        if since > case.first and since > months_before(last, case.grid.ahead_months):
            return set()
        if months_before(case.first, case.grid.ahead_months) <= since < case.first and ended >= case.first:
            everything = everything | all_days(since, case.first)
    return {day for day in everything if since <= day <= ended}


def months_before(day: date, months: int) -> date:
    for _ in range(months):
        before = day.replace(day=1) - DAY
        day = before.replace(day=min(day.day, before.day))
    return day


def is_exempt(case: Case, record: Record) -> bool:
    decided = any(
        d.kind == "exempt" and d.key == record.key and (d.first or date.min) <= case.first <= (d.last or date.max)
        for d in case.decisions
    )
    return decided or bool(record.exempt) or record.criteria.category in case.grid.exempt_categories


def full_price(grid: Grid, record: Record) -> Decimal | None:
    """Of a grid with one line that is no joining fee."""
    [line] = [line for line in grid.lines if not line.once]
    price = line.price
    if isinstance(price, ByHeadcount):
        least, most = record.criteria.headcount.least, record.criteria.headcount.most
        if least is None or most is None:
            return price.unknown
        [a, b] = [next(band for band in price.bands if band.up_to is None or n <= band.up_to) for n in (least, most)]
        return a.amount if a is b else price.unknown
    if isinstance(price, ByCategory):
        return price.amounts.get(record.criteria.category, price.otherwise)
    return price.amount


def share(total: Decimal, place: int, of: int) -> Decimal:
    def upto(count: int) -> Decimal:
        return (total * count / of).quantize(Decimal("0.01"), ROUND_HALF_UP)

    return upto(place + 1) - upto(place)
