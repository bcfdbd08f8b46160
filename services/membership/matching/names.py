"""How two names are alike, as one of a few levels. Legal forms, small words and spaces do not count."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from rapidfuzz.distance import OSA

from services.membership.matching.features import telling_words

Likeness = Literal["exact", "fuzzy", "near", "abbreviation", "subset", "partial", "none"]


class Names(NamedTuple):
    """``shared``: telling words that both hold, letter by letter. ``more``: what the longer of a ``subset`` adds."""

    likeness: Likeness
    shared: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()


@lru_cache(maxsize=2_048)
def compare_names(a: str, b: str) -> Names:
    """Two keys of ``naming.name_key``, not empty. Symmetric.

    ``exact``: the same words. ``fuzzy``: the same but for slips that leave no other name. ``near``: slips that may
    (TEREGA, TEREVA), or words in another order (AIR FRANCE, FRANCE AIR). ``abbreviation``: words cut short.
    ``subset``: one holds the other whole and says more (THALES, THALES DIS). ``partial``: a telling word in common,
    and each has others (THALES DIS, THALES LAS).
    """
    compact, other_compact = _compact(a), _compact(b)
    if compact == other_compact:
        return Names("exact", telling_words(a))
    short, long = a.split(), b.split()
    if (len(short), a) > (len(long), b):
        short, long = long, short
    left = long
    worst = 0
    unmatched = False
    shared, slipped = list[str](), list[str]()
    for word in sorted(short, key=len, reverse=True):
        grade, match = (_SAME, word) if word in left else _nearest(word, left)
        if grade == _OTHER:
            unmatched = True
            continue
        left.remove(match)
        worst = max(worst, grade)
        if grade == _SAME:
            shared.append(word)
        elif grade == _SLIP:
            slipped.append(word)
    telling = telling_words(" ".join(shared)) if shared else frozenset[str]()
    tells = bool(telling or (slipped and telling_words(" ".join(slipped))))
    if unmatched:
        glued = _glued(compact, other_compact)
        return Names(glued or ("partial" if tells else "none"), telling)
    if left:
        return Names("subset" if tells or worst else "partial", telling, frozenset(left))
    if worst == _SAME:  # another order: LOGICIELS LUMERINE is LUMERINE LOGICIELS, FRANCE AIR is not AIR FRANCE
        return Names("fuzzy" if len(short) >= 3 or any(len(word) >= 6 for word in telling) else "near", telling)
    if worst == _CUT:
        return Names("abbreviation", telling)
    return Names("fuzzy" if worst == _SLIP else "near", telling)


_SAME, _SLIP, _CUT, _DOUBTFUL, _OTHER = range(5)


def _compact(name: str) -> str:
    return name.replace(" ", "")


def _nearest(word: str, others: Sequence[str]) -> tuple[int, str]:
    """How it differs from the one that it differs least from, and that one; of equals, the first by the alphabet."""
    result = (_OTHER, "")
    for other in others:
        grade = _difference(word, other)
        if grade < _OTHER and (grade, other) < result:
            result = (grade, other)
    return result


@lru_cache(maxsize=8_192)
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
