"""Who a member is and has been: what merged and separated, what staff decided, and what holds it together now."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.membership.identity import queries
from services.membership.identity.decisions import Decided
from services.membership.identity.queries import DecisionTaken, JoinedRecords, Moment, Turn
from services.membership.identity.review import case_id_of
from services.membership.matching.evidence import evidence, levels_of, names
from services.membership.matching.score import Judgement
from services.membership.matching.weights import Weights
from services.membership.rows import Rows
from services.membership.translations import Language

VERDICTS = {"confirmed": "same", "rejected": "different"}
"""A decision's verdict on a pair, as staff say it."""

END = Moment(datetime(9999, 1, 1, tzinfo=UTC), 9, 2**63 - 1)
"""After every turn."""


async def identity(rows: Rows, member_id: str, weights: Weights, language: Language) -> dict[str, Any]:
    """``records``, those that were ``removed``, and ``links``: by evidence, or by the word of a decision."""
    joined_records = await queries.joined_records(rows, member_id)
    decisions = await queries.decisions_named(rows, {number for _, _, number in joined_records.confirmed})
    return {
        "id": member_id,
        "records": names(joined_records.records),
        "removed": names(joined_records.removed),
        "links": _links(joined_records, decisions, weights, language),
    }


async def history(
    rows: Rows, member_id: str, asked_id: str, weights: Weights, language: Language, *, before: Moment, limit: int
) -> list[tuple[Moment, dict[str, Any]]]:
    """Turns as they are answered, newest first, each with its position."""
    result = await queries.turns(rows, member_id, asked_id, before=before, limit=limit)
    decisions = await queries.decisions_named(rows, _decisions_in(result))
    return [(turn.moment, _turn(turn, decisions, weights, language)) for turn in result]


def decision(item: DecisionTaken) -> dict[str, Any]:
    """A decision as it is answered; ``taken_back`` is null while it counts."""
    asked = {case_id_of((a, b)) for a, b, _ in item.pairs}
    return {
        "decision": item.number,
        "at": item.decided_at,
        "author": item.author,
        "reason": item.reason,
        "key_id": item.key_id,
        "pairs": [{"records": names((a, b)), "verdict": VERDICTS[verdict]} for a, b, verdict in item.pairs],
        "cases": sorted(asked | {case_id_of({key for a, b, _ in item.pairs for key in (a, b)})}),
        "taken_back": _taken_back(item),
    }


def just_decided(decided: Decided) -> dict[str, Any]:
    """What a decision did, to whoever has just taken it."""
    return {
        "decision": decided.number,
        "repeated": decided.repeated,
        "members": {str(key): member_id for key, member_id in sorted(decided.members.items())},
    }


def _taken_back(item: DecisionTaken) -> dict[str, Any] | None:
    if item.taken_back_at is None:
        return None
    return {"at": item.taken_back_at, "author": item.taken_back_by, "reason": item.taken_back_reason}


def _links(
    records: JoinedRecords, decisions: Mapping[int, DecisionTaken], weights: Weights, language: Language
) -> list[dict[str, Any]]:
    decided = [
        {"records": names((a, b)), "by": "decision", **_signed(decisions[number])} for a, b, number in records.confirmed
    ]
    return [*decided, *(_evident(judgement, weights, language) for judgement in records.judged)]


def _evident(judgement: Judgement, weights: Weights, language: Language) -> dict[str, Any]:
    return {
        "records": names((judgement.a, judgement.b)),
        "by": "evidence",
        "score": judgement.score,
        "evidence": evidence(judgement.levels, weights, language),
    }


def _signed(item: DecisionTaken) -> dict[str, Any]:
    return {"decision": item.number, "at": item.decided_at, "author": item.author, "reason": item.reason}


def _decisions_in(result: Sequence[Turn]) -> set[int]:
    numbers = {turn.moment.number for turn in result if turn.document is None}
    for document in (turn.document for turn in result if turn.document is not None):
        cause = document.get("cause", {}).get("decision")
        numbers |= {item["decision"] for item in document.get("links", ()) if "decision" in item}
        numbers |= set() if cause is None else {cause}
    return numbers


def _turn(turn: Turn, decisions: Mapping[int, DecisionTaken], weights: Weights, language: Language) -> dict[str, Any]:
    if turn.document is None:
        document = decision(decisions[turn.moment.number])
        return {"what": turn.what, **document, "at": turn.moment.at}
    content = dict(turn.document)
    if "links" in content:
        content["links"] = [_remembered(item, decisions, weights, language) for item in content["links"]]
    content["cause"] = _cause(content.get("cause", {}), decisions, turn.moment.at)
    return {"what": turn.what, "at": turn.moment.at, **content}


def _remembered(
    link: Mapping[str, Any], decisions: Mapping[int, DecisionTaken], weights: Weights, language: Language
) -> dict[str, Any]:
    records = [link["a"], link["b"]]
    if "decision" in link:
        return {"records": records, "by": "decision", **_by_number(link["decision"], decisions)}
    levels = levels_of(link["levels"])
    reasons = evidence(levels, weights, language)
    return {"records": records, "by": "evidence", "score": link["score"], "evidence": reasons}


def _cause(cause: Mapping[str, Any], decisions: Mapping[int, DecisionTaken], at: datetime) -> dict[str, Any]:
    if "decision" not in cause:
        return {"by": "records", **cause}
    known = decisions.get(cause["decision"])
    # What a transaction does has one instant: this tells whether the decision was the cause, or taking it back.
    if known is not None and known.taken_back_at == at:
        return {"by": "taken-back", "decision": known.number, **(_taken_back(known) or {})}
    return {"by": "decision", **_by_number(cause["decision"], decisions)}


def _by_number(number: int, decisions: Mapping[int, DecisionTaken]) -> dict[str, Any]:
    known = decisions.get(number)
    return {"decision": number} if known is None else _signed(known)
