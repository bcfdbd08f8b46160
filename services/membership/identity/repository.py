"""Links, decisions, and what merged and separated."""

from asyncio import to_thread
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.membership.identity.decisions import Decision, Signature
from services.membership.matching import grouping
from services.membership.matching.levels import Levels
from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey
from services.membership.records.rows import columns, pair_columns
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.statements import execute, fetch, fetch_value

_LINKS = """
    select p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id, p.score, p.levels
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join match_pairs p on p.a_cluster = n.cluster and p.a_record_id = n.record_id and p.verdict = 'auto'
"""
_DECISIONS = """
    select p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id, p.verdict, p.decision_id
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join decision_pairs p on p.a_cluster = n.cluster and p.a_record_id = n.record_id
    join decisions d on d.id = p.decision_id and d.taken_back_at is null
"""
_DECIDE = "insert into decisions (author, reason, key_id) values ($1, $2, $3) returning id"
_DECIDE_PAIRS = """
    insert into decision_pairs (decision_id, a_cluster, a_record_id, b_cluster, b_record_id, verdict)
    select $1::bigint, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
"""
_TAKE_BACK = """
    update decisions set taken_back_at = now(), taken_back_by = $2, taken_back_reason = $3
    where id = $1 and taken_back_at is null
    returning id
"""
_DECIDED = """
    select p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id, d.taken_back_at
    from decisions d join decision_pairs p on p.decision_id = d.id where d.id = $1
"""
_NEXT = "select nextval('identity_version')"
_REMEMBER = """
    insert into identity_history (version, what, member_ids, document)
    select version, what, string_to_array(member_ids, ' ')::uuid[], document
    from unnest($1::bigint[], $2::text[], $3::text[], $4::json[]) as n (version, what, member_ids, document)
"""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One entry of members' identity history: a merge or a separation, with every member id that it concerns."""

    what: str
    member_ids: Sequence[str]
    document: Mapping[str, Any]


class Identity(UnitOfWork):
    """Who is who, by whose word, and since when."""

    async def links(self, keys: Iterable[RecordKey]) -> list[Judgement]:
        """The automatic links among these records, if they are all that links lead to."""
        rows = await fetch(self.connection, _LINKS, columns(sorted(keys)))
        return await to_thread(_judgements, rows)

    async def decisions(self, keys: Iterable[RecordKey]) -> list[grouping.Decision]:
        """The decisions in force whose first record is one of these; ``order`` is the decision's number."""
        rows = await fetch(self.connection, _DECISIONS, columns(sorted(keys)))
        return [
            grouping.Decision(RecordKey(ac, ar), RecordKey(bc, br), verdict, order)
            for ac, ar, bc, br, verdict, order in rows
        ]

    async def save_decision(self, decision: Decision, signature: Signature) -> int:
        """Keep a decision; returns its number."""
        signed = (signature.author, signature.reason, signature.key_id)
        number: int = await fetch_value(self.connection, _DECIDE, signed)
        verdicts = decision.verdicts
        pairs = sorted(verdicts)
        await execute(
            self.connection, _DECIDE_PAIRS, (number, *pair_columns(pairs), [verdicts[pair] for pair in pairs])
        )
        return number

    async def take_back_decision(self, number: int, signature: Signature) -> bool:
        """Mark a decision as taken back; False if it was already, or does not exist."""
        taken = (number, signature.author, signature.reason)
        return await fetch_value(self.connection, _TAKE_BACK, taken) is not None

    async def records_decided(self, number: int) -> tuple[set[RecordKey], datetime | None] | None:
        """The records that a decision speaks of, and when it was taken back; None if there is no such decision."""
        rows = await fetch(self.connection, _DECIDED, (number,))
        if not rows:
            return None
        return {key for ac, ar, bc, br, _ in rows for key in (RecordKey(ac, ar), RecordKey(bc, br))}, rows[0][4]

    async def next_version(self) -> int:
        """A number larger than any before; whoever writes has the turn, so numbers grow in the order of commits."""
        return await fetch_value(self.connection, _NEXT)

    async def remember(self, version: int, entries: Sequence[Remembered]) -> None:
        """Add to the identity history."""
        await execute(
            self.connection,
            _REMEMBER,
            (
                [version] * len(entries),
                [entry.what for entry in entries],
                [" ".join(entry.member_ids) for entry in entries],
                [orjson.dumps(entry.document).decode() for entry in entries],
            ),
        )


def _judgements(rows: Iterable[Any]) -> list[Judgement]:
    return [
        Judgement(RecordKey(ac, ar), RecordKey(bc, br), round(score, 2), "auto", None, Levels(*levels))
        for ac, ar, bc, br, score, levels in rows
    ]
