"""Rehearsal of a grid: what we would have billed for a period, member by member, and what former systems billed. Pure.

What former systems billed for days that begin in the period is set aside, and dues are worked out as in a real run.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Final, get_args

from schemas.billing_operations import ComparedMember, GridComparison, GridDifference, ReasonTotal
from services.billing.dues.case import Key
from services.billing.dues.days import Range, days_of, year_from
from services.billing.dues.owed import Owed, owed
from services.billing.dues.reasons import Language, sentences
from services.billing.members.member import FormerBill, KnownMember
from services.billing.money import euros
from services.billing.usecases.cases import Period

SENTENCES: Final[Mapping[GridDifference, tuple[str, str]]] = MappingProxyType(
    {
        "same": ("le même montant", "the same amount"),
        "price-unknown": (
            "l'effectif ou la catégorie manque : demandez-les au membre",
            "headcount or category is missing: ask the member",
        ),
        "billed-twice": (
            "facturé pour les mêmes jours sous plusieurs fiches du membre",
            "billed for the same days under several records of the member",
        ),
        "not-billed-there": ("rien n'a été facturé pour la période", "nothing was billed for the period"),
        "exempt": ("exonéré, et pourtant facturé", "exempt, and billed all the same"),
        "no-member": (
            "facturé alors qu'aucune fiche n'est membre pendant la période",
            "billed though no record is a member within the period",
        ),
        "covered": (
            "facturé pour des jours qu'une facture antérieure couvre",
            "billed for days that an earlier bill covers",
        ),
        "other-days": (
            "facturé pour d'autres jours que ceux que la grille compte",
            "billed for other days than the grid counts",
        ),
        "other-price": ("la grille demande un autre prix", "the grid asks another price"),
    }
)
"""Why the two amounts differ: a closed list, of which the first that holds is named."""
assert set(SENTENCES) == set(get_args(GridDifference))


def compared(period: Period, language: Language = "fr") -> GridComparison:
    """Every member for which either side has an amount, those that differ most first."""
    rows = [_member(period, member, language) for member in period.members]
    rows = sorted((row for row in rows if row.theirs or row.ours), key=_by_difference)
    return GridComparison(
        grid_id=period.grid_id,
        first=period.first,
        theirs=sum((row.theirs for row in rows), Decimal("0.00")),
        ours=sum((row.ours for row in rows), Decimal("0.00")),
        reasons=_totals(rows),
        members=rows,
    )


def _by_difference(row: ComparedMember) -> tuple[Decimal, str]:
    return -abs(row.ours - row.theirs), row.member_id


def _member(period: Period, member: KnownMember, language: Language) -> ComparedMember:
    year = year_from(period.first)
    theirs = [bill for bill in _each_once(member.bills) if year.first <= bill.days.first <= year.last]
    before = [bill for bill in member.bills if not year.first <= bill.days.first <= year.last]
    items = owed(period.case(replace(member, bills=before)))
    amounts = sum((bill.amount for bill in theirs), Decimal("0.00")), euros(sum(item.cents for item in items))
    reason = _reason(year, theirs, items, *amounts)
    french, english = SENTENCES[reason]
    return ComparedMember(
        member_id=member.member_id,
        name=member.name,
        records=[str(key) for key in member.keys],
        theirs=amounts[0],
        ours=amounts[1],
        reason=reason,
        sentence=french if language == "fr" else english,
        sources=[bill.source for bill in theirs],
        why=" | ".join(f"{item.key}: {sentences(item.reasons, language)}" for item in items),
    )


def _each_once(bills: Sequence[FormerBill]) -> list[FormerBill]:
    """An invoice and the term of membership that it pays are one bill: of the same record and days the larger."""
    by_days: dict[tuple[object, Range], FormerBill] = {}
    for bill in sorted(bills, key=lambda bill: (bill.days, bill.key, -bill.amount, bill.source)):
        by_days.setdefault((bill.key, bill.days), bill)
    return list(by_days.values())


def _reason(
    year: Range, theirs: Sequence[FormerBill], items: Sequence[Owed], billed: Decimal, due: Decimal
) -> GridDifference:
    if billed == due:
        return "same"
    codes = {reason.code for item in items for reason in item.reasons}
    if any(item.doubt for item in items):
        return "price-unknown"
    if _overlap(theirs):
        return "billed-twice"
    if not theirs:
        return "not-billed-there"
    if not due:
        return "exempt" if "exempt" in codes else "covered" if "covered" in codes else "no-member"
    if days_of(bill.days for bill in theirs) != days_of(span for item in items for span in item.days):
        return "covered" if "covered" in codes else "other-days"
    return "other-price"


def _overlap(bills: Sequence[FormerBill]) -> bool:
    """Whether two records were billed for the same days; two bills of one record may be for two things."""
    ends: dict[Key, int] = {}
    for bill in sorted(bills, key=lambda bill: bill.days):
        if any(key != bill.key and end >= bill.days.first for key, end in ends.items()):
            return True
        ends[bill.key] = max(ends.get(bill.key, bill.days.last), bill.days.last)
    return False


def _totals(rows: Sequence[ComparedMember]) -> list[ReasonTotal]:
    count = Counter(row.reason for row in rows)
    differences: defaultdict[GridDifference, Decimal] = defaultdict(lambda: Decimal("0.00"))
    for row in rows:
        differences[row.reason] += row.ours - row.theirs
    return [
        ReasonTotal(reason=reason, members=count[reason], difference=differences[reason])
        for reason in SENTENCES
        if count[reason]
    ]
