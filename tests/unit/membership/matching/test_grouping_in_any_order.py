"""Groups are the same in whatever order their parts come, and those that the plain way finds."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.membership.matching import grouping
from services.membership.matching.contradictions import SHOWN, Contradiction, Pair
from services.membership.matching.disjoint_sets import Union
from services.membership.matching.grouping import MARGIN, Contested, Decision, group
from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey
from tests.support.examples import examples
from tests.unit.membership.matching.builders import NOTHING
from tests.unit.membership.matching.judged import FIRST, TWO, linked

_KEYS = [RecordKey("north" if at % 2 else "south", str(at)) for at in range(9)]
_PAIRS = [(min(pair), max(pair)) for pair in combinations(_KEYS, 2)]
_JUDGEMENTS = st.dictionaries(
    st.sampled_from(_PAIRS),
    st.tuples(st.sampled_from([-3.0, 1.0, 5.0, 6.0, 9.0, 12.0]), st.sampled_from(["auto", "auto", "review", "apart"])),
    max_size=20,
)
_DECISIONS = st.lists(
    st.tuples(st.sampled_from(_PAIRS), st.sampled_from(["confirmed", "rejected"]), st.integers(0, 3)), max_size=6
)
_SIRENS = st.lists(st.sampled_from([None, None, FIRST, TWO]), min_size=len(_KEYS), max_size=len(_KEYS))


@settings(max_examples=examples(300), deadline=None)
@given(numbers=_SIRENS, judged=_JUDGEMENTS, decided=_DECISIONS, rng=st.randoms(use_true_random=False))
def test_no_order_shows_and_no_group_contradicts_itself(numbers, judged, decided, rng) -> None:  # type: ignore[no-untyped-def]
    holders = list(zip(_KEYS, numbers, strict=True))
    judgements = [Judgement(a, b, score, verdict, None, NOTHING) for (a, b), (score, verdict) in judged.items()]
    decisions = [Decision(a, b, kind, order) for (a, b), kind, order in decided]
    grouping = group(dict(holders), judgements, decisions)
    for shuffled in (holders, judgements, decisions):
        rng.shuffle(shuffled)
    assert group(dict(holders), judgements, decisions) == grouping

    assert sorted(key for keys in grouping.groups for key in keys) == sorted(_KEYS)
    last = {
        (decision.a, decision.b): decision.kind
        for decision in sorted(decisions, key=lambda decision: (decision.order, decision))
    }
    together = {pair for keys in grouping.groups for pair in combinations(keys, 2)}
    assert not any(last.get(pair) == "rejected" for pair in together)
    if "confirmed" not in last.values():
        number = dict(holders)
        assert all(len({number[key] for key in keys} - {None}) <= 1 for keys in grouping.groups)
    of = {key: at for at, keys in enumerate(grouping.groups) for key in keys}
    assert all(of[question.a] != of[question.b] for question in grouping.questions)
    assert len({frozenset((of[question.a], of[question.b])) for question in grouping.questions}) == len(
        grouping.questions
    )


@settings(max_examples=examples(100), deadline=None)
@given(numbers=_SIRENS, judged=_JUDGEMENTS, decided=_DECISIONS)
def test_taking_a_decision_back_leaves_no_trace(numbers, judged, decided) -> None:  # type: ignore[no-untyped-def]
    holders = dict(zip(_KEYS, numbers, strict=True))
    judgements = [Judgement(a, b, score, verdict, None, NOTHING) for (a, b), (score, verdict) in judged.items()]
    before = group(holders, judgements)
    group(holders, judgements, [Decision(a, b, kind, order) for (a, b), kind, order in decided])
    assert group(holders, judgements, []) == before


_SCORES = st.sampled_from([5.0, 6.0, 7.0, 9.0, 12.0]) | st.floats(0, 20) | st.just(9.0)


@settings(max_examples=examples(600), deadline=None)
@given(st.data())
def test_the_groups_are_those_that_the_plain_way_finds(data: st.DataObject) -> None:
    keys = sorted(RecordKey("north" if at % 2 else "south", str(at)) for at in range(data.draw(st.integers(2, 12))))
    pairs = list(combinations(keys, 2))
    numbers = {key: data.draw(st.sampled_from([None, FIRST, TWO, "443061841"])) for key in keys}
    judged = data.draw(st.dictionaries(st.sampled_from(pairs), _SCORES, max_size=len(pairs)))
    kinds: st.SearchStrategy[Literal["confirmed", "rejected"]] = st.sampled_from(("confirmed", "rejected"))
    strategy = st.tuples(st.sampled_from(pairs), kinds, st.integers(0, 3))
    decisions = [Decision(*pair, kind, order) for pair, kind, order in data.draw(st.lists(strategy, max_size=12))]
    judgements = [linked(*pair, score) for pair, score in judged.items()]
    grouping, (groups, contested) = group(numbers, judgements, decisions), _plainly(numbers, judgements, decisions)
    assert (grouping.groups, grouping.contested) == (groups, contested)


def test_of_many_pairs_whose_sirens_differ_the_first_are_shown_and_all_that_staff_rejected() -> None:
    ours, theirs = ([RecordKey(cluster, f"{at:02}") for at in range(20)] for cluster in ("north", "south"))
    numbers = dict.fromkeys(ours, FIRST) | dict.fromkeys(theirs, TWO)
    chains = [linked(*pair, 20.0) for records in (ours, theirs) for pair in pairwise(records)]
    rejected = Decision(ours[-1], theirs[-1], "rejected")
    (contested,) = group(numbers, [*chains, linked(ours[0], theirs[0])], [rejected]).contested
    assert contested.held_back == ((ours[0], theirs[0]),)
    *first, last = contested.contradictions
    assert [(contradiction.a, contradiction.b) for contradiction in first] == [(a, b) for a in ours for b in theirs][
        :SHOWN
    ]
    assert last == Contradiction(ours[-1], theirs[-1], "rejected")


def _plainly(
    numbers: Mapping[RecordKey, str | None], judgements: Sequence[Judgement], decisions: Sequence[Decision]
) -> tuple[tuple[tuple[RecordKey, ...], ...], tuple[Contested, ...]]:
    """Every contradiction is written down, and the forest grown anew after each link that is held back."""
    decided = {
        (decision.a, decision.b): decision
        for decision in sorted(decisions, key=lambda decision: (decision.order, decision))
    }
    links = grouping._links(numbers, {(judgement.a, judgement.b): judgement for judgement in judgements}, decided)
    rejected = {pair for pair, decision in decided.items() if decision.kind == "rejected"}
    groups: list[tuple[RecordKey, ...]] = []
    contested: list[Contested] = []
    for records, own, _ in grouping._components(numbers, links, ()):
        inside = {pair for pair in rejected if set(records).issuperset(pair)}
        contradictions = _contradictions(records, numbers, inside, own)
        parts, held_back = _divide(records, own, contradictions)
        groups += parts
        if held_back:
            contested.append(Contested(records, tuple(contradictions), tuple(held_back)))
    return tuple(sorted(groups)), tuple(sorted(contested, key=lambda item: item.records))


def _contradictions(
    records: Sequence[RecordKey],
    sirens: Mapping[RecordKey, str | None],
    rejected: Collection[Pair],
    links: Sequence[grouping._Link],
) -> list[Contradiction]:
    contradictions = [Contradiction(*pair, "rejected") for pair in rejected]
    numbers = {number for key in records if (number := sirens[key])}
    if len(numbers) > 1:
        # What staff joined by their own links, knowing both numbers, is no contradiction any more.
        joined = Union[RecordKey]()
        for link in links:
            if link.confirmed:
                joined.join(link.a, link.b)
        holders = [key for key in records if sirens[key]]
        contradictions += [
            Contradiction(a, b, "sirens-differ")
            for a, b in combinations(holders, 2)
            if sirens[a] != sirens[b] and joined.root(a) != joined.root(b)
        ]
    return sorted(contradictions)


def _divide(
    records: Sequence[RecordKey], links: Sequence[grouping._Link], contradictions: Sequence[Contradiction]
) -> tuple[list[tuple[RecordKey, ...]], list[Pair]]:
    """Hold back the weakest links between records that contradict each other, until no group contradicts itself.

    Along the firmest path between the two, every link that is not clearly firmer than the weakest goes. A confirmed
    link goes only when nothing else would part a rejected pair, and then the oldest.
    """
    held_back: set[grouping._Link] = set()
    while True:
        tree = _firmest_tree([link for link in links if link not in held_back])
        path = next(
            (path for contradiction in contradictions if (path := _path(tree, contradiction.a, contradiction.b))), None
        )
        if path is None:
            break
        weakest = max(path)
        held_back |= {link for link in path if not link.confirmed and link.score <= weakest.score + MARGIN} or {weakest}
    union = Union[RecordKey]()
    for link in links:
        if link not in held_back:
            union.join(link.a, link.b)
    parts: defaultdict[RecordKey, list[RecordKey]] = defaultdict(list)
    for key in records:
        parts[union.root(key)].append(key)
    apart = [(link.a, link.b) for link in sorted(held_back) if union.root(link.a) != union.root(link.b)]
    return [tuple(part) for part in parts.values()], apart


def _firmest_tree(links: Sequence[grouping._Link]) -> dict[RecordKey, list[tuple[RecordKey, grouping._Link]]]:
    """A maximal spanning forest (Kruskal); ``links`` come firmest first."""
    union = Union[RecordKey]()
    tree: defaultdict[RecordKey, list[tuple[RecordKey, grouping._Link]]] = defaultdict(list)
    for link in links:
        if union.join(link.a, link.b):
            tree[link.a].append((link.b, link))
            tree[link.b].append((link.a, link))
    return tree


def _path(
    tree: Mapping[RecordKey, Sequence[tuple[RecordKey, grouping._Link]]], start: RecordKey, end: RecordKey
) -> list[grouping._Link]:
    """The links between two records of a forest; none if they are apart."""
    came: dict[RecordKey, tuple[RecordKey, grouping._Link] | None] = {start: None}
    waiting = [start]
    while waiting and end not in came:
        key = waiting.pop()
        for theirs, link in tree.get(key, ()):
            if theirs not in came:
                came[theirs] = (key, link)
                waiting.append(theirs)
    path: list[grouping._Link] = []
    step = came.get(end)
    while step is not None:
        path.append(step[1])
        step = came[step[0]]
    return path
