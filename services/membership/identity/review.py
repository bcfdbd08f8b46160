"""What staff are asked: which members may be one company, each question put where its answer saves most.

Pure: the same records, judgements and decisions give the same cases, with the same ids.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal

import orjson

from services.membership.identity.members import Group, member_id_of
from services.membership.matching.contradictions import Contradiction, Pair
from services.membership.matching.grouping import Contested, Decision, Grouping, group
from services.membership.matching.levels import FIELDS, Levels
from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey

Kind = Literal["pair", "contested"]
Doing = Literal["active", "invoiced", "registered", "mailed"]

DOING: Final[Mapping[Doing, Mapping[str, str]]] = {
    "active": {"fr": "deux adhésions en cours", "en": "two memberships in force"},
    "invoiced": {"fr": "facturé par les deux", "en": "invoiced by both"},
    "registered": {"fr": "inscrit à des événements chez les deux", "en": "registered for events with both"},
    "mailed": {"fr": "des envois ou consentements chez les deux", "en": "mailings or consents with both"},
}
"""What is done with a member, in the words for what is done twice."""

CONTRADICTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "sirens-differ": {
        "fr": "Deux SIREN valides et différents dans un même groupe",
        "en": "Two valid SIRENs that differ, in one group",
    },
    "rejected": {
        "fr": "Une décision dit que ces deux fiches ne sont pas une même structure",
        "en": "A decision says that these two records are not one company",
    },
}

_NOTHING: Final[frozenset[Doing]] = frozenset()
_UNKNOWN = Levels(*(None for _ in FIELDS))


@dataclass(frozen=True, slots=True)
class Question:
    """Whether two members are one company, asked by their best scored records."""

    judgement: Judgement
    probability: float
    twice: tuple[Doing, ...]
    """What is done with both today, and would be done once."""
    gain: float

    @property
    def records(self) -> Pair:
        """The two that it is asked of."""
        return self.judgement.a, self.judgement.b


@dataclass(frozen=True, slots=True)
class Case:
    """Two members, or all members of a contested group; ``questions`` come by gain and there is at least one."""

    case_id: str
    kind: Kind
    members: tuple[Group, ...]
    questions: tuple[Question, ...]
    contradictions: tuple[Contradiction, ...] = ()
    held_back: tuple[Pair, ...] = ()

    @property
    def gain(self) -> float:
        """What right answers to all its questions save."""
        return round(sum(question.gain for question in self.questions), 4)

    @property
    def score(self) -> float:
        """The best of its questions'."""
        return max(question.judgement.score for question in self.questions)

    @property
    def probability(self) -> float:
        """The best of its questions'."""
        return max(question.probability for question in self.questions)

    @property
    def clusters(self) -> set[str]:
        """Those that its records come from."""
        return {key.cluster for records in self.members for key in records}


def probability_of(score: float) -> float:
    """Of odds in bits: 0 bits are one half, 3 bits are eight to one."""
    return round(1 / (1 + 2.0 ** -max(-1_000.0, min(score, 1_000.0))), 4)


def gain_of(probability: float, twice: Sequence[Doing]) -> float:
    """What a right answer saves, in things that are done twice today: those there are if the two are one company.

    Being listed twice counts one, and so does each of :data:`Doing` that is done with both: an active membership here
    and there, invoices, registrations, and mailings or consents. Nothing is saved if the two are different companies.
    """
    return round(probability * (1 + len(twice)), 4)


def cases(
    sirens: Mapping[RecordKey, str | None],
    judgements: Iterable[Judgement],
    decisions: Iterable[Decision],
    doing: Mapping[str, AbstractSet[Doing]],
) -> list[Case]:
    """All that is open among these records, the largest gain first.

    ``sirens``, ``judgements`` and ``decisions`` are as :func:`grouping.group` takes them, closed as it asks; ``doing``
    is by member id. A contested group is one case, whatever number of its members are in question.
    """
    judged, decided = sorted(judgements), list(decisions)
    grouping = group(sirens, judged, decided)
    of = {key: records for records in grouping.groups for key in records}
    contested = {key: item for item in grouping.contested for key in item.records}
    asked: defaultdict[Contested, list[Question]] = defaultdict(list)
    pairs: list[Case] = []
    for judgement in (*grouping.questions, *_against_decisions(grouping, of, judged, decided)):
        question = _question(judgement, of, doing)
        inside = contested.get(judgement.a)
        if inside is not None and contested.get(judgement.b) is inside:
            asked[inside].append(question)
        else:
            both = tuple(sorted((of[judgement.a], of[judgement.b])))
            pairs.append(Case(case_id_of(question.records), "pair", both, (question,)))
    groups = [_contested(item, questions, of) for item, questions in asked.items()]
    return sorted([*pairs, *groups], key=lambda case: (-case.gain, case.case_id))


def case_id_of(records: Iterable[RecordKey]) -> str:
    """The same whenever the same records are in question."""
    return blake2b(orjson.dumps(sorted(str(key) for key in records)), digest_size=8).hexdigest()


def _question(judgement: Judgement, of: Mapping[RecordKey, Group], doing: Mapping[str, AbstractSet[Doing]]) -> Question:
    item, other = (doing.get(member_id_of(of[key]), _NOTHING) for key in (judgement.a, judgement.b))
    twice: tuple[Doing, ...] = tuple(name for name in DOING if name in item & other)
    probability = probability_of(judgement.score)
    return Question(judgement, probability, twice, gain_of(probability, twice))


def _contested(contested: Contested, questions: Sequence[Question], of: Mapping[RecordKey, Group]) -> Case:
    return Case(
        case_id_of(contested.records),
        "contested",
        tuple(sorted({of[key] for key in contested.records})),
        tuple(sorted(questions, key=lambda question: (-question.gain, question.records))),
        contested.contradictions,
        contested.held_back,
    )


def _against_decisions(
    grouping: Grouping, of: Mapping[RecordKey, Group], judgements: Iterable[Judgement], decisions: Iterable[Decision]
) -> list[Judgement]:
    """Pairs that staff confirmed, and that could not be followed because of what staff rejected since.

    Nobody scores a decision: one that stands against others is as good as theirs, so its odds are even.
    """
    confirmed = {(decision.a, decision.b) for decision in decisions if decision.kind == "confirmed"}
    levels = {(judgement.a, judgement.b): judgement.levels for judgement in judgements}
    asked = {frozenset((of[question.a], of[question.b])) for question in grouping.questions}
    against: list[Judgement] = []
    for a, b in (pair for contested in grouping.contested for pair in contested.held_back if pair in confirmed):
        if (between := frozenset((of[a], of[b]))) not in asked:
            asked.add(between)
            against.append(Judgement(a, b, 0.0, "review", "contradiction", levels.get((a, b), _UNKNOWN)))
    return against
