"""Which records are one member: a pure function of records, judgements and decisions.

Links are the pairs that staff confirmed and those that are merged automatically. A member is a connected group of
them, unless its inside contradicts itself: two valid SIRENs that differ, or a pair that staff rejected. Then the
weakest links between the two that contradict each other are held back, and what they would join goes to review as a
group. Everything is sorted before it is looked at, so no order of arrival can show.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal, NamedTuple

from services.membership.domain.matching.score import Judgement
from services.membership.domain.records import RecordKey

MARGIN: Final = 2.0
"""Bits. A record between two companies goes to neither when it fits them about equally well."""

Pair = tuple[RecordKey, RecordKey]


class Decision(NamedTuple):
    """What staff said last about two records, ``a`` before ``b``. ``order`` grows with time; ties go by the keys."""

    a: RecordKey
    b: RecordKey
    kind: Literal["confirmed", "rejected"]
    order: int = 0


class Contradiction(NamedTuple):
    """Two records that one member may not hold."""

    a: RecordKey
    b: RecordKey
    kind: Literal["sirens-differ", "rejected"]


@dataclass(frozen=True, slots=True)
class Contested:
    """Records that links would join though two of them contradict each other."""

    records: tuple[RecordKey, ...]
    contradictions: tuple[Contradiction, ...]
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
    decided = {(one.a, one.b): one for one in sorted(decisions, key=lambda one: (one.order, one)) if one.a != one.b}
    judged = {(j.a, j.b): j for j in sorted(judgements) if j.a in sirens and j.b in sirens}
    links = _links(sirens, judged, decided)
    rejected = {pair for pair, one in decided.items() if one.kind == "rejected"}
    groups: list[tuple[RecordKey, ...]] = []
    contested: list[Contested] = []
    for records, own in _components(sirens, links):
        inside = set(records)
        contradictions = _contradictions(records, sirens, {p for p in rejected if inside.issuperset(p)}, own)
        if not contradictions:
            groups.append(records)
            continue
        parts, held_back = _divide(records, own, contradictions)
        groups += parts
        if held_back:
            contested.append(Contested(records, tuple(contradictions), tuple(held_back)))
    groups.sort()
    contested.sort(key=lambda one: one.records)
    return Grouping(tuple(groups), tuple(contested), _questions(groups, judged, decided, contested))


def _links(
    sirens: Mapping[RecordKey, str | None], judged: Mapping[Pair, Judgement], decided: Mapping[Pair, Decision]
) -> list[_Link]:
    links: list[_Link] = []
    for (a, b), one in decided.items():
        if one.kind == "confirmed" and a in sirens and b in sirens:
            links.append(_Link((0.0, -float(one.order)), a, b, float("inf"), True))
    for pair, judgement in judged.items():
        if judgement.verdict == "auto" and pair not in decided:
            links.append(_Link((1.0, -judgement.score), *pair, judgement.score, False))
    return sorted(links)


def _components(
    records: Iterable[RecordKey], links: Sequence[_Link]
) -> Iterable[tuple[tuple[RecordKey, ...], list[_Link]]]:
    """Connected records in the order of their keys, with the links among them in theirs."""
    union = _Union()
    for link in links:
        union.join(link.a, link.b)
    members: defaultdict[RecordKey, list[RecordKey]] = defaultdict(list)
    for key in sorted(records):
        members[union.root(key)].append(key)
    inside: defaultdict[RecordKey, list[_Link]] = defaultdict(list)
    for link in links:
        inside[union.root(link.a)].append(link)
    return [(tuple(keys), inside[root]) for root, keys in members.items()]


def _contradictions(
    records: Sequence[RecordKey],
    sirens: Mapping[RecordKey, str | None],
    rejected: Collection[Pair],
    links: Sequence[_Link],
) -> list[Contradiction]:
    found = [Contradiction(*pair, "rejected") for pair in rejected]
    numbers = {number for key in records if (number := sirens[key])}
    if len(numbers) > 1:
        # What staff joined by their own links, knowing both numbers, is no contradiction any more.
        joined = _Union()
        for link in links:
            if link.confirmed:
                joined.join(link.a, link.b)
        holders = [key for key in records if sirens[key]]
        found += [
            Contradiction(a, b, "sirens-differ")
            for a, b in combinations(holders, 2)
            if sirens[a] != sirens[b] and joined.root(a) != joined.root(b)
        ]
    return sorted(found)


def _divide(
    records: Sequence[RecordKey], links: Sequence[_Link], contradictions: Sequence[Contradiction]
) -> tuple[list[tuple[RecordKey, ...]], list[Pair]]:
    """Hold back the weakest links between records that contradict each other, until no group contradicts itself.

    Along the firmest path between the two, every link that is not clearly firmer than the weakest goes. A confirmed
    link goes only when nothing else would part a rejected pair, and then the oldest.
    """
    held_back: set[_Link] = set()
    while True:
        tree = _firmest_tree([link for link in links if link not in held_back])
        path = next((path for one in contradictions if (path := _path(tree, one.a, one.b))), None)
        if path is None:
            break
        weakest = max(path)
        held_back |= {link for link in path if not link.confirmed and link.score <= weakest.score + MARGIN} or {weakest}
    union = _Union()
    for link in links:
        if link not in held_back:
            union.join(link.a, link.b)
    parts: defaultdict[RecordKey, list[RecordKey]] = defaultdict(list)
    for key in records:
        parts[union.root(key)].append(key)
    apart = [(link.a, link.b) for link in sorted(held_back) if union.root(link.a) != union.root(link.b)]
    return [tuple(part) for part in parts.values()], apart


def _firmest_tree(links: Sequence[_Link]) -> dict[RecordKey, list[tuple[RecordKey, _Link]]]:
    """A maximal spanning forest (Kruskal); ``links`` come firmest first."""
    union = _Union()
    tree: defaultdict[RecordKey, list[tuple[RecordKey, _Link]]] = defaultdict(list)
    for link in links:
        if union.join(link.a, link.b):
            tree[link.a].append((link.b, link))
            tree[link.b].append((link.a, link))
    return tree


def _path(tree: Mapping[RecordKey, Sequence[tuple[RecordKey, _Link]]], start: RecordKey, end: RecordKey) -> list[_Link]:
    """The links between two records of a forest; none if they are apart."""
    came: dict[RecordKey, tuple[RecordKey, _Link] | None] = {start: None}
    waiting = [start]
    while waiting and end not in came:
        here = waiting.pop()
        for there, link in tree.get(here, ()):
            if there not in came:
                came[there] = (here, link)
                waiting.append(there)
    path: list[_Link] = []
    step = came.get(end)
    while step is not None:
        path.append(step[1])
        step = came[step[0]]
    return path


def _questions(
    groups: Sequence[Sequence[RecordKey]],
    judged: Mapping[Pair, Judgement],
    decided: Mapping[Pair, Decision],
    contested: Sequence[Contested],
) -> tuple[Judgement, ...]:
    """One question for any two groups; a rejected pair answers it for both of its groups."""
    of = {key: at for at, keys in enumerate(groups) for key in keys}
    held_back = {pair for one in contested for pair in one.held_back}
    answered = {
        frozenset((of[a], of[b])) for (a, b), one in decided.items() if one.kind == "rejected" and a in of and b in of
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
    return tuple(sorted(asked.values(), key=lambda one: (-one.score, one.a, one.b)))


class _Union:
    """Disjoint sets; the root of each is its smallest key."""

    def __init__(self) -> None:
        self._parents: dict[RecordKey, RecordKey] = {}

    def root(self, key: RecordKey) -> RecordKey:
        parents = self._parents
        while (parent := parents.get(key, key)) != key:
            parents[key] = parents.get(parent, parent)
            key = parent
        return key

    def join(self, a: RecordKey, b: RecordKey) -> bool:
        """Whether the two were apart."""
        low, high = sorted((self.root(a), self.root(b)))
        if low == high:
            return False
        self._parents[high] = low
        return True
