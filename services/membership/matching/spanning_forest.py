"""Trees of the firmest links between records, and what is left of them where links are held back."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import zip_longest

from services.membership.matching.disjoint_sets import Union


class SpanningForest:
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
