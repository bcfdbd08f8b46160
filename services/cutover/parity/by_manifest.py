"""What a former system's manifest lists against what we hold of it: pure, record by record.

A manifest names records, their versions and digests, and no field: what differs inside a record it cannot tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.digests import record_digest
from schemas.fields import Fact
from services.cutover.manifests import Key, Listed, Manifest
from services.cutover.parity.compare import WHATS, Difference, Result, Sides, values_of

A_TIME = 1_000_000_000_000_000
"""Versions are sequence numbers, or microseconds since 1970: those of 2001 and later are as large as this, and no
record was ever changed so often."""
COUNT = "count"
"""The one field, and the name in place of a record's id, of a difference in numbers."""


@dataclass
class ManifestComparison:
    """Takes in the manifest at once and what we hold one by one, as :class:`services.cutover.parity.compare.Comparison`
    does. ``kinds`` are all that the service mirrors: what a manifest says nothing of, it says that it holds none of.
    ``ours``: we are the authority, so that records change here.
    """

    manifest: Manifest
    kinds: Sequence[str]
    ours: bool = False
    _left: dict[Key, Listed] = field(init=False)
    _listed: dict[str, int] = field(init=False)
    _counts: dict[str, Sides] = field(init=False)
    _differences: list[Difference] = field(default_factory=list[Difference])

    def __post_init__(self) -> None:
        self._left = dict(self.manifest.records)
        self._listed = dict.fromkeys(self.kinds, 0)
        for kind, _ in self.manifest.records:
            self._listed[kind] += 1
        self._counts = {kind: Sides(self._told(kind)) for kind in self.kinds}

    def held(self, kind: str, item_id: str, here: Fact) -> None:
        """One record that we hold. Each is to be named once."""
        self._counts[kind].here += 1
        if self._only_counted(kind):
            return
        there = self._left.pop((kind, item_id), None)
        if there is None:
            self._differences.append(Difference(kind, item_id, "missing-there", (), None, values_of(here)))
        elif _unlike(there, here):
            if there.version is not None and self._changed_since(there.version, here.version):
                self._counts[kind].newer_here += 1
            else:
                self._differences.append(_different(kind, item_id, there, here))

    def result(self) -> Result:
        """Once all that we hold was named. There are no sums: a manifest tells no amounts."""
        missing = [
            Difference(kind, item_id, "missing-here", (), _as_told(listed))
            for (kind, item_id), listed in self._left.items()
        ]
        numbers = [one for kind in self.kinds for one in self._numbers(kind)]
        found = [*self._differences, *missing, *numbers]
        return Result(self._counts, {}, sorted(found, key=lambda d: (d.kind, WHATS.index(d.what), d.item_id)))

    def _changed_since(self, there: int, here: int) -> bool:
        if (there < A_TIME) == (here < A_TIME):
            return there < here
        # A number and a time cannot be compared. While the former system is the authority, the time is that of a file
        # that was imported, and tells nothing; else it is that of a command of ours.
        return self.ours and there < here

    def _told(self, kind: str) -> int:
        return self.manifest.counts.get(kind, self._listed[kind])

    def _only_counted(self, kind: str) -> bool:
        return self._listed[kind] == 0 and self._told(kind) > 0

    def _numbers(self, kind: str) -> list[Difference]:
        told, listed, here = self._told(kind), self._listed[kind], self._counts[kind].here
        if kind in self.manifest.contradicted:
            return [_unlikely(kind, {COUNT: told}, "the manifest's parts say different numbers")]
        if not self._only_counted(kind) and told != listed:
            return [_unlikely(kind, {COUNT: told, "listed": listed}, "it does not list as many as it counts")]
        if self._only_counted(kind) and told != here:
            return [Difference(kind, COUNT, "different", (COUNT,), {COUNT: told}, {COUNT: here})]
        return []


def _unlike(there: Listed, here: Fact) -> bool:
    # Where the contents are known to be the same, their versions do not matter: an import gives versions of its own.
    if there.digest is not None:
        return there.digest != record_digest(here)
    return there.version is not None and there.version != here.version


def _different(kind: str, item_id: str, there: Listed, here: Fact) -> Difference:
    told = _as_told(there)
    held: dict[str, Any] = {"version": here.version, "digest": record_digest(here)}
    fields = tuple(name for name in told if told[name] != held[name])
    values = {name: held[name] for name in fields} | dict(values_of(here) or {})
    return Difference(kind, item_id, "different", fields, {name: told[name] for name in fields}, values)


def _as_told(listed: Listed) -> dict[str, Any]:
    told = {"version": listed.version, "digest": listed.digest}
    return {name: value for name, value in told.items() if value is not None}


def _unlikely(kind: str, told: Mapping[str, int], why: str) -> Difference:
    return Difference("manifest", kind, "unreadable", tuple(told), dict(told), None, dict.fromkeys(told, why))
