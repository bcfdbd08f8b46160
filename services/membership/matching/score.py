"""The judgement of a pair: levels, score, and what may happen to it."""

from typing import Final, Literal, NamedTuple

from services.membership.matching.explanations import LEVELS
from services.membership.matching.features import Features
from services.membership.matching.guard import refusal
from services.membership.matching.levels import ELSEWHERE, FIELDS, Levels, compare, compare_but_names, with_names
from services.membership.matching.term_frequency import Classes
from services.membership.matching.weights import Weights
from services.membership.records.record import RecordKey

Verdict = Literal["auto", "review", "apart"]


class Judgement(NamedTuple):
    """``a`` is before ``b``. ``refused`` says why a pair that scores high enough is not merged without a person."""

    a: RecordKey
    b: RecordKey
    score: float
    verdict: Verdict
    refused: str | None
    levels: Levels


class Evidence(NamedTuple):
    """One field's part in a score; ``words`` by language."""

    field: str
    level: str
    weight: float
    words: dict[str, str]


def judge(a: Features, b: Features, classes: Classes, weights: Weights) -> Judgement:
    """Pure, and the same in whichever order the two are given."""
    if b.key < a.key:
        a, b = b, a
    levels = compare(a, b, classes)
    return _judgement(a, b, levels, round(weights.score(levels), 2), weights)


def _judgement(a: Features, b: Features, levels: Levels, score: float, weights: Weights) -> Judgement:
    refused = None
    verdict: Verdict = "apart"
    if levels.declared == "people":
        # No name has to agree: it is not the same company, it is someone of it.
        verdict = "auto"
    elif score >= weights.auto or _twins(levels):
        refused = refusal(levels)
        verdict = "auto" if refused is None else "review"
    elif score >= weights.review:
        verdict = "review"
    return Judgement(a.key, b.key, score, verdict, refused, levels)


def _twins(levels: Levels) -> bool:
    """One legal unit under one name, whatever else differs: the less there is to compare, the more records there are.

    By score alone, four that know nothing else would be six questions: their number makes the name common.
    """
    return levels.siren == "equal" and levels.name in {"exact", "exact-common"}


class Judge:
    """:func:`judge` for many pairs by the same weights, which looks closely only where it may matter.

    Nearly all pairs with similar names stay apart whatever their names and streets turn out to be, and these cost most.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        best = {field: max(0.0, *levels.values()) for field, levels in weights.levels.items() if levels}
        self._best_names = best.get("name", 0.0) + best.get("street", 0.0)
        place = weights.levels["place"]
        self._best_elsewhere = max(place.get(level, 0.0) for level in ELSEWHERE) - place.get("elsewhere", 0.0)

    def unless_apart(self, a: Features, b: Features, classes: Classes) -> Judgement | None:
        """The judgement; None if the verdict is ``apart``."""
        if b.key < a.key:
            a, b = b, a
        known = compare_but_names(a, b, classes)
        most = self._weights.score(known) + self._best_names
        if known.place == "elsewhere":
            most += self._best_elsewhere
        if most < self._weights.review - _ROUNDING and known.siren != "equal" and known.declared != "people":
            return None
        levels = with_names(a, b, classes, known)
        judgement = _judgement(a, b, levels, round(self._weights.score(levels), 2), self._weights)
        return None if judgement.verdict == "apart" else judgement


_ROUNDING: Final = 0.01
"""Scores are rounded to two digits."""


def explain(levels: Levels, weights: Weights) -> list[Evidence]:
    """What speaks for and against, in the order of the fields; the weights and the prior add up to the score."""
    return [
        Evidence(field, level, weights.levels[field].get(level, 0.0), LEVELS[field][level])
        for field, level in zip(FIELDS, levels, strict=True)
        if level is not None
    ]
