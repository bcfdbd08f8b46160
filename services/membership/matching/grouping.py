"""Which records are one member: a pure function of records, judgements and decisions.

Links are the pairs that staff confirmed and those that are merged automatically. A member is a connected group of
them, unless its inside contradicts itself: two valid SIRENs that differ, or a pair that staff rejected. Then the
weakest links between the two that contradict each other are held back, and what they would join goes to review as a
group. Everything is sorted before it is looked at, so no order of arrival can show.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from heapq import merge
from itertools import islice, zip_longest
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey

MARGIN: Final = 2.0
"""Bits. A record between two companies goes to neither when it fits them about equally well."""

SHOWN: Final = 200
"""Pairs whose SIRENs differ, of one contested group: twice 200 records would be 40,000, which nobody reads."""

Pair = tuple[RecordKey, RecordKey]
_Key = TypeVar("_Key", RecordKey, int)


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
    """All rejected pairs; of the pairs whose SIRENs differ the first ``SHOWN``, in the order of keys."""
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
        opposed = _Opposed(records, sirens, apart, own)
        parts, held_back = _divide(opposed, own)
        groups += parts
        if held_back:
            contested.append(Contested(records, tuple(opposed.contradictions()), tuple(held_back)))
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


def _divide(opposed: "_Opposed", links: Sequence[_Link]) -> tuple[list[tuple[RecordKey, ...]], list[Pair]]:
    """Hold back the weakest links between records that contradict each other, until no group contradicts itself.

    Along the firmest path between the two, every link that is not clearly firmer than the weakest goes. A confirmed
    link goes only when nothing else would part a rejected pair, and then the oldest.

    Parts that are apart cannot touch each other any more, so each is looked at by itself: its first contradiction is
    resolved, which divides it, and so on. Records and links are named by their places here, links firmest first.
    """
    places = {key: at for at, key in enumerate(opposed.records)}
    forest = _Forest(len(places), [(places[link.a], places[link.b]) for link in links])
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


class _Opposed:
    """Which of some connected records one member may not hold together.

    Many records of two SIRENs are as many contradictions as the two numbers multiplied, so none is written down.
    """

    def __init__(
        self,
        records: Sequence[RecordKey],
        sirens: Mapping[RecordKey, str | None],
        rejected: Iterable[Pair],
        links: Iterable[_Link],
    ) -> None:
        self.records = records
        places = {key: at for at, key in enumerate(records)}
        self._rejected = sorted((places[a], places[b]) for a, b in rejected)
        self._sirens = [sirens[key] for key in records]
        # What staff joined by their own links, knowing both numbers, is no contradiction any more.
        joined = Union[int]()
        for link in links:
            if link.confirmed:
                joined.join(places[link.a], places[link.b])
        self._joined = [joined.root(at) for at in range(len(records))]

    def pairs(self, part: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Those among a part of the records, both by place and in order; a pair may come twice."""
        within = set(part)
        rejected = (pair for pair in self._rejected if within.issuperset(pair))
        yield from merge(rejected, self._of_two_sirens(part))

    def contradictions(self) -> list[Contradiction]:
        """What staff are shown: all rejected pairs, and the first ``SHOWN`` pairs whose SIRENs differ."""
        key = self.records
        shown = [Contradiction(key[a], key[b], "rejected") for a, b in self._rejected]
        of_two_sirens = islice(self._of_two_sirens(range(len(key))), SHOWN)
        return sorted([*shown, *(Contradiction(key[a], key[b], "sirens-differ") for a, b in of_two_sirens)])

    def _of_two_sirens(self, part: Sequence[int]) -> Iterator[tuple[int, int]]:
        holders: defaultdict[str, list[int]] = defaultdict(list)
        for at in part:
            if number := self._sirens[at]:
                holders[number].append(at)
        if len(holders) < 2:
            return
        for a in part:
            if own := self._sirens[a]:
                others = (holder[bisect(holder, a) :] for number, holder in holders.items() if number != own)
                yield from ((a, b) for b in merge(*others) if self._joined[a] != self._joined[b])


