"""The review queue as rows: cases that the transaction changes which changes what they are made of.

Triggers mark the records about which a case may be another than before. From these all members are read that are in
question with each other, however far; their cases are made as :func:`review.cases` makes all, and replace the rows.
"""

from asyncio import to_thread
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from services.membership.identity import review_queries
from services.membership.identity.review import Case, Kind, Question, cases
from services.membership.matching.contradictions import Contradiction
from services.membership.matching.levels import Levels
from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey
from services.membership.rows import InTransaction, Rows
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import columns_of
from shared.persistence.database import json_of
from shared.persistence.statements import execute, fetch

MOST_MARKS: Final = 5_000
"""Records that a periodic task sees to in one transaction."""

_OWN = "delete from review_changes where transaction = txid_current() returning cluster, record_id"
_ANY = f"""
    delete from review_changes where id in (select id from review_changes order by id limit {MOST_MARKS})
    returning cluster, record_id
"""
_STORED = "select case_id, records, document from review_cases where records && $1::text[]"
_GONE = "delete from review_cases where case_id = any($1::text[])"
_SAVE = """
    insert into review_cases (case_id, kind, gain, probability, clusters, member_ids, records, document)
    select case_id, kind, gain, probability, array(select jsonb_array_elements_text(clusters)),
           array(select jsonb_array_elements_text(member_ids))::uuid[],
           array(select jsonb_array_elements_text(records)), document
    from unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::jsonb[], $6::jsonb[], $7::jsonb[], $8::json[])
        as n (case_id, kind, gain, probability, clusters, member_ids, records, document)
"""
_PAGE = "select document from review_cases"
_BY_GAIN = "order by -gain, case_id limit"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases; None and 0 leave out nothing."""

    cluster: str | None = None
    kind: Kind | None = None
    min_probability: float = 0.0
    member_id: str | None = None


async def refresh_own(uow: UnitOfWork) -> None:
    """Make the cases anew that this transaction changed. It must have the turn to consolidate."""
    await _refresh(uow, await fetch(uow.connection, _OWN))


async def refresh_others(uow: UnitOfWork) -> int:
    """The same for what nobody saw to: what the version before wrote. Returns how many marks there were."""
    marks = await fetch(uow.connection, _ANY)
    await _refresh(uow, marks)
    return len(marks)


async def any_marks(rows: Rows) -> bool:
    """Whether something is left for :func:`refresh_others`."""
    return (await rows.fetch("select exists (select from review_changes)"))[0][0]


async def page(rows: Rows, wanted: Wanted, *, after: tuple[float, str] | None, limit: int) -> list[Case]:
    """Cases by gain; ``after`` is gain and id of the last one before."""
    where, values = _where(wanted)
    if after is not None:
        values += [-after[0], after[1]]
        where.append(f"(-gain, case_id) > (${len(values) - 1}, ${len(values)})")
    values.append(limit)
    found = await rows.fetch(f"{_PAGE} {_all(where)} {_BY_GAIN} ${len(values)}", *values)
    return [_case(json_of(document)) for (document,) in found]


async def by_id(rows: Rows, case_id: str) -> Case | None:
    """One case."""
    result = await rows.fetch(f"{_PAGE} where case_id = $1", case_id)
    return _case(json_of(result[0][0])) if result else None


async def count(rows: Rows, wanted: Wanted) -> int:
    """How many cases are wanted."""
    where, values = _where(wanted)
    return (await rows.fetch(f"select count(*) from review_cases {_all(where)}", *values))[0][0]


def _where(wanted: Wanted) -> tuple[list[str], list[Any]]:
    conditions = {
        "clusters @> array[${}]": wanted.cluster,
        "kind = ${}": wanted.kind,
        "probability >= ${}": wanted.min_probability or None,
        "member_ids @> array[${}::uuid]": wanted.member_id,
    }
    chosen = [(sql, value) for sql, value in conditions.items() if value is not None]
    return [sql.format(number) for number, (sql, _) in enumerate(chosen, 1)], [value for _, value in chosen]


def _all(where: Sequence[str]) -> str:
    return f"where {' and '.join(where)}" if where else ""


# --- how rows come to be -------------------------------------------------------------------------------------------


async def _refresh(uow: UnitOfWork, marks: Iterable[Any]) -> None:
    marked = {RecordKey(*mark) for mark in marks}
    if not marked:
        return
    rows = InTransaction(uow.connection)
    stored = await _stored(rows, marked)
    # Whoever was in a case with a marked record may be in another now, or in none.
    concerned = marked | {_key(record) for records, _ in stored.values() for record in records}
    outline = await review_queries.outline_around(rows, concerned)
    made = await to_thread(cases, outline.sirens, outline.judgements, outline.decisions, outline.doing)
    stored |= await _stored(rows, (outline.sirens.keys() | concerned) - marked)
    now = {case.case_id: (case, _document(case)) for case in made}
    same = {case_id for case_id, (_, document) in now.items() if case_id in stored and stored[case_id][1] == document}
    if gone := stored.keys() - same:
        await execute(uow.connection, _GONE, (sorted(gone),))
    if new := [now[case_id] for case_id in sorted(now.keys() - same)]:
        await execute(uow.connection, _SAVE, _columns(new, outline.members))


async def _stored(rows: Rows, keys: Collection[RecordKey]) -> dict[str, tuple[list[str], Any]]:
    """Cases about any of these records: the records of each, and its document."""
    if not keys:
        return {}
    result = await rows.fetch(_STORED, sorted(map(str, keys)))
    return {case_id: (records, json_of(document)) for case_id, records, document in result}


def _key(record: str) -> RecordKey:
    cluster, _, record_id = record.partition("/")
    return RecordKey(cluster, record_id)


def _columns(new: Sequence[tuple[Case, Mapping[str, Any]]], members: Mapping[RecordKey, str]) -> tuple[list[Any], ...]:
    made = [case for case, _ in new]
    return (
        *columns_of(made, "case_id", "kind", "gain", "probability"),
        [_json(sorted(case.clusters)) for case in made],
        [_json([members[keys[0]] for keys in case.members]) for case in made],
        [_json([str(key) for keys in case.members for key in keys]) for case in made],
        [_json(document) for _, document in new],
    )


def _json(content: Any) -> str:
    return orjson.dumps(content).decode()


def _document(case: Case) -> dict[str, Any]:
    """A case as JSON has it: with lists, and a record as cluster and id."""
    return {
        "id": case.case_id,
        "kind": case.kind,
        "members": [[list(key) for key in keys] for keys in case.members],
        "questions": [
            {
                "a": list(question.judgement.a),
                "b": list(question.judgement.b),
                "score": question.judgement.score,
                "verdict": question.judgement.verdict,
                "refused": question.judgement.refused,
                "levels": list(question.judgement.levels),
                "probability": question.probability,
                "twice": list(question.twice),
                "gain": question.gain,
            }
            for question in case.questions
        ],
        "contradictions": [[list(item.a), list(item.b), item.kind] for item in case.contradictions],
        "held_back": [[list(a), list(b)] for a, b in case.held_back],
    }


def _case(document: Mapping[str, Any]) -> Case:
    return Case(
        case_id=document["id"],
        kind=document["kind"],
        members=tuple(tuple(RecordKey(*key) for key in keys) for keys in document["members"]),
        questions=tuple(map(_question, document["questions"])),
        contradictions=tuple(
            Contradiction(RecordKey(*a), RecordKey(*b), kind) for a, b, kind in document["contradictions"]
        ),
        held_back=tuple((RecordKey(*a), RecordKey(*b)) for a, b in document["held_back"]),
    )


def _question(item: Mapping[str, Any]) -> Question:
    judgement = Judgement(
        RecordKey(*item["a"]),
        RecordKey(*item["b"]),
        item["score"],
        item["verdict"],
        item["refused"],
        Levels(*item["levels"]),
    )
    return Question(judgement=judgement, probability=item["probability"], twice=tuple(item["twice"]), gain=item["gain"])
