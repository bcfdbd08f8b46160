"""How well companies are recognised: ten draws of made-up companies that no weight was fitted to.

Each is judged by the code that runs in production, by equal SIREN alone, and by splink where it is installed.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from services.cli.members.matching_crosscheck import CannotCrosscheckError
from services.cli.members.matching_methods import Method, crosschecked, siren_alone
from services.cli.members.matching_sample import Sample, read_sample
from services.membership.matching.candidates import Candidates
from services.membership.matching.evaluation import Figures, measure
from services.membership.matching.score import judge
from services.membership.matching.weights import shipped
from tests.support.matching_sample import write

SEEDS, MEMBERS, EACH = range(41, 51), 600, 4


@dataclass
class Recognised:
    """What one way came to: ``recall`` and ``reviewed`` (recall after a perfect review) draw by draw, as shares; wrong
    pairs and seconds of all draws together; questions for 1,000 records, draw by draw."""

    recall: list[float] = field(default_factory=list[float])
    reviewed: list[float] = field(default_factory=list[float])
    asked: list[float] = field(default_factory=list[float])
    wrong: int = 0
    seconds: float = 0.0

    def add(self, figures: Figures, seconds: float) -> None:
        """One draw more."""
        self.recall.append(round(figures.recall, 4))
        self.reviewed.append(round(figures.recall_after_review, 4))
        self.asked.append(round(figures.review_per_1000, 1))
        self.wrong += len(figures.false_pairs)
        self.seconds += seconds


@dataclass
class Matching:
    """Of all draws: records, pairs that are one company, and what each way made of them."""

    records: int = 0
    true_pairs: int = 0
    ways: dict[str, Recognised] = field(default_factory=dict[str, Recognised])


def recognise(*, quick: bool) -> Matching:
    """Draw, recognise, compare with the truth."""
    matching = Matching()
    for sample in _draws(SEEDS[:2] if quick else SEEDS):
        matching.records += len(sample.records)
        matching.true_pairs += len(sample.truth.same)
        began = time.perf_counter()
        index = Candidates(sample.records)
        judgements = [judge(a, b, index.classes, shipped()) for a, b in index.pairs()]
        figures = measure(sample.records, judgements, sample.truth)
        matching.ways.setdefault("Traboule", Recognised()).add(figures, time.perf_counter() - began)
        for name, method in {"equal SIREN alone": siren_alone(sample), **_splink(sample)}.items():
            matching.ways.setdefault(name, Recognised()).add(method.figures, method.seconds)
    return matching


def _draws(seeds: range) -> Iterator[Sample]:
    for seed in seeds:
        with TemporaryDirectory() as folder:
            write(Path(folder), seed, MEMBERS, EACH)
            yield read_sample(Path(folder))


def _splink(sample: Sample) -> dict[str, Method]:
    try:
        return {method.name: method for method in crosschecked(sample).values()}
    except CannotCrosscheckError:
        return {}
