"""Weights and thresholds, versioned data: every judgement says by which version it was made."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from services.membership.matching.levels import FIELDS, Levels

CURRENT: Final = 1


class WeightsError(ValueError):
    """A weights file cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Weights:
    """In bits. A pair's score is the prior and the weight of each of its levels; a missing value weighs nothing."""

    version: int
    note: str
    prior: float
    auto: float
    """From this score on a pair is merged, if the guard lets it; one SIREN and one name are, whatever their score."""
    review: float
    """From this score on a person is asked."""
    levels: Mapping[str, Mapping[str, float]]
    fixed: frozenset[tuple[str, str]] = frozenset()
    """Levels whose weight no truth folder may change."""

    def score(self, levels: Levels) -> float:
        """The log2 odds that two records are one company."""
        total = self.prior
        for field, level in zip(FIELDS, levels, strict=True):
            if level is not None:
                total += self.levels[field].get(level, 0.0)
        return total


@cache
def shipped(version: int = CURRENT) -> Weights:
    """The weights of a version that came with this program."""
    return parse((files(__name__) / f"weights-{version}.toml").read_text("utf-8"), f"weights-{version}.toml")


def load(path: Path) -> Weights:
    """The weights of a file. Raises WeightsError."""
    try:
        return parse(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror}") from None


def parse(text: str, name: str) -> Weights:
    """Weights as written in TOML. Raises WeightsError, with ``name``."""
    try:
        tree: dict[str, Any] = tomllib.loads(text)
        levels = {field: {k: float(v) for k, v in tree["weights"].get(field, {}).items()} for field in FIELDS}
        thresholds = tree["thresholds"]
        weights = Weights(
            int(tree["version"]), str(tree.get("note", "")), float(tree["prior"]),
            float(thresholds["auto"]), float(thresholds["review"]), levels,
            frozenset(
                (field, level) for field, _, level in (str(item).partition(".") for item in tree.get("fixed", ()))
            ),
        )  # fmt: skip
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(f"{name}: {type(error).__name__}: {error}") from None
    if unknown := set(tree["weights"]) - set(FIELDS):
        raise WeightsError(f"{name}: there is no field {', '.join(sorted(unknown))}")
    if weights.review >= weights.auto:
        raise WeightsError(f"{name}: the threshold for review must be below the one for merging")
    return weights


def write(weights: Weights) -> str:
    """As TOML, the same bytes for the same weights."""
    lines = [
        f"# Written by `matching train`: {weights.note}.",
        "# Bits (log2 odds); a missing value weighs nothing.",
        "",
        f"version = {weights.version}",
        f'note = "{weights.note}"',
        f"fixed = [{', '.join(sorted(chr(34) + '.'.join(item) + chr(34) for item in weights.fixed))}]",
        f"prior = {weights.prior:.2f}",
        "",
        "[thresholds]",
        f"auto = {weights.auto:.2f}",
        f"review = {weights.review:.2f}",
    ]
    for field in FIELDS:
        if weights.levels[field]:
            lines += ["", f"[weights.{field}]"]
            lines += [f"{level} = {weight:.2f}" for level, weight in weights.levels[field].items()]
    return "\n".join(lines) + "\n"
