"""Other ways to recognise companies, tried on the same records."""

import time
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from services.cli.members import matching_crosscheck as crosscheck
from services.cli.members.matching_sample import Sample
from services.membership.matching.evaluation import Figures, measure, truth_of

AIM = 0.998
"""Precision that automatic merges must have."""
HIGHEST = 60
"""Bits. No odds that splink gives are as high."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to recognise companies, and what came of it."""

    name: str
    figures: Figures
    seconds: float
    asks: bool = True
    """Whether it leaves anything to a person."""

    def as_json(self) -> dict[str, Any]:
        """As the command prints it."""
        return self.figures.as_json(self.seconds)


def siren_alone(sample: Sample) -> Method:
    """Merge whatever has one SIREN."""
    began = time.perf_counter()
    sirens = {record.key: record.siren for record in sample.records if record.siren}
    judgements = [crosscheck.judgement(a, b, 1.0, auto=1.0) for a, b in sorted(truth_of(sirens))]
    figures = measure(sample.records, judgements, sample.truth)
    return Method("equal SIREN alone", figures, time.perf_counter() - began, asks=False)


def crosschecked(sample: Sample) -> dict[str, Method]:
    """splink at the usual threshold, and at the one that only those can choose who know the truth.

    Its groups are whatever its links connect, as its own clustering makes them: SIRENs that differ part none of them.
    """
    began = time.perf_counter()
    judgements = crosscheck.judgements(sample.records)
    seconds = time.perf_counter() - began
    records = [replace(record, siren=None) for record in sample.records]

    def at(auto: float) -> Figures:
        judged = [crosscheck.judgement(judgement.a, judgement.b, judgement.score, auto) for judgement in judgements]
        return measure(records, judged, sample.truth)

    methods = {"splink": Method("splink", at(crosscheck.AUTO), seconds)}
    for bits in range(ceil(crosscheck.AUTO), HIGHEST):
        if (figures := at(bits)).precision >= AIM:
            methods["splink_hindsight"] = Method("splink, hindsight", figures, seconds)
            break
    return methods
