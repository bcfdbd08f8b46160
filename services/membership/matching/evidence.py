"""Why two records are held to be one company, or not, in the reader's words."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.membership.matching.explanations import LEVELS, REFUSALS
from services.membership.matching.levels import FIELDS, Levels
from services.membership.matching.weights import Weights
from services.membership.translations import Language

_SCORE_TOO_LOW = {
    "fr": "Les indices ne suffisent pas pour fusionner sans demander",
    "en": "The evidence is not enough to merge without asking",
}
_NO_WORDS: Mapping[str, str] = {}


def evidence(levels: Levels, weights: Weights, language: Language) -> list[dict[str, Any]]:
    """Field by field: ``field``, ``level``, ``weight`` in bits (above 0 speaks for, below against) and ``words``.

    What was judged long ago may know levels that have no words any more: those are told by their names.
    """
    return [
        {
            "field": field,
            "level": level,
            "weight": weights.levels[field].get(level, 0.0),
            "words": LEVELS[field].get(level, _NO_WORDS).get(language, level),
        }
        for field, level in zip(FIELDS, levels, strict=True)
        if level is not None
    ]


def levels_of(document: Mapping[str, str | None]) -> Levels:
    """Levels as the identity history keeps them, by field."""
    return Levels(*(document.get(field) for field in FIELDS))


def why_not_merged(refused: str | None, language: Language) -> dict[str, str]:
    """Why a question is put to a person: ``code``, a stable word, and ``words``."""
    words = _SCORE_TOO_LOW if refused is None else REFUSALS.get(refused, _NO_WORDS)
    code = refused or "score-too-low"
    return {"code": code, "words": words.get(language, code)}


def names(keys: Iterable[object]) -> list[str]:
    """Record keys as text: ``numelink/B-1``."""
    return [str(key) for key in keys]
