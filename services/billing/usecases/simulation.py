"""What a grid would bring, against what former systems billed the year before. Pure; the same code as a real run."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal

from schemas.billing_operations import Compared, SimulatedMember, Simulation
from services.billing.dues.days import add_months, between, meets
from services.billing.dues.owed import Owed, owed
from services.billing.dues.reasons import sentences
from services.billing.members.member import KnownMember
from services.billing.money import euros
from services.billing.usecases.cases import Period

_UNKNOWN = ("headcount-unknown", "headcount-unread")


def simulated(period: Period) -> Simulation:
    """Every member that owes something, or was billed the year before."""
    rows = [_member(period, member, owed(period.case(member))) for member in period.members]
    rows = [row for row in rows if row.before or row.after or row.doubt]
    clusters = {row.member_id: "+".join(sorted({name.partition("/")[0] for name in row.records})) for row in rows}
    return Simulation(
        grid_id=period.grid_id,
        first=period.first,
        total=_compared("", rows),
        by_band=_grouped(rows, lambda row: row.band),
        by_cluster=_grouped(rows, lambda row: clusters[row.member_id]),
        by_departement=_grouped(rows, lambda row: row.departement),
        unknown_headcount=[row.name for row in rows if row.doubt in _UNKNOWN],
        members=rows,
    )


def _member(period: Period, member: KnownMember, items: Sequence[Owed]) -> SimulatedMember:
    doubt = next((item.doubt.code for item in items if item.doubt), None)
    charged = next((item for item in items if item.lines), None)
    return SimulatedMember(
        member_id=member.member_id,
        name=member.name,
        records=[str(key) for key in member.keys],
        departement=member.departement,
        band=_band(charged),
        before=_before(period.first, member),
        after=euros(sum(item.cents for item in items)),
        doubt=doubt,
        why=" | ".join(f"{item.key}: {sentences(item.reasons)}" for item in items),
    )


def _band(charged: Owed | None) -> str:
    """The band or category by which a member is charged; empty where the price depends on neither."""
    for reason in charged.reasons if charged else ():
        if reason.code == "band":
            return f"{reason.details['from']}–{reason.details['to']}"
        if reason.code == "category":
            return reason.details["category"]
    return ""


def _before(first: date, member: KnownMember) -> Decimal:
    """What was billed for periods that begin in the twelve months before; an invoice and its term count once."""
    year = between(add_months(first, -12), date.fromordinal(first.toordinal() - 1))
    amounts: dict[tuple[object, object], Decimal] = {}
    for bill in member.bills:
        if year.first <= bill.days.first <= year.last and meets((year,), bill.days):
            amounts[bill.key, bill.days] = max(bill.amount, amounts.get((bill.key, bill.days), Decimal()))
    return sum(amounts.values(), Decimal("0.00"))


def _grouped(rows: Iterable[SimulatedMember], group: Callable[[SimulatedMember], str]) -> list[Compared]:
    groups: defaultdict[str, list[SimulatedMember]] = defaultdict(list)
    for row in rows:
        groups[group(row)].append(row)
    return [_compared(name, groups[name]) for name in sorted(groups)]


def _compared(group: str, rows: Sequence[SimulatedMember]) -> Compared:
    return Compared(
        group=group,
        members=len(rows),
        more=sum(row.after > row.before for row in rows),
        less=sum(row.after < row.before for row in rows),
        before=sum((row.before for row in rows), Decimal("0.00")),
        after=sum((row.after for row in rows), Decimal("0.00")),
    )
