"""The difference between what is owed and what documents say: invoices and credit notes, or nothing. Pure."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from services.billing.dues.days import Days, days_of, without
from services.billing.dues.owed import Owed, OwedLine
from services.billing.dues.reasons import Reason
from services.billing.fees.pricing import Price
from services.billing.money import part_of


class IssuedLine(NamedTuple):
    """What stands of one line of an invoice, after its credit notes. ``place`` is its own in the document.

    ``due`` names the record and the period that it bills.
    """

    document_id: str
    place: int
    code: str
    cents: int
    units: tuple[int, ...]
    days: Days


class ProposedLine(NamedTuple):
    """A line of a document to come. ``corrects``: the document that a credit corrects, and the line's place there."""

    code: str
    cents: int
    units: tuple[int, ...] = ()
    days: Days = ()
    corrects: tuple[str, int] | None = None


class Proposal(NamedTuple):
    """A document to come for one due. ``corrects`` is the invoice that a credit note corrects."""

    kind: Literal["invoice", "credit-note"]
    owed: Owed
    lines: tuple[ProposedLine, ...]
    corrects: str | None = None

    @property
    def cents(self) -> int:
        """All lines together."""
        return sum(line.cents for line in self.lines)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why."""
        return self.owed.reasons


def differences(owed: Owed, issued: Sequence[IssuedLine], units: int) -> list[Proposal]:
    """What must be issued so that documents say what is owed. ``units`` is how many the period has.

    What is no longer owed is credited on the invoices that billed it, the newest first, and never more than they say.
    """
    if not issued:
        invoice = _invoice(owed, [ProposedLine(line.code, line.cents, line.units) for line in owed.lines], owed.days)
        return [invoice] if invoice.cents > 0 else []
    codes = sorted({line.code for line in (*owed.lines, *issued)})
    more: list[ProposedLine] = []
    less: list[ProposedLine] = []
    for code in codes:
        line = next((line for line in owed.lines if line.code == code), OwedLine(code, 0))
        added, credited = _of_one_code(line, [item for item in issued if item.code == code], owed.price, units)
        more += added
        less += credited
    billed = days_of(span for item in issued for span in item.days)
    freed = without(billed, owed.days)
    proposals = [_credit(owed, document, list(lines), freed, issued) for document, lines in _by_document(less)]
    if more:
        proposals.append(_invoice(owed, more, without(owed.days, billed)))
    return proposals


def _of_one_code(
    line: OwedLine, issued: Sequence[IssuedLine], price: Price | None, units: int
) -> tuple[list[ProposedLine], list[ProposedLine]]:
    """What is added and what is credited. Both only where some units are new and others are gone."""
    before = {unit for item in issued for unit in item.units}
    new, gone = set(line.units) - before, before - set(line.units)
    stands = sum(item.cents for item in issued)
    kept = min(stands, line.cents)
    if new and gone:
        full = next((item.cents for item in price.lines if item.code == line.code), 0) if price else 0
        kept = min(kept, sum(part_of(full, unit, units) for unit in before & set(line.units)))
    added = [ProposedLine(line.code, line.cents - kept, tuple(sorted(new)))] if line.cents > kept else []
    return added, _taken(stands - kept, gone, issued)


def _taken(cents: int, gone: set[int], issued: Sequence[IssuedLine]) -> list[ProposedLine]:
    """Credit lines over the lines that billed it, the newest first, those with the units that go before the others."""
    result: list[ProposedLine] = []
    newest_first = list(reversed(issued))
    for item in sorted(newest_first, key=lambda item: gone.isdisjoint(item.units)):
        part = min(cents, item.cents)
        if part > 0:
            units = tuple(sorted(gone & set(item.units)))
            result.append(ProposedLine(item.code, part, units, (), (item.document_id, item.place)))
            cents -= part
    return result


def _by_document(lines: Iterable[ProposedLine]) -> Iterable[tuple[str, list[ProposedLine]]]:
    grouped: dict[str, list[ProposedLine]] = {}
    for line in lines:
        assert line.corrects is not None, "a credit line names what it corrects"
        grouped.setdefault(line.corrects[0], []).append(line)
    return grouped.items()


def _invoice(owed: Owed, lines: Sequence[ProposedLine], days: Days) -> Proposal:
    """The days go with the first line that bills units."""
    first = next((place for place, line in enumerate(lines) if line.units), 0)
    with_days = [line._replace(days=days) if place == first else line for place, line in enumerate(lines)]
    return Proposal("invoice", owed, tuple(with_days))


def _credit(
    owed: Owed, document: str, lines: list[ProposedLine], freed: Days, issued: Sequence[IssuedLine]
) -> Proposal:
    """A credit note on one invoice; it frees the days of that invoice that are no longer owed."""
    of_document = days_of(span for item in issued if item.document_id == document for span in item.days)
    lines[0] = lines[0]._replace(days=without(freed, without(freed, of_document)))
    return Proposal("credit-note", owed, tuple(lines), document)
