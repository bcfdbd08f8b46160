"""Documents are the difference between owed and issued: whatever happens to members, nobody is billed twice."""

from datetime import date
from itertools import combinations
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.billing.dues.case import Case, Key
from services.billing.dues.owed import owed
from tests.support.books import Books
from tests.support.dues import COVERS, DECISIONS, GRIDS, KEYS, RECORDS, YEAR
from tests.support.examples import examples
from tests.support.naive_dues import naively_owed


class Treasurer(RuleBasedStateMachine):
    """Runs, merges, un-merges, cover that arrives late, decisions and resignations, in any order."""

    @initialize(records=RECORDS, grid=GRIDS)
    def begin(self, records: list[Any], grid: Any) -> None:
        self.records = {record.key: record for record in records}
        self.members = [[record.key] for record in records]
        self.grid, self.books = grid, Books()
        self.covers: list[Any] = []
        self.decisions: list[Any] = []

    def case(self, keys: list[Key]) -> Case:
        return Case(
            records=tuple(self.records[key] for key in keys),
            covers=tuple(cover for cover in self.covers if cover.key in keys),
            decisions=tuple(decision for decision in self.decisions if decision.key in keys),
            grid=self.grid,
            first=YEAR,
            frozen=self.books.frozen,
        )

    @rule()
    def run(self) -> None:
        for keys in self.members:
            case = self.case(keys)
            self.books.issue(self.books.proposals(case))
            assert self.books.proposals(self.case(keys)) == [], "a second run writes nothing"
            owes = {item.key: item.cents for item in owed(self.case(keys))}
            assert {key: self.books.net(key) for key in keys} == {key: owes.get(key, 0) for key in keys}
            seen = set[date]()
            for key in keys:
                for line in self.books.lines[key]:
                    days = {date.fromordinal(n) for a, b in line.days for n in range(a, b + 1)}
                    assert not days & seen, "a day stands on two lines"
                    seen |= days

    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        pairs = list(combinations(range(len(self.members)), 2))
        if pairs:
            a, b = data.draw(st.sampled_from(pairs))
            self.members = [keys for place, keys in enumerate(self.members) if place not in (a, b)] + [
                [*self.members[a], *self.members[b]]
            ]

    @rule(data=st.data())
    def separate(self, data: st.DataObject) -> None:
        together = [place for place, keys in enumerate(self.members) if len(keys) > 1]
        if together:
            keys = self.members.pop(data.draw(st.sampled_from(together)))
            self.members += [keys[:1], keys[1:]]

    @rule(covers=COVERS)
    def hear_of_cover(self, covers: list[Any]) -> None:
        self.covers = covers

    @rule(decisions=DECISIONS)
    def decide(self, decisions: list[Any]) -> None:
        self.decisions = decisions

    @rule(key=st.sampled_from(KEYS), ended=st.sampled_from([None, YEAR, date(2027, 6, 30)]))
    def resign(self, key: Key, ended: date | None) -> None:
        if key in self.records:
            self.records[key] = self.records[key]._replace(ended=ended)

    @rule()
    def merge_and_separate_leaves_all_as_it_was(self) -> None:
        for keys in self.members:
            self.books.issue(self.books.proposals(self.case(keys)))
        before = {key: self.books.net(key) for key in self.records}
        every = [key for keys in self.members for key in keys]
        self.books.issue(self.books.proposals(self.case(every)))
        for keys in self.members:
            self.books.issue(self.books.proposals(self.case(keys)))
        assert {key: self.books.net(key) for key in self.records} == before

    @invariant()
    def a_credit_is_never_above_what_it_corrects(self) -> None:
        for lines in getattr(self, "books", Books()).lines.values():
            assert sum(line.cents for line in lines) >= 0


TestTreasurer = Treasurer.TestCase
TestTreasurer.settings = settings(max_examples=examples(100), stateful_step_count=12, deadline=None)


def test_with_no_documents_the_naive_implementation_names_what_is_billed() -> None:
    from tests.support.dues import A, B, a_case, a_record

    case = a_case(a_record(A, "12"), a_record(B, "3"))
    books = Books()
    books.issue(books.proposals(case))
    assert {key: books.net(key) for key in (A, B)} == {A: 60_000, B: 0}
    assert set(naively_owed(case)) == {A}
