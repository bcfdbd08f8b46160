from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.identity.review import Case, case_id_of, cases, gain_of, probability_of
from services.membership.matching.grouping import Decision
from services.membership.matching.levels import FIELDS, Levels
from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey

A, B, C, D = (RecordKey("north", name) for name in "abcd")
X, Y = RecordKey("south", "x"), RecordKey("south", "y")
ALL = (A, B, C, D, X, Y)
NOTHING = Levels(*(None for _ in FIELDS))


def judged(a: RecordKey, b: RecordKey, score: float, verdict: str = "review") -> Judgement:
    return Judgement(a, b, score, verdict, None, NOTHING)  # type: ignore[arg-type]


def auto(a: RecordKey, b: RecordKey, score: float = 8.0) -> Judgement:
    return judged(a, b, score, "auto")


def found(*judgements: Judgement, decisions: Iterable[Decision] = (), sirens=None, doing=None) -> list[Case]:
    return cases(dict.fromkeys(ALL) | (sirens or {}), judgements, decisions, doing or {})


def test_a_question_is_a_case_of_two_whole_members():
    (case,) = found(auto(A, B), judged(B, X, 3.0))

    assert case.kind == "pair"
    assert case.members == ((A, B), (X,))
    assert case.questions[0].records == (B, X)
    assert (case.score, case.probability) == (3.0, 0.8889)
    assert case.clusters == {"north", "south"}


def test_what_is_merged_or_far_apart_is_no_case():
    assert found(auto(A, B), judged(A, C, -9.0, "apart")) == []


@pytest.mark.parametrize(("score", "probability"), [(0, 0.5), (3, 0.8889), (-3, 0.1111), (4_000, 1), (-4_000, 0)])
def test_bits_are_odds(score, probability):
    assert probability_of(score) == probability


def test_gain_is_what_is_done_twice_and_would_be_done_once():
    assert gain_of(0.5, ()) == 0.5
    assert gain_of(0.5, ("active", "invoiced", "registered", "mailed")) == 2.5


def test_only_what_is_done_with_both_counts():
    doing = {A.own_id: {"active", "invoiced", "mailed"}, X.own_id: {"active", "mailed", "registered"}}
    (case,) = found(judged(A, X, 0.0), doing=doing)

    assert case.questions[0].twice == ("active", "mailed")
    assert case.gain == 1.5


def test_a_members_doing_is_that_of_all_its_records():
    doing = {A.own_id: {"invoiced"}, B.own_id: {"registered"}, X.own_id: {"invoiced", "registered"}}
    (case,) = found(auto(A, B), judged(B, X, 0.0), doing=doing)

    assert case.questions[0].twice == ("invoiced",), "doing is by member id, and b's own id is none any more"


def test_the_largest_gain_comes_first_and_ties_go_by_id():
    doing = {C.own_id: {"active"}, Y.own_id: {"active"}}
    order = found(judged(A, X, 5.0), judged(C, Y, 1.0), judged(B, D, 5.0), doing=doing)

    assert order[0].questions[0].records == (C, Y)
    assert [case.gain for case in order] == sorted((case.gain for case in order), reverse=True)
    tied = [case.case_id for case in order[1:]]
    assert tied == sorted(tied)


SIRENS = {A: "732829320", X: "552100554"}


def test_a_contested_group_is_one_case():
    links = auto(A, B, 9.0), auto(B, X, 9.0)
    (case,) = found(*links, judged(A, X, 1.0), sirens=SIRENS)

    assert case.kind == "contested"
    assert case.case_id == case_id_of((A, B, X))
    assert case.members == ((A,), (B,), (X,))
    assert [(contradiction.a, contradiction.b, contradiction.kind) for contradiction in case.contradictions] == [
        (A, X, "sirens-differ")
    ]
    assert case.held_back == ((A, B), (B, X))
    assert {question.records for question in case.questions} == {(A, B), (B, X), (A, X)}
    assert case.gain == round(sum(question.gain for question in case.questions), 4)
    assert case.questions[0].judgement.refused == "contradiction"


