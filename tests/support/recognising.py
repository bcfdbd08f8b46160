"""Recognition in memory, and records that arrive in batches anyhow."""

from collections.abc import Iterator, Sequence
from random import Random

from services.membership.matching.candidates import Candidates
from services.membership.matching.features import Features
from services.membership.matching.score import Judgement, judge
from services.membership.matching.weights import shipped


def from_scratch(records: Sequence[Features]) -> list[Judgement]:
    """What is judged of all records together."""
    index = Candidates(records)
    judged = (judge(a, b, index.classes, shipped()) for a, b in index.pairs())
    return sorted(judgement for judgement in judged if judgement.verdict != "apart")


def in_batches(records: Sequence[Features], rng: Random) -> Iterator[list[Features]]:
    """All of them, shuffled and cut."""
    left = list(records)
    rng.shuffle(left)
    while left:
        size = rng.choice([1, 1, 7, 40, 90])
        yield left[:size]
        del left[:size]
