"""The similarity of two names by their trigrams, the same as PostgreSQL's ``pg_trgm`` gives for a name key.

A name key has only capitals, digits and single spaces; for these the two agree exactly, which a test holds.

To find similar names among many, two facts are used. Neither loses a pair:

- Names that have so much in common share one of the *rarest* few trigrams of each (prefix filtering, Chaudhuri et al.
  2006), and these are fewer for the name that has fewer trigrams. So the common ones, which nearly all names have, are
  never looked up.
- Trigrams that only one of the two has are at least as many as the bits that only one of their two bitmaps has.
"""

import math
from collections import Counter
from functools import lru_cache
from typing import Final
from zlib import crc32

from services.membership.matching.stop_words import GENERIC

THRESHOLD: Final = 0.4499
"""Just below 0.45, which ``pg_trgm`` keeps in four bytes and would so compare differently than we do."""
HIGH_THRESHOLD: Final = 0.5999
"""Where less than the names speaks for the two."""
BITS: Final = 128


def unshared(threshold: float) -> float:
    """Of the trigrams of two names so similar, counted for each of them, at most this share is only in one."""
    return (1 - threshold) / (1 + threshold) + 1e-9


_OF_FEWER: Final = 2 * THRESHOLD / (1 + THRESHOLD) - 1e-9
"""Of the trigrams of the name that has fewer, at least this share is in the other one, too."""


@lru_cache(maxsize=2_048)
def trigrams(name: str) -> frozenset[str]:
    """Of each word, with two spaces before it and one after."""
    return frozenset(f"  {word} "[at : at + 3] for word in name.lower().split() for at in range(len(word) + 1))


def similar(a: str, b: str, threshold: float = THRESHOLD) -> bool:
    """Whether the shared trigrams are at least so great a part of all."""
    own, other = trigrams(a), trigrams(b)
    shared = len(own & other)
    return shared > 0 and shared >= threshold * (len(own) + len(other) - shared)


_GENERIC: Final = Counter(trigram for word in sorted(GENERIC) for trigram in trigrams(word))


@lru_cache(maxsize=2_048)
def rarest(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those by which it is found: when it has fewer trigrams than the other name, and what is added when it has more.

    Any order of rarity finds every pair, as long as it is always the same; the generic words tell a good one.
    """
    own = sorted(trigrams(name), key=lambda trigram: (_GENERIC[trigram], trigram))
    few = len(own) - math.ceil(_OF_FEWER * len(own)) + 1
    more = len(own) - math.ceil(THRESHOLD * len(own)) + 1
    return tuple(own[:few]), tuple(own[few:more])


def held(name: str, place: str) -> list[int]:
    """Marks under which a name in a place is kept: 32 bits each, so a mark that two share says nothing for sure."""
    few, more = rarest(name)
    return [mark(place, trigram) for trigram in few] + [mark(place, trigram, "+") for trigram in more]


def sought(name: str, place: str) -> list[int]:
    """The marks under which names similar to this one are kept in that place, if there are any."""
    few, more = rarest(name)
    return [
        *(mark(place, trigram, kind) for trigram in few for kind in ("", "+")),
        *(mark(place, trigram) for trigram in more),
    ]


@lru_cache(maxsize=2_048)
def bitmap(name: str) -> str:
    """As PostgreSQL writes ``bit(128)``."""
    bits = 0
    for trigram in trigrams(name):
        bits |= _bit(trigram)
    return f"{bits:0{BITS}b}"


@lru_cache(maxsize=8_192)
def _bit(trigram: str) -> int:
    return 1 << crc32(trigram.encode()) % BITS


def mark(place: str, text: str, kind: str = "") -> int:
    """A number from -2³¹ on for what is kept in a place: the checksum of ``place/text`` and the kind."""
    return crc32(f"{text}{kind}".encode(), _of_place(place)) - 2**31


@lru_cache(maxsize=4_096)
def _of_place(place: str) -> int:
    """A checksum goes on from that of what comes before."""
    return crc32(f"{place}/".encode())