class _Forest:
    """A maximal spanning forest (Kruskal) that is mended where links are held back, not grown anew.

    Records and links are numbers: a link's is its place, the firmest first. Every record hangs from another by one
    link, but for the root of its tree, which hangs from itself.
    """

    def __init__(self, records: int, ends: Sequence[tuple[int, int]]) -> None:
        self.held_back: set[int] = set()
        self._ends = ends
        self._above = list(range(records))
        self._by = [-1] * records
        self._below: list[set[int]] = [set() for _ in range(records)]
        self._of: list[list[int]] = [[] for _ in range(records)]
        joined = Union[int]()
        for link, (a, b) in enumerate(ends):
            self._of[a].append(link)
            self._of[b].append(link)
            if joined.join(a, b):
                self._hang(a, b, link)

    def hang_from(self, root: int) -> None:
        """Make a record the root of its tree."""
        self._hang(root, root, -1)

    def path(self, record: int, root: int) -> list[int]:
        """The links between a record and a root; none if they are apart."""
        path: list[int] = []
        while (above := self._above[record]) != record:
            path.append(self._by[record])
            record = above
        return path if record == root else []

    def hold_back(self, link: int, root: int) -> None:
        """Take a link out of a root's tree, and join what falls off by the firmest other link, if there is one."""
        self.held_back.add(link)
        a, b = self._ends[link]
        fallen = a if self._by[a] == link else b
        self._below[self._above[fallen]].discard(fallen)
        self._above[fallen] = fallen
        side = self._smaller(fallen, root)
        if (result := self._firmest_out_of(side, link)) is not None:
            a, b = self._ends[result]
            # The root stays the root: what hangs is the end on the other side.
            self._hang(*((a, b) if (a in side) == (fallen in side) else (b, a)), result)

    def trees(self, part: Iterable[int]) -> list[list[int]]:
        """The records of each tree among these, in order."""
        return [sorted(self._tree(record)) for record in part if self._above[record] == record]

    def _hang(self, record: int, above: int, by: int) -> None:
        """Hang a record, and with it all its tree, below another: what it hung from hangs from it now."""
        while True:
            before, by_before = self._above[record], self._by[record]
            self._above[record], self._by[record] = above, by
            self._below[before].discard(record)
            if above != record:
                self._below[above].add(record)
            if before == record:
                return
            record, above, by = before, record, by_before

    def _tree(self, root: int) -> Iterator[int]:
        waiting = [root]
        while waiting:
            record = waiting.pop()
            waiting += self._below[record]
            yield record

    def _smaller(self, number: int, other: int) -> set[int]:
        """The smaller of two trees, both walked at once so that the larger is never walked to its end."""
        of_one: set[int] = set()
        of_other: set[int] = set()
        for a, b in zip_longest(self._tree(number), self._tree(other)):
            if a is None:
                return of_one
            if b is None:
                return of_other
            of_one.add(a)
            of_other.add(b)
        return of_one

    def _firmest_out_of(self, side: Set[int], after: int) -> int | None:
        """The firmest link between one side and the other; a firmer one than ``after`` would be in the tree."""
        number: int | None = None
        for record in side:
            links = self._of[record]
            for at in range(bisect(links, after), len(links)):
                link = links[at]
                if number is not None and link >= number:
                    break
                if link not in self.held_back:
                    a, b = self._ends[link]
                    if (a in side) != (b in side):
                        number = link
                        break
        return number


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


class Union(Generic[_Key]):
    """Disjoint sets; the root of each is its smallest key."""

    def __init__(self) -> None:
        self._parents: dict[_Key, _Key] = {}

    def root(self, key: _Key) -> _Key:
        parents = self._parents
        while (parent := parents.get(key, key)) != key:
            parents[key] = parents.get(parent, parent)
            key = parent
        return key

    def join(self, a: _Key, b: _Key) -> bool:
        """Whether the two were apart."""
        low, high = sorted((self.root(a), self.root(b)))
        if low == high:
            return False
        self._parents[high] = low
        return True
