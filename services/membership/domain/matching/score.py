"""The judgement of a pair: levels, score, and what may happen to it."""

from typing import Literal, NamedTuple

from services.membership.domain.matching.features import Features
from services.membership.domain.matching.frequencies import Classes
from services.membership.domain.matching.guard import refusal
from services.membership.domain.matching.levels import FIELDS, Levels, compare
from services.membership.domain.matching.weights import Weights
from services.membership.domain.matching.wording import LEVELS
from services.membership.domain.records import RecordKey

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
    score = round(weights.score(levels), 2)
    refused = None
    verdict: Verdict = "apart"
    if score >= weights.auto:
        refused = refusal(levels)
        verdict = "auto" if refused is None else "review"
    elif score >= weights.review:
        verdict = "review"
    return Judgement(a.key, b.key, score, verdict, refused, levels)


def explain(levels: Levels, weights: Weights) -> list[Evidence]:
    """What speaks for and against, in the order of the fields; the weights and the prior add up to the score."""
    return [
        Evidence(field, level, weights.levels[field].get(level, 0.0), LEVELS[field][level])
        for field, level in zip(FIELDS, levels, strict=True)
        if level is not None
    ]
