"""Groups: what follows from records, judgements and decisions."""

from services.membership.matching.contradictions import Contradiction
from services.membership.matching.grouping import Decision, Grouping, group
from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey
from tests.unit.membership.matching.judged import FIRST, TWO, linked, sirens

A, B, C, D, E = (RecordKey("north", letter) for letter in "abcde")


def unsure(a: RecordKey, b: RecordKey, score: float = 1.0) -> Judgement:
    return linked(a, b, score, "review")


NONE = sirens(a=None, b=None, c=None)


def asked(grouping: Grouping) -> list[tuple[RecordKey, RecordKey]]:
    return [(question.a, question.b) for question in grouping.questions]


def test_connected_records_are_one_member() -> None:
    grouping = group(NONE, [linked(A, B), linked(B, C)])
    assert grouping.groups == ((A, B, C),)
    assert grouping.contested == ()
    assert grouping.questions == ()


def test_a_pair_for_review_is_a_question_and_no_link() -> None:
    grouping = group(NONE, [unsure(A, B), linked(A, C, 0, "apart")])
    assert grouping.groups == ((A,), (B,), (C,))
    assert asked(grouping) == [(A, B)]


def test_two_groups_are_one_question_the_best_scored() -> None:
    grouping = group(NONE, [linked(A, B), unsure(A, C, 1), unsure(B, C, 2)])
    assert asked(grouping) == [(B, C)]


def test_what_staff_confirm_is_linked_and_what_they_reject_is_not_asked_again() -> None:
    pairs = [unsure(A, B), unsure(B, C), linked(A, C)]
    confirmed = group(NONE, pairs, [Decision(A, B, "confirmed")])
    assert confirmed.groups == ((A, B, C),)
    rejected = group(NONE, [unsure(A, B), unsure(B, C)], [Decision(A, B, "rejected")])
    assert rejected.groups == ((A,), (B,), (C,))
    assert asked(rejected) == [(B, C)]


def test_a_decision_beats_the_score_and_the_last_one_counts() -> None:
    decisions = [Decision(A, B, "confirmed", 1), Decision(A, B, "rejected", 2)]
    assert group(NONE, [linked(A, B)], decisions).groups == ((A,), (B,), (C,))
    again = [*decisions, Decision(A, B, "confirmed", 3)]
    assert group(NONE, [linked(A, B, -5, "apart")], again).groups == ((A, B), (C,))


def test_a_rejected_pair_answers_for_both_of_its_groups() -> None:
    grouping = group(NONE, [linked(A, B), unsure(A, C), unsure(B, C)], [Decision(B, C, "rejected")])
    assert grouping.groups == ((A, B), (C,))
    assert grouping.questions == ()


def test_a_rejected_pair_is_not_joined_by_a_third() -> None:
    grouping = group(NONE, [linked(A, C, 12), linked(B, C, 7)], [Decision(A, B, "rejected")])
    assert grouping.groups == ((A, C), (B,))
    (contested,) = grouping.contested
    assert contested.records == (A, B, C)
    assert contested.contradictions == (Contradiction(A, B, "rejected"),)
    assert contested.held_back == ((B, C),)


def test_two_sirens_are_not_joined_by_a_record_without_one() -> None:
    grouping = group(sirens(a=FIRST, b=TWO, c=None), [linked(A, C, 12), linked(B, C, 7)])
    assert grouping.groups == ((A, C), (B,))
    (contested,) = grouping.contested
    assert contested.contradictions == (Contradiction(A, B, "sirens-differ"),)
    (question,) = grouping.questions
    assert ((question.a, question.b), question.verdict, question.refused) == ((B, C), "review", "contradiction")


def test_a_record_that_fits_two_companies_about_equally_goes_to_neither() -> None:
    grouping = group(sirens(a=FIRST, b=TWO, c=None), [linked(A, C, 8), linked(B, C, 7)])
    assert grouping.groups == ((A,), (B,), (C,))
    assert grouping.contested[0].held_back == ((A, C), (B, C))
    assert asked(grouping) == [(A, C), (B, C)]


def test_staff_may_join_two_sirens_and_then_nothing_is_contested() -> None:
    numbers = sirens(a=FIRST, b=TWO, c=None)
    grouping = group(numbers, [unsure(A, B), linked(A, C)], [Decision(A, B, "confirmed")])
    assert grouping.groups == ((A, B, C),)
    assert grouping.contested == ()


def test_confirming_one_side_of_a_contested_group_settles_it() -> None:
    numbers = sirens(a=FIRST, b=TWO, c=None)
    pairs = [linked(A, C, 8), linked(B, C, 7)]
    grouping = group(numbers, pairs, [Decision(B, C, "confirmed"), Decision(A, C, "rejected")])
    assert grouping.groups == ((A,), (B, C))
    assert (grouping.contested, grouping.questions) == ((), ())


def test_of_confirmations_that_contradict_a_rejection_the_oldest_yields() -> None:
    decisions = [Decision(A, C, "confirmed", 1), Decision(B, C, "confirmed", 2), Decision(A, B, "rejected", 3)]
    grouping = group(NONE, [], decisions)
    assert grouping.groups == ((A,), (B, C))
    assert grouping.contested[0].held_back == ((A, C),)


def test_an_automatic_link_yields_before_a_confirmed_one() -> None:
    decisions = [Decision(A, C, "confirmed", 1), Decision(A, B, "rejected", 2)]
    grouping = group(NONE, [linked(B, C, 20)], decisions)
    assert grouping.groups == ((A, C), (B,))


def test_what_is_not_among_the_records_is_ignored() -> None:
    grouping = group(sirens(a=None), [linked(A, B)], [Decision(A, C, "confirmed"), Decision(B, C, "rejected")])
    assert grouping.groups == ((A,),)
