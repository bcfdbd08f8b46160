"""Where a conflict stands, after what membership told and what staff decided, in whatever order."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from schemas.membership import Overlap
from services.conflicts.domain import Conflict, WrongState
from tests.support.merging import a_conflict, envelope, gathering, year

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(days=3)


def raised(*overlaps: Overlap, version: int = 1) -> Conflict:
    return Conflict.raised(envelope(a_conflict(version, *overlaps)), "tresorerie", AT)


def after(conflict: Conflict, version: int, *overlaps: Overlap) -> Conflict:
    return conflict.heard(envelope(a_conflict(version, *overlaps)), LATER)


def steps(conflict: Conflict) -> list[str]:
    return [step["what"] for step in conflict.history]


def test_a_new_conflict_is_open_and_has_the_default_owner() -> None:
    conflict = raised(year(2026))
    assert (conflict.state, conflict.owner, conflict.answers, steps(conflict)) == ("open", "tresorerie", 1, ["raised"])


def test_one_that_the_unmerge_ended_is_gone_and_opens_again_with_its_owner() -> None:
    conflict = after(raised(year(2026)).assigned("Loire", "Zoé", AT), 2)
    assert (conflict.state, conflict.owner) == ("gone", "Loire")
    again = after(conflict, 3, year(2026))
    assert (again.state, again.owner) == ("open", "Loire")
    assert steps(again) == ["raised", "assigned", "gone", "opened again"]


def test_a_settled_one_stays_settled_when_the_same_comes_back() -> None:
    settled = raised(year(2026)).settled("refunded", "Zoé", AT)
    conflict = after(settled, 2)
    assert conflict.state == "gone"
    assert after(conflict, 3, year(2026)).state == "settled"


@pytest.mark.parametrize(
    "now",
    [(year(2026), year(2027)), (year(2026, invoice="F2"),), (year(2027),)],
    ids=["another year too", "another invoice", "another year"],
)
def test_a_settled_one_opens_again_when_something_else_is_there_twice(now: tuple[Overlap, ...]) -> None:
    settled = raised(year(2026)).settled("refunded", "Zoé", AT)
    changed = after(settled, 2, *now)
    assert (changed.state, steps(changed)[-1]) == ("open", "opened again")
    assert after(changed, 3, year(2026)).state == "settled", "what was settled is settled still"


def test_what_goes_away_of_a_settled_one_opens_nothing() -> None:
    settled = raised(year(2026), year(2027)).settled("2027 is refunded", "Zoé", AT)
    assert after(settled, 2, year(2026)).state == "settled"


def test_a_new_title_of_the_gathering_is_no_new_conflict() -> None:
    settled = raised(gathering("Apéro")).settled("one seat was given back", "Zoé", AT)
    assert after(settled, 2, gathering("Apéro des adhérents")).state == "settled"
    assert after(settled, 2, gathering("Apéro", registration="R2")).state == "open"


def test_items_and_years_in_another_order_are_the_same() -> None:
    settled = raised(year(2026), year(2027)).settled("agreed", "Zoé", AT)
    mirrored = [overlap.model_copy(update={"items": overlap.items[::-1]}) for overlap in (year(2027), year(2026))]
    assert after(settled, 2, *mirrored).state == "settled"


def test_news_that_change_neither_owner_nor_state_are_kept_and_not_answered() -> None:
    more = after(raised(year(2026)), 2, year(2026), year(2027))
    assert (len(more.held_twice), more.answers, steps(more)) == (2, 1, ["raised"])


def test_every_order_of_what_is_told_ends_in_the_same_place() -> None:
    envelopes = [envelope(fact) for fact in (a_conflict(1, year(2026)), a_conflict(2), a_conflict(3, year(2027)))]
    ends = set[tuple[object, ...]]()
    for order in permutations([*envelopes, *envelopes]):
        conflict = Conflict.raised(order[0], "tresorerie", AT)
        for message in order[1:]:
            conflict = conflict.heard(message, LATER)
        ends.add((conflict.version, conflict.digest, str(conflict.held_twice), conflict.owner, conflict.state))
    assert len(ends) == 1


def test_one_whose_end_is_heard_first_is_gone() -> None:
    conflict = raised(version=2)
    assert (conflict.state, conflict.answers) == ("gone", 1)
    assert after(conflict, 1, year(2026)) == conflict


def test_giving_it_to_who_has_it_says_nothing() -> None:
    conflict = raised(year(2026))
    assert conflict.assigned("tresorerie", "Zoé", LATER) is conflict
    given = conflict.assigned("Loire", "Zoé", LATER)
    assert (given.owner, given.assigned_by, given.answers, given.changed_at) == ("Loire", "Zoé", 2, LATER)


def test_a_settlement_can_be_taken_back() -> None:
    reopened = raised(year(2026)).settled("refunded", "Zoé", AT).reopened("it bounced", "Max", LATER)
    assert (reopened.state, reopened.settled_at, reopened.settled_reason) == ("open", None, None)
    assert reopened.history[-1] == {"at": LATER, "what": "reopened", "by": "Max", "reason": "it bounced"}
    assert after(after(reopened, 2), 3, year(2026)).state == "open"


def test_a_decision_that_does_not_fit_is_refused_with_where_it_stands() -> None:
    conflict = raised(year(2026))
    with pytest.raises(WrongState, match="it is open"):
        conflict.reopened(None, "Zoé", LATER)
    with pytest.raises(WrongState, match="settled by Zoé on 2026-11-23: refunded"):
        conflict.settled("refunded", "Zoé", AT).settled("again", "Max", LATER)
    for decide in (
        lambda removed: removed.settled("r", "Zoé", LATER),
        lambda removed: removed.reopened(None, "Zoé", LATER),
    ):
        with pytest.raises(WrongState, match="gone"):
            decide(after(conflict, 2))
