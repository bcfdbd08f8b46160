"""One case of the review queue as it is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.gateway.auth.caller import Caller
from services.gateway.console.catalogue import Words, typeset
from services.gateway.console.display import Mark, cluster_of, mark_of, marks_for, siren
from services.gateway.console.pages import members
from services.gateway.console.pages.duplicates_evidence import Evidence, Row, evidence_of, rows_of, strongest
from services.gateway.console.shouting import calm_town, member_name, record_name

MOST_QUESTIONS: Final = 10
"""So many questions of a group are shown in full; all of its records are."""
CERTAINTIES: Final = (0.98, 0.85, 0.6, 0.35)
"""Probabilities from which a question is nearly certain, very likely, likely, uncertain."""


@dataclass(frozen=True, slots=True)
class Side:
    """A member in question; ``records`` counts its records in words."""

    name: str
    address: str
    marks: tuple[Mark, ...]
    records: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Whether two members are one company, with what speaks for it and against."""

    left: Side
    right: Side
    certainty: str
    percent: int
    probability: float
    because: str
    twice: str | None
    for_it: tuple[Evidence, ...]
    against: tuple[Evidence, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A source record in question. ``part`` is the number of the company that it is part of today."""

    name: str
    title: str
    about: str
    mark: Mark
    part: str
    field: str


@dataclass(frozen=True, slots=True)
class CaseShown:
    """A case. ``named`` are the records of a pair's decision; a group's are chosen one by one."""

    id: str
    is_group: bool
    named: tuple[str, ...]
    questions: tuple[Asked, ...]
    unlisted: int
    records: tuple[CaseRecord, ...]
    parts: tuple[str, ...]
    contradictions: tuple[str, ...]
    reason_for: str
    reason_against: str
    may_decide: bool


def case_of(case: Mapping[str, Any], person: Caller, marks: Mapping[str, Mark], words: Words) -> CaseShown:
    """The API's case as it is shown to a person."""
    by_id = {member["id"]: member for member in case["members"]}
    questions = tuple(_asked(item, by_id, marks, words) for item in case["questions"][:MOST_QUESTIONS])
    records = records_of(case, marks, words)
    return CaseShown(
        id=case["id"],
        is_group=case["kind"] == "contested",
        named=tuple(case["questions"][0]["records"]),
        questions=questions,
        unlisted=len(case["questions"]) - len(questions),
        records=records,
        parts=tuple(str(number) for number in range(1, min(len(records), 9) + 1)),
        contradictions=tuple(
            words.text(
                "%(name)s : %(value)s",
                name=typeset(item["words"], words.language),
                value=", ".join(item["records"]),
            )
            for item in case["contradictions"]
        ),
        reason_for=strongest(questions[0].for_it),
        reason_against=strongest(questions[0].against),
        may_decide=person.may_in_any("decide-identity", {cluster_of(record.name) for record in records}),
    )


def _asked(
    question: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]], marks: Mapping[str, Mark], words: Words
) -> Asked:
    for_it, against = evidence_of(question, words)
    left, right = (side_of(by_id[member_id], marks, words) for member_id in question["members"])
    probability: float = question["probability"]
    twice = [typeset(item["words"], words.language) for item in question["twice"]]
    return Asked(
        left=left,
        right=right,
        certainty=certainty(probability, words),
        percent=percent(probability),
        probability=probability,
        because=typeset(question["not_merged"]["words"], words.language),
        twice=", ".join(twice) or None,
        for_it=for_it,
        against=against,
        rows=rows_of(question, words),
    )


def side_of(member: Mapping[str, Any], marks: Mapping[str, Mark], words: Words) -> Side:
    """A member of a case."""
    return Side(
        name=member_name(member["name"], words),
        address=f"{members.PATH}/{member['id']}",
        marks=marks_for(member["clusters"], marks),
        records=words.plural("%(num)s fiche", "%(num)s fiches", len(member["records"])),
    )


def records_of(case: Mapping[str, Any], marks: Mapping[str, Mark], words: Words) -> tuple[CaseRecord, ...]:
    """All source records in question, member by member."""
    return tuple(
        CaseRecord(
            name=record["record"],
            title=record_name(record["written"], words),
            about=_about(record["written"]),
            mark=mark_of(record["cluster"], marks),
            part=str(part),
            field=f"fiche_{record['record']}",
        )
        for part, member in enumerate(case["members"], 1)
        for record in member["records"]
    )


def _about(written: Mapping[str, Any]) -> str:
    number, city = written.get("siren"), written.get("city")
    parts = (siren(str(number)) if number else None, calm_town(str(city)) if city else None)
    return " · ".join(part for part in parts if part)


def certainty(probability: float, words: Words) -> str:
    """How certain it is that two are one company, in a word."""
    nearly, very, likely, even = CERTAINTIES
    if probability >= nearly:
        return words.text("Presque sûr")
    if probability >= very:
        return words.text("Très probable")
    if probability >= likely:
        return words.text("Probable")
    return words.text("Incertain") if probability >= even else words.text("Peu probable")


def percent(probability: float) -> int:
    """In per cent; what is not certain is never a hundred."""
    return min(round(probability * 100), 99)


def decision_of(case: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """What a form about a case says, as the API takes it: a verdict on a pair, or the parts of a group."""
    if case["kind"] == "pair":
        return {"verdict": fields.get("verdict", ""), "records": case["questions"][0]["records"]}
    records: Sequence[str] = [record["record"] for member in case["members"] for record in member["records"]]
    parts: dict[str, list[str]] = {}
    for record in records:
        if part := fields.get(f"fiche_{record}"):
            parts.setdefault(part, []).append(record)
    return {"parts": list(parts.values())}
