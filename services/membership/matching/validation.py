"""Figures on companies that the weights were not learnt from: what to expect of other members."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Final

from services.membership.matching.candidates import Pair
from services.membership.matching.evaluation import Truth
from services.membership.matching.levels import compare
from services.membership.matching.score import Judgement, judge
from services.membership.matching.term_frequency import Classes
from services.membership.matching.training import fit
from services.membership.matching.weights import Weights
from services.membership.records.record import RecordKey

FOLDS: Final = 5


def held_out(
    pairs: Sequence[Pair],
    classes: Classes,
    truth: Truth,
    companies: Mapping[RecordKey, str],
    start: Weights,
    seed: int = 0,
) -> list[Judgement]:
    """Each pair judged by weights that saw no pair with a record of its first company."""
    levels = [compare(a, b, classes) for a, b in pairs]
    folds = [(_fold(companies[a.key], seed), _fold(companies[b.key], seed)) for a, b in pairs]
    fitted = [
        fit(
            [
                (level, (a.key, b.key) in truth.same)
                for (a, b), level, own in zip(pairs, levels, folds, strict=True)
                if fold not in own and (a.key, b.key) not in truth.ambiguous
            ],
            start,
        )
        for fold in range(FOLDS)
    ]
    return [judge(a, b, classes, fitted[own[0]]) for (a, b), own in zip(pairs, folds, strict=True)]


def _fold(company: str, seed: int) -> int:
    return zlib.crc32(f"{seed}/{company}".encode()) % FOLDS
