"""Records, and what was judged of them."""

from services.membership.matching.score import Judgement, Verdict
from services.membership.records.record import RecordKey
from tests.unit.membership.matching.builders import NOTHING

FIRST, TWO = "732829320", "552100554"


def linked(a: RecordKey, b: RecordKey, score: float = 9.0, verdict: Verdict = "auto") -> Judgement:
    return Judgement(min(a, b), max(a, b), score, verdict, None, NOTHING)


def sirens(**numbers: str | None) -> dict[RecordKey, str | None]:
    return {RecordKey("north", letter): number for letter, number in numbers.items()}
