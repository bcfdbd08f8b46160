"""Control totals: what the clerk reads in the former system, against what the files come to.

A difference is named with all that may explain it: rows that were set aside, that make no fact or say a thing again,
drafts and cancelled invoices, credit notes, refunds.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from services.cli.importing.file_report import FileReport
from shared.importing import values
from shared.importing.languages import in_both
from shared.importing.outcomes import UnreadableError

_MONEY: Final = ("InvoiceRecorded", "PaymentRecorded")
_PARTS: Final = {
    "draft": ("brouillons", "drafts"),
    "cancelled": ("factures annulées", "cancelled invoices"),
    "credit-note": ("avoirs", "credit notes"),
    "refund": ("remboursements", "refunds"),
}


class Expected(NamedTuple):
    """A total in euros, or a count, of one kind of fact; without kind it is of invoices, else of payments, else all."""

    kind: str
    total: Decimal | None = None
    number: int | None = None


def expected(totals: Iterable[str], counts: Iterable[str]) -> list[Expected]:
    """What the options say: ``12345.60`` or ``payment=12345.60``. Raises UnreadableError."""
    return [*(_total(written) for written in totals), *(_count(written) for written in counts)]


def _total(written: str) -> Expected:
    kind, _, amount = written.rpartition("=")
    try:
        total = values.amount(amount)
    except ValueError as error:
        raise UnreadableError(f'--expect-total "{written}": {error}') from None
    if total is None or (kind and _name(kind) not in _MONEY):
        raise UnreadableError(f'--expect-total "{written}": write 12345.60, invoice=12345.60 or payment=12345.60')
    return Expected(_name(kind), total=total)


def _count(written: str) -> Expected:
    kind, _, number = written.rpartition("=")
    if not number.strip().isdecimal():
        raise UnreadableError(f'--expect-count "{written}": write 312, or invoice=312')
    return Expected(_name(kind), number=int(number))


def _name(kind: str) -> str:
    return f"{kind.strip().capitalize()}Recorded" if kind.strip() else ""


def differences(wanted: Sequence[Expected], reports: Sequence[FileReport]) -> list[str]:
    """A sentence for each total or count that the files do not come to, in French and in English."""
    facts = sum((report.facts for report in reports), Counter[str]())
    return [sentence for each in wanted if (sentence := _difference(each, facts, reports))]


def _difference(each: Expected, facts: Counter[str], reports: Sequence[FileReport]) -> str:
    kind = each.kind or next((name for name in _MONEY if facts[name]), "")
    if each.total is not None:
        total = sum((report.sums.get(kind, Decimal()) for report in reports), Decimal())
        return "" if total == each.total else _sentence(kind, _euros(total), _euros(each.total), reports, each, total)
    count = facts[kind] if kind else facts.total()
    return "" if count == each.number else _sentence(kind, str(count), str(each.number), reports, each, None)


def _sentence(
    kind: str, ours: str, theirs: str, reports: Sequence[FileReport], each: Expected, total: Decimal | None
) -> str:
    gap = None if total is None or each.total is None else abs(total - each.total)
    hints = _hints(kind, reports, gap)
    what = kind.removesuffix("Recorded").lower() or "fact"
    french = f"total de contrôle ({what}) : les fichiers donnent {ours}, et {theirs} étaient attendus"
    english = f"control total ({what}): the files come to {ours}, and {theirs} was expected"
    if gap is not None:
        french, english = f"{french} (écart {_euros(gap)})", f"{english} (a difference of {_euros(gap)})"
    seen = [" ; voyez ", "; look at "] if hints else ["", ""]
    return in_both(
        french + seen[0] + ", ".join(hint[0] for hint in hints),
        english + seen[1] + ", ".join(hint[1] for hint in hints),
    )


def _hints(kind: str, reports: Sequence[FileReport], gap: Decimal | None) -> list[tuple[str, str]]:
    """What may explain it, what comes to just the difference first."""
    hints: list[tuple[bool, str, str]] = []
    for part, (french, english) in _PARTS.items():
        counts = [pair for report in reports if (pair := report.parts.get((kind, part)))]
        number, amount = sum(count for count, _ in counts), sum((money for _, money in counts), Decimal())
        if number:
            exact = gap is not None and abs(amount) == gap
            just = (" (exactement l'écart)", " (just the difference)") if exact else ("", "")
            hints.append((not exact, f"{number} {french}, {_euros(amount)}{just[0]}", f"{number} {english}{just[1]}"))
    for number, french, english in (
        (sum(report.rejected for report in reports), "lignes écartées", "rows that were set aside"),
        (sum(report.without_fact for report in reports), "lignes sans objet", "rows that make no fact"),
        (sum(report.repeated for report in reports), "lignes répétées", "rows that say a thing again"),
    ):
        if number:
            hints.append((True, f"{number} {french}", f"{number} {english}"))
    return [(french, english) for _, french, english in sorted(hints, key=lambda hint: hint[0])]


def _euros(amount: Decimal) -> str:
    return f"{amount:.2f} €"
