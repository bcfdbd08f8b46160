"""Documents in memory: proposals become lines that stand, as the database keeps them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import count

from services.billing.dues.case import Case, Key
from services.billing.dues.days import Days, days_of, without
from services.billing.dues.differences import IssuedLine, Proposal, ProposedLine, differences
from services.billing.dues.owed import MONTHS, Owed, owed, period_of
from services.billing.fees.pricing import Price


@dataclass
class Books:
    """What was issued, by the record that each document is made out to; one period."""

    lines: dict[Key, list[IssuedLine]] = field(default_factory=lambda: defaultdict(list))
    frozen: dict[Key, Price] = field(default_factory=dict[Key, Price])
    documents: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])
    """Id, kind, cents."""
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def with_frozen(self, case: Case) -> Case:
        return replace(case, frozen=self.frozen)

    def proposals(self, case: Case) -> list[Proposal]:
        """What this member's case asks for, against what stands."""
        units = 12 // MONTHS[case.grid.prorata]
        items = {item.key: item for item in owed(self.with_frozen(case))}
        known = {record.key for record in case.records}
        return [
            proposal
            for key in sorted(known)
            if (item := items.get(key) or nothing_owed(case, key))
            for proposal in differences(item, self.lines[key], units)
        ]

    def issue(self, proposals: Iterable[Proposal]) -> None:
        for proposal in proposals:
            self._issue(proposal)

    def _issue(self, proposal: Proposal) -> None:
        number, key = f"{proposal.kind}-{next(self.numbers)}", proposal.owed.key
        assert proposal.cents > 0, "a document is about money"
        self.documents.append((number, proposal.kind, proposal.cents))
        if proposal.kind == "invoice":
            assert proposal.owed.price is not None
            self.frozen.setdefault(key, proposal.owed.price)
            self.lines[key] += [
                IssuedLine(number, place, line.code, line.cents, line.units, line.days)
                for place, line in enumerate(proposal.lines)
            ]
            return
        credited = days_of(span for line in proposal.lines for span in line.days)
        taken = {line.corrects: line for line in proposal.lines}
        self.lines[key] = [self._less(item, taken.get((item.document_id, item.place)), credited, proposal.corrects)
                           for item in self.lines[key]]  # fmt: skip

    @staticmethod
    def _less(item: IssuedLine, line: ProposedLine | None, credited: Days, document: str | None) -> IssuedLine:
        if item.document_id == document:
            item = item._replace(days=without(item.days, credited))
        if line is None:
            return item
        left = item.cents - line.cents
        assert 0 <= left <= item.cents, "a credit is never above what it corrects"
        units = tuple(unit for unit in item.units if unit not in line.units)
        return item._replace(cents=left, units=units)

    def net(self, key: Key) -> int:
        return sum(line.cents for line in self.lines[key])


def nothing_owed(case: Case, key: Key) -> Owed:
    return Owed(key, period_of(case), (), (), ())
