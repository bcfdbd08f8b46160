"""What became of one file of an import, counted row by row."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from schemas.base import Fact
from schemas.membership import MemberRecorded
from services.membership.legacy.meanings import NOT_KNOWN, NOT_THERE
from services.membership.normalisation.data_quality import Problem
from services.membership.normalisation.normalise import understand
from shared.importing.outcomes import Accepted, Notice, Rejection

_OBJECTIONS: Final = frozenset({"refused", "withdrawn"})
EXAMPLES = 3
"""Lines that are shown for each kind of doubt."""


@dataclass(slots=True)
class Doubts:
    """Values of one kind that are kept, but were not understood, or only by a guess."""

    count: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class FileReport:
    """What became of one file. ``rows`` = ``accepted`` + ``rejected``; ``facts`` is what the accepted rows make."""

    path: Path
    product: str
    encoding: str | None
    encoding_assumed: bool
    separator: str | None
    warnings: list[str]
    rows: int = 0
    accepted: int = 0
    repeated: int = 0
    facts: Counter[str] = field(default_factory=Counter)
    objections: int = 0
    """Facts that object to being written to."""
    lacks: str = ""
    """Which objections a file of this form cannot contain, and what to import besides; for staff."""
    sums: dict[str, Decimal] = field(default_factory=dict)
    """Euros of each kind of fact that is about money: what to compare with the totals that the former system shows."""
    parts: dict[tuple[str, str], tuple[int, Decimal]] = field(default_factory=dict)
    """How many of each kind of fact are drafts, cancelled, credit notes or refunds, and their euros."""
    without_fact: int = 0
    reasons: Counter[str] = field(default_factory=Counter[str])
    """Why rows made no fact, each with how many."""
    seats: Counter[str] = field(default_factory=Counter[str])
    """How many people registered, by status."""
    rejections: list[Rejection] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    doubts: dict[tuple[str, str], Doubts] = field(default_factory=dict)
    questions: dict[tuple[str, str], Doubts] = field(default_factory=dict)
    """Words for a member's status that nobody has given a meaning, by column and word; no word: no such column."""

    @property
    def rejected(self) -> int:
        """Rows that were set aside; one with several faults counts once."""
        return len({fault.line for fault in self.rejections})


def count_accepted(report: FileReport, outcome: Accepted[Any]) -> None:
    """Add the rows of an accepted fact, its euros and what is doubtful in it."""
    fact = outcome.fact
    report.rows += len(outcome.lines)
    report.accepted += len(outcome.lines)
    for notice in outcome.notices:
        _notice(report, notice)
    report.facts[type(fact).__name__] += 1
    if (money := _money(fact)) is not None:
        _add_up(report, fact, money)
    if isinstance(fact, MemberRecorded):
        _doubt(report, outcome.lines[0], understand(fact).problems)
    if (seats := getattr(fact, "seats", None)) is not None:
        report.seats[getattr(fact, "status", "")] += seats
    report.objections += getattr(fact, "status", "") in _OBJECTIONS


def _add_up(report: FileReport, fact: Fact, money: Decimal) -> None:
    kind = type(fact).__name__
    report.sums[kind] = report.sums.get(kind, Decimal()) + money
    status, document = getattr(fact, "status", ""), getattr(fact, "kind", "")
    part = status if status in ("draft", "cancelled") else document if document == "credit-note" else ""
    part = part or ("refund" if money < 0 else "")
    if part:
        count, amount = report.parts.get((kind, part), (0, Decimal()))
        report.parts[kind, part] = count + 1, amount + money


def _money(fact: Fact) -> Decimal | None:
    """Of an invoice its gross amount, below zero for a credit note, however it is written; of a payment what came."""
    gross, amount = getattr(fact, "gross", None), getattr(fact, "amount", None)
    if isinstance(gross, Decimal):
        return -abs(gross) if getattr(fact, "kind", "") == "credit-note" else gross
    return amount if isinstance(amount, Decimal) else None


def _notice(report: FileReport, notice: Notice) -> None:
    if notice.reason not in (NOT_KNOWN, NOT_THERE):
        report.notices.append(notice)
        return
    _count(report.questions.setdefault((notice.field, notice.value), Doubts()), notice.line, notice.value)


def _count(doubts: Doubts, line: int, written: str) -> None:
    doubts.count += 1
    if len(doubts.examples) < EXAMPLES:
        doubts.examples.append((line, written))


def _doubt(report: FileReport, line: int, problems: Iterable[Problem]) -> None:
    for problem in problems:
        _count(report.doubts.setdefault((problem.field, problem.code), Doubts()), line, problem.written)
