"""The similarity of two names by their trigrams, the same as PostgreSQL's ``pg_trgm`` gives for a name key.

A name key has only capitals, digits and single spaces; for these the two agree exactly, which a test holds.
"""

from functools import lru_cache
from typing import Final

THRESHOLD: Final = 0.4499
"""Just below 0.45, which ``pg_trgm`` keeps in four bytes and would so compare differently than we do."""


@lru_cache(maxsize=131_072)
def trigrams(name: str) -> frozenset[str]:
    """Of each word, with two spaces before it and one after."""
    return frozenset(f"  {word} "[at : at + 3] for word in name.lower().split() for at in range(len(word) + 1))


def similar(a: str, b: str) -> bool:
    """Whether the shared trigrams are at least :data:`THRESHOLD` of all."""
    one, other = trigrams(a), trigrams(b)
    shared = len(one & other)
    return shared > 0 and shared >= THRESHOLD * (len(one) + len(other) - shared)