def test_what_leads_out_of_a_contested_group_is_a_case_of_its_own():
    links = auto(A, B, 9.0), auto(B, X, 9.0)
    order = found(*links, judged(A, C, 2.0), sirens=SIRENS)

    assert {case.kind: len(case.questions) for case in order} == {"contested": 2, "pair": 1}
    assert next(case for case in order if case.kind == "pair").members == ((A,), (C,))


def test_a_contested_group_that_was_sorted_out_is_no_case():
    links = auto(A, B, 9.0), auto(B, X, 9.0)
    decisions = [Decision(A, B, "confirmed", 1), Decision(A, X, "rejected", 1), Decision(B, X, "rejected", 1)]

    assert found(*links, decisions=decisions, sirens=SIRENS) == []


def test_one_rejected_pair_answers_for_two_members():
    judgements = auto(A, B), judged(A, X, 3.0), judged(B, X, 2.0)
    assert len(found(*judgements)) == 1

    assert found(*judgements, decisions=[Decision(B, X, "rejected", 1)]) == []
    assert found(*judgements, decisions=[Decision(B, X, "confirmed", 1)]) == []


def test_decisions_that_contradict_each_other_are_asked_about():
    decisions = [Decision(A, B, "confirmed", 1), Decision(B, C, "confirmed", 2), Decision(A, C, "rejected", 3)]
    (case,) = found(decisions=decisions)

    assert case.kind == "contested"
    assert case.held_back == ((A, B),)
    assert [question.records for question in case.questions] == [(A, B)]
    assert (case.score, case.probability) == (0.0, 0.5)
    sorted_out = [
        *decisions,
        Decision(A, B, "rejected", 4),
        Decision(A, C, "rejected", 4),
        Decision(B, C, "confirmed", 4),
    ]
    assert found(decisions=sorted_out) == []


def test_two_decisions_about_the_same_two_members_are_one_question():
    older = [Decision(A, C, "confirmed", 1), Decision(B, C, "confirmed", 2)]
    newer = [Decision(A, B, "confirmed", 5), Decision(A, Y, "confirmed", 6), Decision(C, Y, "rejected", 7)]
    (case,) = found(decisions=[*older, *newer])

    assert case.held_back == ((B, C), (A, C))
    assert case.members == ((A, B, Y), (C,))
    assert len(case.questions) == 1


def test_an_id_is_that_of_its_records_alone():
    (first,) = found(judged(A, X, 3.0))
    (second,) = found(auto(A, B), judged(A, X, 1.0), doing={A.own_id: {"active"}, X.own_id: {"active"}})

    assert first.case_id == second.case_id == case_id_of((X, A))
    assert case_id_of((A, X)) != case_id_of((A, Y))


pairs = [(a, b) for a in ALL for b in ALL if a < b]


reported_of = st.builds(Decision, st.just(A), st.just(B), st.sampled_from(["confirmed", "rejected"]), st.integers(1, 5))


@given(
    st.dictionaries(st.sampled_from(pairs), st.tuples(st.floats(-2, 9), st.sampled_from(["auto", "review"]))),
    st.lists(st.tuples(st.sampled_from(pairs), reported_of)),
    st.dictionaries(st.sampled_from(ALL), st.sampled_from(["732829320", "552100554"])),
    st.randoms(),
)
def test_nothing_is_asked_twice_nor_forgotten_in_any_order(scores, answer, sirens, rng):
    judgements = [judged(*pair, *score) for pair, score in scores.items()]
    decisions = [item._replace(a=a, b=b) for (a, b), item in answer]
    order = found(*judgements, decisions=decisions, sirens=sirens)
    shuffled, answer = list(judgements), list(decisions)
    rng.shuffle(shuffled)
    rng.shuffle(answer)

    assert found(*shuffled, decisions=answer, sirens=sirens) == order
    assert len({case.case_id for case in order}) == len(order)
    between = [frozenset(_members(case, question.records)) for case in order for question in case.questions]
    assert all(len(two) == 2 for two in between), "a question is about two members"
    assert len(set(between)) == len(between), "and is asked once"


def _members(case, records):
    return [next(group for group in case.members if key in group) for key in records]
