"""Disjoint sets, as of records that links join."""

from typing import Generic, TypeVar

from services.membership.records.record import RecordKey

_Key = TypeVar("_Key", RecordKey, int)


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
