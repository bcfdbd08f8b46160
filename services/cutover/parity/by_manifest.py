"""What a former system's manifest lists against what we hold of it: pure, record by record.

A manifest names records, their versions and digests, and no field: what differs inside a record it cannot tell.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.base import Fact
from schemas.digests import record_digest
from services.cutover.manifests import Listed, Manifest
from services.cutover.parity.compare import WHATS, Difference, Result, Sides, values_of

A_TIME = 1_000_000_000_000_000
"""Versions are sequence numbers, or microseconds since 1970: those of 2001 and later are as large as this, and no
record was ever changed so often."""
COUNT = "count"
"""The one field, and the name in place of a record's id, of a difference in numbers."""
MORE = "more"
"""The same of what tells how many differences of a kind are not listed."""
MOST_KEPT = 10_000
"""Differences that are kept of one kind: with more, something is wrong that no list of records mends. How many more
there are is one difference itself, so that accepting the listed ones does not hide the others."""


@dataclass
class ManifestComparison:
    """Takes in, record by record, what we hold with what the manifest lists of it, and then what we lack.

    ``kinds`` are all that the service mirrors: what a manifest says nothing of, it says that it holds none of.
    ``ours``: we are the authority, so that records change here. ``most``: differences that are kept of a kind.
    """

    manifest: Manifest
    kinds: Sequence[str]
    ours: bool = False
    most: int = MOST_KEPT
    _counts: dict[str, Sides] = field(init=False)
    _matched: Counter[str] = field(default_factory=Counter[str])
    _named: Counter[str] = field(default_factory=Counter[str])
    _unlisted: Counter[str] = field(default_factory=Counter[str])
    _differences: dict[str, list[Difference]] = field(init=False)

    def __post_init__(self) -> None:
        self._counts = {kind: Sides(self._count_of(kind)) for kind in self.kinds}
        self._differences = {kind: [] for kind in self.kinds}

    def compares(self, kind: str) -> bool:
        """Whether the manifest lists records of this kind, or has none of them: else only their number counts."""
        return self.manifest.listed.get(kind, 0) > 0 or self._count_of(kind) == 0

    def add_ours(self, kind: str, item_id: str, fact: Fact, listed: Listed | None) -> None:
        """One record that we hold, and what the manifest says of it. Each is to be named once."""
        self._counts[kind].here += 1
        if not self.compares(kind):
            return
        if listed is None:
            self._differs(kind, lambda: Difference(kind, item_id, "missing-there", (), None, values_of(fact)))
            return
        self._matched[kind] += 1
        if _unlike(listed, fact):
            if listed.version is not None and self._changed_since(listed.version, fact.version):
                self._counts[kind].newer_here += 1
            else:
                self._differs(kind, lambda: _different(kind, item_id, listed, fact))

    def missing(self, kind: str) -> int:
        """How many records of this kind we lack, once all that we hold was named."""
        return self.manifest.listed.get(kind, 0) - self._matched[kind]

    def lacks(self, kind: str, item_id: str, listed: Listed) -> None:
        """One record that we do not hold. Of many only some need be named: their number is known."""
        self._named[kind] += 1
        self._differs(kind, lambda: Difference(kind, item_id, "missing-here", (), _marks(listed)))

    def result(self) -> Result:
        """Once everything was named. There are no sums: a manifest tells no amounts."""
        listed = [difference for kind in self.kinds for difference in self._differences[kind]]
        numbers = [difference for kind in self.kinds for difference in (*self._numbers(kind), *self._more(kind))]
        differences = sorted([*listed, *numbers], key=lambda d: (d.kind, WHATS.index(d.what), d.item_id))
        return Result(self._counts, {}, differences)

    def _differs(self, kind: str, difference: Callable[[], Difference]) -> None:
        kept = self._differences[kind]
        if len(kept) < self.most:
            kept.append(difference())
        else:
            self._unlisted[kind] += 1

    def _more(self, kind: str) -> list[Difference]:
        more = self._unlisted[kind] + self.missing(kind) - self._named[kind]
        return [Difference(kind, MORE, "different", (MORE,), {MORE: more})] if more else []

    def _changed_since(self, theirs: int, number: int) -> bool:
        if (theirs < A_TIME) == (number < A_TIME):
            return theirs < number
        # A number and a time cannot be compared. While the former system is the authority, the time is that of a file
        # that was imported, and tells nothing; else it is that of a command of ours.
        return self.ours and theirs < number

    def _count_of(self, kind: str) -> int:
        return self.manifest.counts.get(kind, self.manifest.listed.get(kind, 0))

    def _numbers(self, kind: str) -> list[Difference]:
        counted, listed, ours = self._count_of(kind), self.manifest.listed.get(kind, 0), self._counts[kind].here
        if kind in self.manifest.contradicted:
            return [_unlikely(kind, {COUNT: counted}, "the manifest's parts say different numbers")]
        if self.compares(kind) and counted != listed:
            return [_unlikely(kind, {COUNT: counted, "listed": listed}, "it does not list as many as it counts")]
        if not self.compares(kind) and counted != ours:
            return [Difference(kind, COUNT, "different", (COUNT,), {COUNT: counted}, {COUNT: ours})]
        return []


def _unlike(listed: Listed, fact: Fact) -> bool:
    # Where the contents are known to be the same, their versions do not matter: an import gives versions of its own.
    if listed.digest is not None:
        return listed.digest != record_digest(fact)
    return listed.version is not None and listed.version != fact.version


def _different(kind: str, item_id: str, listed: Listed, fact: Fact) -> Difference:
    theirs = _marks(listed)
    document: dict[str, Any] = {"version": fact.version, "digest": record_digest(fact)}
    fields = tuple(name for name in theirs if theirs[name] != document[name])
    values = {name: document[name] for name in fields} | dict(values_of(fact) or {})
    return Difference(kind, item_id, "different", fields, {name: theirs[name] for name in fields}, values)


def _marks(listed: Listed) -> dict[str, Any]:
    marks = {"version": listed.version, "digest": listed.digest}
    return {name: value for name, value in marks.items() if value is not None}


def _unlikely(kind: str, numbers: Mapping[str, int], why: str) -> Difference:
    return Difference("manifest", kind, "unreadable", tuple(numbers), dict(numbers), None, dict.fromkeys(numbers, why))
