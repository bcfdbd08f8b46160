"""What a person typed to find a member, as words to look for, and the text of a member in which they are sought."""

import re
from collections.abc import Iterable
from typing import Final

from services.membership.normalisation.company_names import fold

_GAP = r"[ .\u00a0\u202f]?"
_NUMBER = re.compile(rf"(?<!\d)(\d{{3}}){_GAP}(\d{{3}}){_GAP}(\d{{3}})(?:{_GAP}\d{{5}})?(?!\d)")
_BETWEEN = re.compile(r"[\s\x00'-]+")
_PUNCTUATION = re.compile(r"[^\w]|_", re.ASCII)

PERSONS: Final = "\x1f"
"""Stands before what is searched of a company's people: who may not read persons' data must not find by it."""


def searched(companies: Iterable[str], persons: Iterable[str]) -> str:
    """The text of a member: what its companies' records say, and after :data:`PERSONS` what those of its people do."""
    return PERSONS.join(
        " ".join(dict.fromkeys(text.replace(PERSONS, " ") for text in each)) for each in (companies, persons)
    )


def search_words(typed: str) -> list[str]:
    """Words without accents and case, each once. A SIREN written with spaces is one word, a SIRET is its SIREN.

    ``"Saint-Étienne 732 829 320"`` → ``["saint", "etienne", "732829320"]``
    """
    return _each_once(_BETWEEN.split(fold(_NUMBER.sub(r"\1\2\3", typed))))


def plain_words(typed: str) -> list[str]:
    """Words of a person's name, each once: without accents, case and punctuation, as the database folds them."""
    return _each_once(_PUNCTUATION.split(fold(typed)))


def literal(word: str) -> str:
    """A word that LIKE takes letter by letter."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _each_once(words: list[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word]
