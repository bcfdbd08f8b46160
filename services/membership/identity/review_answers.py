"""The review queue as staff read it: which members may be one company, side by side, with the evidence in words."""

from asyncio import to_thread
from collections.abc import Sequence
from typing import Any

from services.membership.identity import review_queries
from services.membership.identity.members import Group, member_id_of
from services.membership.identity.review import CONTRADICTIONS, DOING, Case, Question, cases
from services.membership.identity.review_queries import Crowd, SideBySide
from services.membership.matching.comparison import comparison
from services.membership.matching.evidence import evidence, names, why_not_merged
from services.membership.matching.explanations import CROWDS
from services.membership.matching.weights import Weights
from services.membership.records.record import RecordKey
from services.membership.rows import Rows
from services.membership.translations import Language

WRITTEN = (
    "name", "brand", "legal_form", "siren", "siret", "vat", "naf", "email", "website", "phone", "mobile", "street",
    "postcode", "city", "country", "contact_first_name", "contact_last_name", "contact_role", "same_as",
)  # fmt: skip
"""The fields that evidence speaks of, or that help a person who reads it, in the order in which they are shown."""


MOST_CROWDS = 100
EXAMPLES = 5
"""Records that are named of a crowd."""


async def all_cases(rows: Rows) -> list[Case]:
    """All that is open, the largest gain first, computed: what the rows of :mod:`review_rows` must equal.

    ``rows`` should be one transaction.
    """
    outline = await review_queries.outline(rows)
    # Ten milliseconds of work for some hundred cases: whoever asks for a member meanwhile must not wait for it.
    return await to_thread(cases, outline.sirens, outline.judgements, outline.decisions, outline.doing)


async def all_crowds(rows: Rows) -> list[Crowd]:
    """The crowds that staff are shown. ``rows`` should be one transaction."""
    return await review_queries.crowds(rows, limit=MOST_CROWDS, examples=EXAMPLES)


def too_many_alike(crowds: Sequence[Crowd], language: Language) -> list[dict[str, Any]]:
    """Records that are too many alike to be compared each with each: staff should ask where they come from."""
    return [
        {
            "code": code,
            "shared": crowd.key[2:].strip(),
            "records": crowd.records,
            "examples": names(crowd.examples),
            "words": words[language],
        }
        for crowd in crowds
        for code, words in (CROWDS[crowd.key[0]],)
    ]


async def described(rows: Rows, page: Sequence[Case], weights: Weights, language: Language) -> list[dict[str, Any]]:
    """Cases as they are answered, with what their members are listed as and what their records say."""
    groups = {records for case in page for records in case.members}
    members = {member_id_of(records) for records in groups}
    shown = await review_queries.side_by_side(rows, members, {key for records in groups for key in records})
    return [_case(case, shown, weights, language) for case in page]


def _case(case: Case, shown: SideBySide, weights: Weights, language: Language) -> dict[str, Any]:
    of = {key: member_id_of(records) for records in case.members for key in records}
    return {
        "id": case.case_id,
        "kind": case.kind,
        "gain": case.gain,
        "probability": case.probability,
        "score": case.score,
        "members": [_member(records, shown) for records in case.members],
        "questions": [_question(question, of, shown, weights, language) for question in case.questions],
        "contradictions": [
            {
                "code": contradiction.kind,
                "records": names((contradiction.a, contradiction.b)),
                "words": CONTRADICTIONS[contradiction.kind][language],
            }
            for contradiction in case.contradictions
        ],
        "held_back": [names(pair) for pair in case.held_back],
    }


def _member(records: Group, shown: SideBySide) -> dict[str, Any]:
    member_id = member_id_of(records)
    listed = shown.members.get(member_id, {})
    return {
        "id": member_id,
        **{name: listed.get(name) for name in ("name", "siren", "city")},
        "clusters": listed.get("clusters") or sorted({key.cluster for key in records}),
        "records": [_record(key, shown) for key in records],
    }


def _record(key: RecordKey, shown: SideBySide) -> dict[str, Any]:
    written = shown.written.get(key, {})
    return {
        "record": str(key),
        "cluster": key.cluster,
        "record_id": key.record_id,
        "written": {name: written[name] for name in WRITTEN if name in written},
    }


def _question(
    question: Question, of: dict[RecordKey, str], shown: SideBySide, weights: Weights, language: Language
) -> dict[str, Any]:
    judgement = question.judgement
    left, right = (shown.written.get(key, {}) for key in question.records)
    return {
        "records": names(question.records),
        "members": [of[key] for key in question.records],
        "gain": question.gain,
        "probability": question.probability,
        "score": judgement.score,
        "twice": [{"code": code, "words": DOING[code][language]} for code in question.twice],
        "not_merged": why_not_merged(judgement.refused, language),
        "prior": weights.prior,
        "evidence": evidence(judgement.levels, weights, language),
        "comparison": comparison(judgement.levels, left, right, language),
    }
