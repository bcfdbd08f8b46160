"""How two names are alike, as one of a few levels. Legal forms, small words and spaces do not count."""

from functools import lru_cache
from typing import Literal, NamedTuple

from rapidfuzz.distance import OSA

from services.membership.domain.matching.features import telling_words

Likeness = Literal["exact", "fuzzy", "near", "abbreviation", "subset", "partial", "none"]


class Names(NamedTuple):
    """``shared``: telling words that both hold, letter by letter. ``more``: what the longer of a ``subset`` adds."""

    likeness: Likeness
    shared: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()


@lru_cache(maxsize=16_384)
def compare_names(a: str, b: str) -> Names:
    """Two keys of ``naming.name_key``, not empty. Symmetric.

    ``exact``: the same words. ``fuzzy``: the same but for slips that leave no other name. ``near``: slips that may
    (TEREGA, TEREVA), or words in another order (AIR FRANCE, FRANCE AIR). ``abbreviation``: words cut short.
    ``subset``: one holds the other whole and says more (THALES, THALES DIS). ``partial``: a telling word in common,
    and each has others (THALES DIS, THALES LAS).
    """
    if a == b or a.replace(" ", "") == b.replace(" ", ""):
        return Names("exact", telling_words(a))
    short, long = a.split(), b.split()
    if (len(short), a) > (len(long), b):
        short, long = long, short
    left = list(long)
    worst = 0
    unmatched = False
    shared, slipped = set[str](), set[str]()
    for word in sorted(short, key=len, reverse=True):
        if word in left:
            grade, match = _SAME, word
        else:
            grade, match = min(((_difference(word, other), other) for other in left), default=(_OTHER, ""))
        if grade == _OTHER:
            unmatched = True
            continue
        left.remove(match)
        worst = max(worst, grade)
        if grade == _SAME:
            shared.add(word)
        elif grade == _SLIP:
            slipped.add(word)
    telling = telling_words(" ".join(shared))
    tells = bool(telling or telling_words(" ".join(slipped)))
    if unmatched:
        glued = _glued(a.replace(" ", ""), b.replace(" ", ""))
        return Names(glued or ("partial" if tells else "none"), telling)
    if left:
        return Names("subset" if tells or worst else "partial", telling, frozenset(left))
    if worst == _SAME:  # another order: LOGICIELS LUMERINE is LUMERINE LOGICIELS, FRANCE AIR is not AIR FRANCE
        return Names("fuzzy" if len(short) >= 3 or any(len(word) >= 6 for word in telling) else "near", telling)
    if worst == _CUT:
        return Names("abbreviation", telling)
    return Names("fuzzy" if worst == _SLIP else "near", telling)


_SAME, _SLIP, _CUT, _DOUBTFUL, _OTHER = range(5)


@lru_cache(maxsize=65_536)
def _difference(a: str, b: str) -> int:
    if a == b:
        return _SAME
    if a.isdigit() or b.isdigit():
        return _OTHER
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    one_slip = len(long) - len(short) <= 1 and len(short) >= 4 and OSA.distance(a, b, score_cutoff=1) <= 1
    # Two letters that changed places, or one that was doubled, are a slip even in a short word; another letter may be
    # another name there.
    if one_slip and (len(short) >= 7 or sorted(a) == sorted(b) or (len(a) != len(b) and set(a) == set(b))):
        return _SLIP
    if long.startswith(short) and len(short) >= 3:
        return _CUT
    return _DOUBTFUL if one_slip else _OTHER


def _glued(a: str, b: str) -> Likeness | None:
    """One typing error in a name whose spaces are elsewhere, long enough to be told apart by the rest."""
    if abs(len(a) - len(b)) > 1 or min(len(a), len(b)) < 4 or OSA.distance(a, b, score_cutoff=1) > 1:
        return None
    return "fuzzy" if min(len(a), len(b)) >= 10 else "near"
