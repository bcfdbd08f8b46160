"""Decisions as they were taken, and what became of a member's identity."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from services.membership.identity.decisions import Decision
from services.membership.matching.levels import Levels
from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey
from services.membership.records.rows import columns
from services.membership.rows import Rows

_DECISION = "id, author, reason, key_id, decided_at, taken_back_at, taken_back_by, taken_back_reason"
_NEWEST = f"select {_DECISION} from decisions where id < $1 order by id desc limit $2"
_NAMED = f"select {_DECISION} from decisions where id = any($1::bigint[]) order by id desc"
_DECIDED = """
    select decision_id, a_cluster, a_record_id, b_cluster, b_record_id, verdict from decision_pairs
    where decision_id = any($1::bigint[])
    order by decision_id, a_cluster, a_record_id, b_cluster, b_record_id
"""
_RECORDS = (
    "select cluster, record_id, removed from source_records where member_id = $1::uuid order by cluster, record_id"
)
# A decision, and what merged or separated by it, have the same instant: the consequence is the newer.
_TURNS = """
    with own as materialized (
        select cluster, record_id, own_id from source_records where member_id = $1::uuid
    ), decided as materialized (
        select distinct p.decision_id
        from own join decision_pairs p
          on (p.a_cluster = own.cluster and p.a_record_id = own.record_id)
          or (p.b_cluster = own.cluster and p.b_record_id = own.record_id)
    ), turns as (
        select at, 2 as rank, id, what, document from identity_history
        where member_ids && (array(select own_id from own) || $2::uuid)
        union all
        select d.taken_back_at, 1, d.id, 'taken-back', null
        from decided join decisions d on d.id = decided.decision_id where d.taken_back_at is not null
        union all
        select d.decided_at, 0, d.id, 'decided', null from decided join decisions d on d.id = decided.decision_id
    )
    select at, rank, id, what, document from turns where (at, rank, id) < ($3, $4, $5)
    order by at desc, rank desc, id desc limit $6
"""
_LINKS = """
    select p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id, p.score, p.levels
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join match_pairs p on p.a_cluster = n.cluster and p.a_record_id = n.record_id and p.verdict = 'auto'
"""
_IN_FORCE = """
    select distinct on (p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id)
           p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id, p.verdict, p.decision_id
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join decision_pairs p on p.a_cluster = n.cluster and p.a_record_id = n.record_id
    join decisions d on d.id = p.decision_id and d.taken_back_at is null
    order by p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id, p.decision_id desc
"""


@dataclass(frozen=True, slots=True)
class DecisionTaken:
    """A decision with all that is known of it; ``pairs`` with their verdict."""

    number: int
    author: str
    reason: str
    key_id: str | None
    decided_at: datetime
    taken_back_at: datetime | None
    taken_back_by: str | None
    taken_back_reason: str | None
    pairs: tuple[tuple[RecordKey, RecordKey, str], ...] = ()

    def as_decision(self) -> Decision:
        """What it says, without who said it."""
        confirmed = tuple((a, b) for a, b, verdict in self.pairs if verdict == "confirmed")
        return Decision(confirmed, tuple((a, b) for a, b, verdict in self.pairs if verdict == "rejected"))


class Moment(NamedTuple):
    """Where a turn stands among all, for a page cursor."""

    at: datetime
    rank: int
    number: int


class Turn(NamedTuple):
    """``merged`` and ``separated`` with their document, ``decided`` and ``taken-back`` with the decision's number."""

    moment: Moment
    what: str
    document: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class JoinedRecords:
    """A member's records, removed ones apart, and the links among them that count now."""

    records: tuple[RecordKey, ...]
    removed: tuple[RecordKey, ...]
    judged: tuple[Judgement, ...]
    confirmed: tuple[tuple[RecordKey, RecordKey, int], ...]
    """With the number of the decision."""


async def newest_decisions(rows: Rows, *, before: int, limit: int) -> list[DecisionTaken]:
    """Decisions with a smaller number than ``before``, the newest first."""
    return await _with_pairs(rows, await rows.fetch(_NEWEST, before, limit))


async def decisions_named(rows: Rows, numbers: Collection[int]) -> dict[int, DecisionTaken]:
    """Decisions by their number; one that does not exist is missing."""
    return {pair.number: pair for pair in await _with_pairs(rows, await rows.fetch(_NAMED, sorted(numbers)))}


async def turns(rows: Rows, member_id: str, asked_id: str, *, before: Moment, limit: int) -> list[Turn]:
    """What happened to who a member is, newest first: of all its records, and of the id that was asked for."""
    return [
        Turn(Moment(at, rank, number), what, None if document is None else orjson.loads(document))
        for at, rank, number, what, document in await rows.fetch(_TURNS, member_id, asked_id, *before, limit)
    ]


async def joined_records(rows: Rows, member_id: str) -> JoinedRecords:
    """What makes a member's records one member now."""
    result = [
        (RecordKey(cluster, record_id), removed)
        for cluster, record_id, removed in await rows.fetch(_RECORDS, member_id)
    ]
    present = [key for key, removed in result if not removed]
    decided = list(_decided(await rows.fetch(_IN_FORCE, *columns(present))))
    pairs = {(a, b) for a, b, _, _ in decided}
    judged = (
        Judgement(RecordKey(ac, ar), RecordKey(bc, br), round(score, 2), "auto", None, Levels(*levels))
        for ac, ar, bc, br, score, levels in await rows.fetch(_LINKS, *columns(present))
    )
    inside = set(present)
    return JoinedRecords(
        tuple(present),
        tuple(key for key, removed in result if removed),
        tuple(
            sorted(
                judgement
                for judgement in judged
                if (judgement.a, judgement.b) not in pairs and inside.issuperset((judgement.a, judgement.b))
            )
        ),
        tuple((a, b, number) for a, b, verdict, number in decided if verdict == "confirmed" and {a, b} <= inside),
    )


async def _with_pairs(rows: Rows, result: Collection[Any]) -> list[DecisionTaken]:
    pairs: dict[int, list[tuple[RecordKey, RecordKey, str]]] = {}
    for number, ac, ar, bc, br, verdict in await rows.fetch(_DECIDED, [number for number, *_ in result]):
        pairs.setdefault(number, []).append((RecordKey(ac, ar), RecordKey(bc, br), verdict))
    return [DecisionTaken(*row, pairs=tuple(pairs.get(row[0], ()))) for row in result]


def _decided(rows: Iterable[Any]) -> Iterable[tuple[RecordKey, RecordKey, str, int]]:
    for ac, ar, bc, br, verdict, number in rows:
        yield RecordKey(ac, ar), RecordKey(bc, br), verdict, number
