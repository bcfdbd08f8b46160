"""Names that are written in capitals, as they are read in lists. Only shown so: what is written stays as it is."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from services.gateway.console.catalogue import Words

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’](?=[^\W\d_]))?")
_SMALL: Final = frozenset(
    ("à", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "lès", "par", "pour", "sous", "sur")
)
_FORMS: Final = frozenset(("SARL", "SASU", "EURL", "SCOP", "SCIC", "SELARL", "GAEC", "EARL", "SCEA", "SPRL", "GMBH"))
_ACRONYM: Final = 3
"""So many letters, or fewer, are rather an acronym than a word."""
_VOWEL: Final = re.compile(r"[AEIOUYÀÂÄÉÈÊËÎÏÔÖÙÛÜŒÆ]")


@lru_cache(4_096)
def calm(text: str) -> str:
    """A name that is all in capitals with only its words' first letters so; any other as it is.

    Short words, legal forms and what has no vowel stay: ``AGENCE DU RHÔNE SARL`` is ``Agence du Rhône SARL``.
    """
    if text != text.upper() or not any(_is_word(match[0].rstrip("'’")) for match in _WORD.finditer(text)):
        return text
    return _WORD.sub(lambda match: _calmed(match, keeps_acronyms=True), text)


@lru_cache(4_096)
def calm_town(text: str) -> str:
    """The same for a town, where short words are words too: ``LE PUY-EN-VELAY`` is ``Le Puy-en-Velay``."""
    return _WORD.sub(lambda match: _calmed(match, keeps_acronyms=False), text) if text == text.upper() else text


def member_name(name: str | None, words: Words) -> str:
    """What a member is called in lists and titles, calmly; one may have no name."""
    return calm(name) if name else words.text("(sans nom)")


def record_name(written: Mapping[str, Any], words: Words) -> str:
    """What a record says that it is called, as it says it."""
    return str(written.get("name") or words.text("(sans nom)"))


def _calmed(match: re.Match[str], *, keeps_acronyms: bool) -> str:
    word = match[0]
    letters = word.rstrip("'’")
    # A single letter is a small word only where it is cut: ``L'ARBRESLE``.
    if letters.lower() in _SMALL and (len(letters) > 1 or word != letters):
        return word.lower() if match.start() else word.capitalize()
    return word if keeps_acronyms and not _is_word(letters) else word.capitalize()


def _is_word(letters: str) -> bool:
    return len(letters) > _ACRONYM and letters not in _FORMS and bool(_VOWEL.search(letters))
