"""How good recognition is where the truth is known: the figures of ``matching evaluate``."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from services.membership.matching.contradictions import Pair
from services.membership.matching.features import Features
from services.membership.matching.grouping import Decision, Grouping, group
from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey


@dataclass(frozen=True, slots=True)
class Truth:
    """Pairs that are one company, and pairs that nobody can tell (a company and its successor), which do not count."""

    same: frozenset[Pair]
    ambiguous: frozenset[Pair] = frozenset()


@dataclass(frozen=True, slots=True)
class Figures:
    """What recognition found. Pairs are those that the final groups make, not those that were scored alone."""

    precision: float
    recall: float
    false_pairs: tuple[Pair, ...]
    review_per_1000: float
    review_true: float
    """The share of review questions to which the answer is yes."""
    recall_after_review: float
    best_f1: float
    best_threshold: float
    contested: int

    def as_json(self, seconds: float) -> dict[str, Any]:
        """The document that ``matching evaluate --json`` prints."""
        return {
            "auto": {
                "precision": round(self.precision, 4),
                "recall": round(self.recall, 4),
                "false_pairs": len(self.false_pairs),
            },
            "review_per_1000": round(self.review_per_1000, 1),
            "recall_after_review": round(self.recall_after_review, 4),
            "best_f1": round(self.best_f1, 4),
            "seconds": round(seconds, 2),
        }


def measure(records: Collection[Features], judgements: Iterable[Judgement], truth: Truth) -> Figures:
    """Group, compare with the truth, answer all questions rightly, group again, and compare once more."""
    sirens = {record.key: record.siren for record in records}
    judged = list(judgements)
    grouping = group(sirens, judged)
    merged = pairs_of(grouping) - truth.ambiguous
    right = merged & truth.same
    questions = [question for question in grouping.questions if (question.a, question.b) not in truth.ambiguous]
    reviewed = group(sirens, judged, perfect_review(grouping, truth))
    f1, threshold = best_f1(judged, truth)
    return Figures(
        precision=len(right) / len(merged) if merged else 1.0,
        recall=_share(len(right), truth.same),
        false_pairs=tuple(sorted(merged - truth.same)),
        review_per_1000=1000 * len(grouping.questions) / max(1, len(records)),
        review_true=_share(sum((question.a, question.b) in truth.same for question in questions), questions),
        recall_after_review=_share(len(pairs_of(reviewed) & truth.same), truth.same),
        best_f1=f1,
        best_threshold=threshold,
        contested=len(grouping.contested),
    )


def pairs_of(grouping: Grouping) -> set[Pair]:
    """All pairs of records that are in one group."""
    return {pair for keys in grouping.groups for pair in combinations(keys, 2)}


def perfect_review(grouping: Grouping, truth: Truth) -> list[Decision]:
    """What staff would say who knew the truth. Each question is about two records; they answer for those alone."""
    return [
        Decision(question.a, question.b, "confirmed" if (question.a, question.b) in truth.same else "rejected")
        for question in grouping.questions
    ]


def best_f1(judgements: Sequence[Judgement], truth: Truth) -> tuple[float, float]:
    """The best F1 that any one threshold on the score gives, and that threshold; guard and groups left out."""
    scored = sorted(
        (judgement for judgement in judgements if (judgement.a, judgement.b) not in truth.ambiguous),
        key=lambda judgement: -judgement.score,
    )
    best, threshold, right = 0.0, 0.0, 0
    for count, judgement in enumerate(scored, 1):
        right += (judgement.a, judgement.b) in truth.same
        if count < len(scored) and scored[count].score == judgement.score:
            continue  # a threshold cannot part equals
        f1 = 2 * right / (count + len(truth.same))
        if f1 > best:
            best, threshold = f1, judgement.score
    return best, threshold


def _share(part: int, whole: Collection[Any]) -> float:
    return part / len(whole) if whole else 1.0


def truth_of(companies: Mapping[RecordKey, str]) -> frozenset[Pair]:
    """All pairs of records of one company."""
    members: dict[str, list[RecordKey]] = {}
    for key, company in sorted(companies.items()):
        members.setdefault(company, []).append(key)
    return frozenset(pair for keys in members.values() for pair in combinations(keys, 2))
