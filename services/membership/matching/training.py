"""Weights from judged pairs: a logistic regression over levels, in which few parameters can learn little by heart.

Each weight is pulled towards what it was before (a Gaussian prior), so that a level which the truth hardly shows keeps
its former weight, and a small truth changes little. No more is needed than Newton's method over some forty numbers.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from services.membership.matching.levels import FIELDS, Levels
from services.membership.matching.weights import Weights

PULL: Final = 1.0
"""Precision of the prior on each weight, per squared nat: about what four pairs can say."""
_PRIOR: Final = 0.01
"""The prior odds, which every truth shows well, are hardly pulled."""
_FIRM: Final = 1e9
_ROUNDS: Final = 40
_CLOSE_ENOUGH: Final = 1e-6

Row = tuple[Levels, bool]


def fit(rows: Iterable[Row], start: Weights, pull: float = PULL) -> Weights:
    """New weights under the version and thresholds of ``start``; levels that no row shows stay as they are."""
    patterns: defaultdict[Levels, list[int]] = defaultdict(lambda: [0, 0])
    for levels, same in rows:
        patterns[levels][same] += 1
    names = sorted({(f, level) for levels in patterns for f, level in zip(FIELDS, levels, strict=True) if level})
    position = {name: at for at, name in enumerate(names, 1)}
    before = [start.prior, *(start.levels[field].get(level, 0.0) for field, level in names)]
    centre = [value * math.log(2) for value in before]
    pulls = [pull * _PRIOR, *(_FIRM if name in start.fixed else pull for name in names)]
    seen = [
        ([0, *(position[f, level] for f, level in zip(FIELDS, levels, strict=True) if level)], different, same)
        for levels, (different, same) in sorted(patterns.items(), key=lambda item: [level or "" for level in item[0]])
    ]
    fitted = [value / math.log(2) for value in _newton(seen, centre, pulls)]
    learnt = {field: dict(levels) for field, levels in start.levels.items()}
    for (field, level), at in position.items():
        learnt[field][level] = round(fitted[at], 2)
    return replace(start, prior=round(fitted[0], 2), levels=learnt)


def _newton(rows: Sequence[tuple[list[int], int, int]], centre: Sequence[float], pulls: Sequence[float]) -> list[float]:
    """The most probable weights, in nats."""
    size = len(centre)
    weights = list(centre)
    for _ in range(_ROUNDS):
        slope = [-pulls[i] * (weights[i] - centre[i]) for i in range(size)]
        curve = [[0.0] * size for _ in range(size)]
        for i in range(size):
            curve[i][i] = pulls[i]
        for active, different, same in rows:
            odds = sum(weights[i] for i in active)
            p = 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0
            n = different + same
            error, spread = same - n * p, n * p * (1 - p)
            for i in active:
                slope[i] += error
                row = curve[i]
                for j in active:
                    row[j] += spread
        step = _solve(curve, slope)
        weights = [weight + change for weight, change in zip(weights, step, strict=True)]
        if max(map(abs, step)) < _CLOSE_ENOUGH:
            break
    return weights


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """The solution for a positive definite matrix (Cholesky)."""
    size = len(right)
    lower = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = math.sqrt(rest) if i == j else rest / lower[j][j]
    half = [0.0] * size
    for i in range(size):
        half[i] = (right[i] - sum(lower[i][k] * half[k] for k in range(i))) / lower[i][i]
    solution = [0.0] * size
    for i in reversed(range(size)):
        solution[i] = (half[i] - sum(lower[k][i] * solution[k] for k in range(i + 1, size))) / lower[i][i]
    return solution
