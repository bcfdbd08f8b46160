"""What a product's statuses and categories mean for who is a member; a word that nobody knows is asked, never guessed.

Defaults are the products' own words, French and English. A cluster adds its own in the clusters file (``statuses``),
and what is configured there is believed before any default.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from services.membership.normalisation.company_names import fold

Meaning: TypeAlias = Literal["active", "pending", "ended", "none"]
"""``none`` is no member at all: a record that only names a company or a person."""
MEANINGS: Final[tuple[Meaning, ...]] = get_args(Meaning)

NOT_KNOWN: Final = "nobody has said what this status means, so it makes nobody a member"
"""The reason of a notice about such a word; the import adds up those of one word into one question."""
NOT_THERE: Final = "the file does not say who is a member: tick this column"

_LEFT = re.compile(r"\b(anciens?|anciennes?|ex|demission\w*|radi[ea]\w*|exclu\w*|sortis?|former|resigned|ended)\b")
_NONE = re.compile(r"\bnon[- ]?(membres?|adherents?|members?)\b|\bprospects?\b|\bnon[- ]member\b")
_MEMBER = re.compile(
    r"\b(membres?|adherente?s?|acti[fv]e?s?|bureau|administrat\w+|(vice-?\s?)?president\w*|tresori\w+|secretaires?"
    r"|bienfait\w+|fondat\w+|honneur|societes?|members?|treasurer|secretary|society)\b"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a cluster says of its own product: ``statuses`` gives its words a meaning, by the word as it is written."""

    statuses: Mapping[str, Meaning] = field(default_factory=dict[str, Meaning])

    def meaning(self, written: str, defaults: Mapping[str, Meaning], *, by_words: bool = False) -> Meaning | None:
        """What a word means: as configured, else by the product's defaults, else (``by_words``) by what it contains."""
        word = fold(written)
        for known, meaning in self.statuses.items():
            if fold(known) == word:
                return meaning
        return defaults.get(word) or (_by_words(word) if by_words else None)


DEFAULT: Final = Reading()


def _by_words(word: str) -> Meaning | None:
    """Categories are the association's own words: most of them say by a word in them what they are."""
    if _NONE.search(word):
        return "none"
    if _LEFT.search(word):
        return "ended"
    return "active" if _MEMBER.search(word) else None
