"""Which records are one member: a pure function of records, judgements and decisions.

Links are the pairs that staff confirmed and those that are merged automatically. A member is a connected group of
them, unless its inside contradicts itself: two valid SIRENs that differ, or a pair that staff rejected. Then the
weakest links between the two that contradict each other are held back, and what they would join goes to review as a
group. Everything is sorted before it is looked at, so no order of arrival can show.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from services.membership.matching.contradictions import Contradiction, Contradictions, Pair
from services.membership.matching.disjoint_sets import Union
from services.membership.matching.score import Judgement
from services.membership.matching.spanning_forest import SpanningForest
from services.membership.records.record import RecordKey

MARGIN: Final = 2.0
"""Bits. A record between two companies goes to neither when it fits them about equally well."""


class Decision(NamedTuple):
    """What staff said last about two records, ``a`` before ``b``. ``order`` grows with time; ties go by the keys."""

    a: RecordKey
    b: RecordKey
    kind: Literal["confirmed", "rejected"]
    order: int = 0


@dataclass(frozen=True, slots=True)
class Contested:
    """Records that links would join though two of them contradict each other."""

    records: tuple[RecordKey, ...]
    contradictions: tuple[Contradiction, ...]
    """All rejected pairs; of the pairs whose SIRENs differ the first ``contradictions.SHOWN``, in the order of keys."""
    held_back: tuple[Pair, ...]
    """Links that were not followed, each a question for staff."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """``groups`` hold every record once, each in the order of keys; so do ``contested`` the groups in doubt."""

    groups: tuple[tuple[RecordKey, ...], ...]
    contested: tuple[Contested, ...]
    questions: tuple[Judgement, ...]
    """For review: one pair for any two groups, the best scored, best first."""


class _Link(NamedTuple):
    # Sorted, the firmest come first: what staff confirmed, the newest first; then by score.
    rank: tuple[float, ...]
    a: RecordKey
    b: RecordKey
    score: float
    confirmed: bool


def group(
    sirens: Mapping[RecordKey, str | None], judgements: Iterable[Judgement], decisions: Iterable[Decision] = ()
) -> Grouping:
    """Group all records that ``sirens`` names (with their valid SIREN, if any); others are ignored.

    For a part of all records the result is the same as for all, if the part is closed: no judgement other than
    ``apart`` and no decision leads out of it.
    """
    decided = {
        (decision.a, decision.b): decision
        for decision in sorted(decisions, key=lambda decision: (decision.order, decision))
        if decision.a != decision.b
    }
    judged = {(j.a, j.b): j for j in sorted(judgements) if j.a in sirens and j.b in sirens}
    links = _links(sirens, judged, decided)
    rejected = {pair for pair, decision in decided.items() if decision.kind == "rejected"}
    groups: list[tuple[RecordKey, ...]] = []
    contested: list[Contested] = []
    for records, own, apart in _components(sirens, links, rejected):
        opposed = Contradictions(records, sirens, apart, [(link.a, link.b) for link in own if link.confirmed])
        parts, held_back = _divide(opposed, own)
        groups += parts
        if held_back:
            contested.append(Contested(records, tuple(opposed.shown()), tuple(held_back)))
    groups.sort()
    contested.sort(key=lambda item: item.records)
    return Grouping(tuple(groups), tuple(contested), _questions(groups, judged, decided, contested))


def _links(
    sirens: Mapping[RecordKey, str | None], judged: Mapping[Pair, Judgement], decided: Mapping[Pair, Decision]
) -> list[_Link]:
    links: list[_Link] = []
    for (a, b), decision in decided.items():
        if decision.kind == "confirmed" and a in sirens and b in sirens:
            links.append(_Link((0.0, -float(decision.order)), a, b, float("inf"), True))
    for pair, judgement in judged.items():
        if judgement.verdict == "auto" and pair not in decided:
            links.append(_Link((1.0, -judgement.score), *pair, judgement.score, False))
    return sorted(links)


def _components(
    records: Collection[RecordKey], links: Sequence[_Link], rejected: Iterable[Pair]
) -> Iterable[tuple[tuple[RecordKey, ...], list[_Link], list[Pair]]]:
    """Connected records in the order of their keys, with the links among them in theirs, and the rejected pairs."""
    union = Union[RecordKey]()
    for link in links:
        union.join(link.a, link.b)
    members: defaultdict[RecordKey, list[RecordKey]] = defaultdict(list)
    for key in sorted(records):
        members[union.root(key)].append(key)
    inside: defaultdict[RecordKey, list[_Link]] = defaultdict(list)
    for link in links:
        inside[union.root(link.a)].append(link)
    apart: defaultdict[RecordKey, list[Pair]] = defaultdict(list)
    for a, b in rejected:
        if a in records and b in records and union.root(a) == union.root(b):
            apart[union.root(a)].append((a, b))
    return [(tuple(keys), inside[root], apart[root]) for root, keys in members.items()]


def _divide(opposed: Contradictions, links: Sequence[_Link]) -> tuple[list[tuple[RecordKey, ...]], list[Pair]]:
    """Hold back the weakest links between records that contradict each other, until no group contradicts itself.

    Along the firmest path between the two, every link that is not clearly firmer than the weakest goes. A confirmed
    link goes only when nothing else would part a rejected pair, and then the oldest.

    Parts that are apart cannot touch each other any more, so each is looked at by itself: its first contradiction is
    resolved, which divides it, and so on. Records and links are named by their places here, links firmest first.
    """
    places = {key: at for at, key in enumerate(opposed.records)}
    forest = SpanningForest(len(places), [(places[link.a], places[link.b]) for link in links])
    parts: list[tuple[RecordKey, ...]] = []
    waiting: list[list[int]] = [list(range(len(places)))]
    while waiting:
        part = waiting.pop()
        pair = next(opposed.pairs(part), None)
        if pair is None:
            parts.append(tuple(opposed.records[at] for at in part))
            continue
        forest.hang_from(pair[0])
        while path := forest.path(pair[1], pair[0]):
            weakest = max(path)
            bound = links[weakest].score + MARGIN
            for at in [at for at in path if not links[at].confirmed and links[at].score <= bound] or [weakest]:
                forest.hold_back(at, pair[0])
        waiting += forest.trees(part)
    of = {key: at for at, keys in enumerate(parts) for key in keys}
    held_back = [links[at] for at in sorted(forest.held_back)]
    return parts, [(link.a, link.b) for link in held_back if of[link.a] != of[link.b]]


def _questions(
    groups: Sequence[Sequence[RecordKey]],
    judged: Mapping[Pair, Judgement],
    decided: Mapping[Pair, Decision],
    contested: Sequence[Contested],
) -> tuple[Judgement, ...]:
    """One question for any two groups; a rejected pair answers it for both of its groups."""
    of = {key: at for at, keys in enumerate(groups) for key in keys}
    held_back = {pair for item in contested for pair in item.held_back}
    answered = {
        frozenset((of[a], of[b]))
        for (a, b), decision in decided.items()
        if decision.kind == "rejected" and a in of and b in of
    }
    asked: dict[frozenset[int], Judgement] = {}
    best_first = sorted(judged.items(), key=lambda item: (-item[1].score, item[0]))
    for pair, judgement in best_first:
        between = frozenset((of[pair[0]], of[pair[1]]))
        if len(between) == 1 or between in answered or between in asked:
            continue
        if pair in held_back:
            asked[between] = judgement._replace(verdict="review", refused="contradiction")
        elif judgement.verdict == "review" and pair not in decided:
            asked[between] = judgement
    return tuple(sorted(asked.values(), key=lambda item: (-item.score, item.a, item.b)))
