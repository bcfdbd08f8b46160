"""What is open between members: the little that all cases are made of, and the much that one page of them shows."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from services.membership.identity.review import Doing
from services.membership.matching.grouping import Decision
from services.membership.matching.levels import Levels
from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey
from services.membership.records.rows import columns
from services.membership.rows import Rows

# Two members are in question where a judged pair, or a confirmed one, has a record in each. All records of both are
# needed: what holds them together inside decides which of the pairs between them is a question.
_RECORDS = """
    with met as (
        select a.member_id as one, b.member_id as other
        from match_pairs p
        join source_records a on a.cluster = p.a_cluster and a.record_id = p.a_record_id and not a.removed
        join source_records b on b.cluster = p.b_cluster and b.record_id = p.b_record_id and not b.removed
        where a.member_id <> b.member_id
        union
        select a.member_id, b.member_id
        from decisions d
        join decision_pairs p on p.decision_id = d.id and p.verdict = 'confirmed'
        join source_records a on a.cluster = p.a_cluster and a.record_id = p.a_record_id and not a.removed
        join source_records b on b.cluster = p.b_cluster and b.record_id = p.b_record_id and not b.removed
        where d.taken_back_at is null and a.member_id <> b.member_id
    ), members as (select one as member_id from met union select other from met)
    select s.cluster, s.record_id, s.siren, s.member_id::text
    from members join source_records s using (member_id) where not s.removed
"""
# The same from some records on, however far one question leads to the next.
_AROUND = """
    with recursive reached (member_id) as (
        select s.member_id from unnest($1::text[], $2::text[]) as n (cluster, record_id)
        join source_records s using (cluster, record_id) where s.member_id is not null
        union
        select near.member_id from reached r cross join lateral (
            select b.member_id from source_records a
            join match_pairs p on p.a_cluster = a.cluster and p.a_record_id = a.record_id
            join source_records b on b.cluster = p.b_cluster and b.record_id = p.b_record_id and not b.removed
            where a.member_id = r.member_id and not a.removed and b.member_id <> a.member_id
            union all
            select a.member_id from source_records b
            join match_pairs p on p.b_cluster = b.cluster and p.b_record_id = b.record_id
            join source_records a on a.cluster = p.a_cluster and a.record_id = p.a_record_id and not a.removed
            where b.member_id = r.member_id and not b.removed and a.member_id <> b.member_id
            union all
            select b.member_id from source_records a
            join decision_pairs p on p.a_cluster = a.cluster and p.a_record_id = a.record_id
              and p.verdict = 'confirmed'
            join decisions d on d.id = p.decision_id and d.taken_back_at is null
            join source_records b on b.cluster = p.b_cluster and b.record_id = p.b_record_id and not b.removed
            where a.member_id = r.member_id and not a.removed and b.member_id <> a.member_id
            union all
            select a.member_id from source_records b
            join decision_pairs p on p.b_cluster = b.cluster and p.b_record_id = b.record_id
              and p.verdict = 'confirmed'
            join decisions d on d.id = p.decision_id and d.taken_back_at is null
            join source_records a on a.cluster = p.a_cluster and a.record_id = p.a_record_id and not a.removed
            where b.member_id = r.member_id and not b.removed and a.member_id <> b.member_id
        ) near
    )
    select s.cluster, s.record_id, s.siren, s.member_id::text
    from reached join source_records s using (member_id) where not s.removed
"""
_PAIRS = """
    select p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id, p.score, p.verdict, p.refused, p.levels
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join match_pairs p on p.a_cluster = n.cluster and p.a_record_id = n.record_id
"""
_DECISIONS = """
    select p.a_cluster, p.a_record_id, p.b_cluster, p.b_record_id, p.verdict, p.decision_id
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join decision_pairs p on p.a_cluster = n.cluster and p.a_record_id = n.record_id
    join decisions d on d.id = p.decision_id and d.taken_back_at is null
"""
_DOING = """
    select v.member_id::text, 'active' as doing from views v where v.member_id = any($3::uuid[]) and v.active
    union
    select n.member_id, case r.kind when 'invoice' then 'invoiced' when 'registration' then 'registered'
                                    else 'mailed' end
    from unnest($1::text[], $2::text[], $4::text[]) as n (cluster, record_id, member_id)
    join related r using (cluster, record_id)
    where r.kind in ('invoice', 'registration', 'consent', 'mailing')
"""
# The largest first. What is in nobody's queue must not hide behind it: staff see how many records, and a few of them.
_CROWDS = """
    with crowds as (
        select c.key, count(*)::int as records from match_crowds c join match_keys m using (key)
        group by c.key order by records desc, c.key limit $1
    )
    select c.key, c.records, met.clusters, met.ids from crowds c cross join lateral (
        select array_agg(few.cluster) as clusters, array_agg(few.record_id) as ids
        from (
            select f.cluster, f.record_id from match_keys m join match_features f using (record)
            where m.key = c.key order by f.cluster collate "C", f.record_id collate "C" limit $2
        ) as few
    ) as met
    order by c.records desc, c.key
"""
_MEMBERS = "select member_id::text, summary, clusters from views where member_id = any($1::uuid[])"
_WRITTEN = """
    select cluster, record_id, written
    from unnest($1::text[], $2::text[]) as n (cluster, record_id) join source_records using (cluster, record_id)
"""


@dataclass(frozen=True, slots=True)
class Outline:
    """What :func:`review.cases` takes, and whose records these are."""

    sirens: dict[RecordKey, str | None]
    judgements: list[Judgement]
    decisions: list[Decision]
    doing: dict[str, set[Doing]]
    members: dict[RecordKey, str]
    """The member of each record, by id: its first record may be one that was removed."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What members are listed as, by member id, and what their records say as written."""

    members: Mapping[str, Mapping[str, Any]]
    written: Mapping[RecordKey, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Crowd:
    """A key that more records share than are compared with each other, and the first few of them."""

    key: str
    records: int
    examples: tuple[RecordKey, ...]


async def crowds(rows: Rows, *, limit: int, examples: int) -> list[Crowd]:
    """Where records are too many alike to be compared each with each, the largest crowds first."""
    return [
        Crowd(key, records, tuple(map(RecordKey, clusters, ids)))
        for key, records, clusters, ids in await rows.fetch(_CROWDS, limit, examples)
    ]


async def outline(rows: Rows) -> Outline:
    """All that is open. ``rows`` should be one transaction: four statements must see one moment."""
    return await _outline(rows, await rows.fetch(_RECORDS))


async def outline_around(rows: Rows, records: Collection[RecordKey]) -> Outline:
    """What is open about the members of these records, and about all whom that leads to."""
    return await _outline(rows, await rows.fetch(_AROUND, *columns(sorted(records))))


async def _outline(rows: Rows, members: Iterable[Any]) -> Outline:
    result = [(RecordKey(cluster, record_id), siren, member) for cluster, record_id, siren, member in members]
    keys = [key for key, _, _ in result]
    doing: dict[str, set[Doing]] = {}
    of = [member for _, _, member in result]
    for member, what in await rows.fetch(_DOING, *columns(keys), sorted(set(of)), of):
        doing.setdefault(member, set()).add(what)
    return Outline(
        {key: siren for key, siren, _ in result},
        [_judgement(row) for row in await rows.fetch(_PAIRS, *columns(keys))],
        [
            Decision(RecordKey(ac, ar), RecordKey(bc, br), verdict, order)
            for ac, ar, bc, br, verdict, order in await rows.fetch(_DECISIONS, *columns(keys))
        ],
        doing,
        {key: member for key, _, member in result},
    )


async def side_by_side(rows: Rows, members: Collection[str], records: Collection[RecordKey]) -> SideBySide:
    """What is shown of a page of cases."""
    return SideBySide(
        {
            member_id: {**orjson.loads(summary), "clusters": clusters}
            for member_id, summary, clusters in await rows.fetch(_MEMBERS, sorted(members))
        },
        {
            RecordKey(cluster, record_id): orjson.loads(written)
            for cluster, record_id, written in await rows.fetch(_WRITTEN, *columns(sorted(records)))
        },
    )


def _judgement(row: Any) -> Judgement:
    ac, ar, bc, br, score, verdict, refused, levels = row
    return Judgement(RecordKey(ac, ar), RecordKey(bc, br), round(score, 2), verdict, refused, Levels(*levels))
