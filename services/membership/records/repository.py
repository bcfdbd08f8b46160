"""Source records: what former systems said, and which member each is part of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from services.membership.records.record import RecordKey, SourceRecord
from services.membership.records.rows import RECORD, columns, record_of
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import columns_of
from shared.persistence.statements import execute, fetch, fetch_column, fetch_value

# Whoever has the turn looks things up by the keys of a batch. Left to itself the server plans anew for a batch of one,
# for it takes an array of unknown length for ten: that was half of its work for a single message.
LOCK = """
    select pg_advisory_xact_lock(hashtext('consolidation')), set_config('plan_cache_mode', 'force_generic_plan', true)
"""

_STORED = """
    select held.cluster, held.record_id, held.version, held.digest, held.written_version, held.written_digest,
           held.written_here, held.written, held.understood,
           held.siren, held.same_as, held.name_key, held.member_id::text, held.removed
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join source_records held using (cluster, record_id)
"""
_SAVE = """
    insert into source_records as held
        (cluster, record_id, version, digest, written_version, written_digest, written_here, removed, written,
         understood, siren, same_as, name_key, own_id, member_id)
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bytea[], $7::boolean[],
                         $8::boolean[], $9::json[], $10::json[], $11::text[], $12::text[], $13::text[], $14::uuid[],
                         $15::uuid[])
    on conflict (cluster, record_id) do update
    set version = excluded.version, digest = excluded.digest, written_version = excluded.written_version,
        written_digest = excluded.written_digest, written_here = excluded.written_here, removed = excluded.removed,
        written = excluded.written,
        understood = excluded.understood, siren = excluded.siren, same_as = excluded.same_as,
        name_key = excluded.name_key, member_id = excluded.member_id
"""
_REMEMBER = """
    insert into record_history (cluster, record_id, version, what, fields)
    select cluster, record_id, version, what, array(select jsonb_array_elements_text(fields))
    from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::jsonb[])
        as n (cluster, record_id, version, what, fields)
"""
# A member's id is its first record's own: by that one all others are reached, without asking each for each.
_LINKED = f"""
    with recursive linked (cluster, record_id) as (
        select * from unnest($1::text[], $2::text[])
        union
        select near.cluster, near.record_id from linked l cross join lateral (
            select p.b_cluster as cluster, p.b_record_id as record_id from match_pairs p
            where p.a_cluster = l.cluster and p.a_record_id = l.record_id and p.verdict = 'auto'
            union all
            select p.a_cluster, p.a_record_id from match_pairs p
            where p.b_cluster = l.cluster and p.b_record_id = l.record_id and p.verdict = 'auto'
            union all
            select p.b_cluster, p.b_record_id from decision_pairs p join decisions d on d.id = p.decision_id
            where p.a_cluster = l.cluster and p.a_record_id = l.record_id and p.verdict = 'confirmed'
              and d.taken_back_at is null
            union all
            select p.a_cluster, p.a_record_id from decision_pairs p join decisions d on d.id = p.decision_id
            where p.b_cluster = l.cluster and p.b_record_id = l.record_id and p.verdict = 'confirmed'
              and d.taken_back_at is null
            union all
            select first.cluster, first.record_id from source_records own
            join source_records first on first.own_id = own.member_id
            where own.cluster = l.cluster and own.record_id = l.record_id
            union all
            select mate.cluster, mate.record_id from source_records own
            join source_records mate on mate.member_id = own.own_id
            where own.cluster = l.cluster and own.record_id = l.record_id
        ) near
    )
    select {RECORD} from linked join source_records using (cluster, record_id)
"""
_AFTER = f"""
    select {RECORD} from source_records where (cluster, record_id) > ($1, $2) order by cluster, record_id limit $3
"""
_UNRECOGNISED = """
    select exists (
        select from source_records s left join match_features f using (cluster, record_id)
        where s.written_version >= 0 and f.cluster is null
    )
"""
_UNDERSTAND = """
    update source_records s
    set understood = n.understood, siren = n.siren, same_as = n.same_as, name_key = n.name_key
    from unnest($1::text[], $2::text[], $3::json[], $4::text[], $5::text[], $6::text[])
        as n (cluster, record_id, understood, siren, same_as, name_key)
    where s.cluster = n.cluster and s.record_id = n.record_id
"""
_ASSIGN = """
    update source_records s set member_id = n.member_id
    from unnest($1::text[], $2::text[], $3::uuid[]) as n (cluster, record_id, member_id)
    where s.cluster = n.cluster and s.record_id = n.record_id and s.member_id is distinct from n.member_id
"""
_GROUPS = f"""
    select {RECORD} from source_records where member_id = any($1::uuid[]) order by cluster, record_id
"""
_MEMBERS = """
    select distinct s.member_id::text
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join source_records s using (cluster, record_id)
    where s.member_id is not null
"""
_MEMBERS_BY_RECORD = """
    select cluster, record_id, member_id::text from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join source_records using (cluster, record_id)
"""
_KNOWN = """
    select cluster, record_id from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join source_records using (cluster, record_id)
"""


class RecordVersion(NamedTuple):
    """Which writing of a record: the larger is the newer."""

    version: int
    digest: bytes


NEVER = RecordVersion(-1, b"")
"""Of what was never said."""
OLDEST = RecordVersion(0, b"")
"""Of what was said, and gives way to whatever is said next."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """What the table holds of a record before a newer version replaces it.

    ``newest`` is the last that was said of it at all, ``content`` the last that said what it holds: a removal does not.
    What was ``written_here`` gives way to whatever its former system says next: it has become the authority again, and
    counts its versions in its own way.
    """

    newest: RecordVersion
    content: RecordVersion
    written_here: bool
    record: SourceRecord


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A version of a record to be saved; ``what`` and ``changed_fields`` go to its history when they say anything.

    ``matters`` is false when only the version moved on. ``record.member_id`` is the member that it belonged to before.
    """

    record: SourceRecord
    newest: RecordVersion
    content: RecordVersion
    what: str | None
    changed_fields: tuple[str, ...]
    matters: bool
    written_here: bool
    correlation_id: str

    @property
    def key(self) -> RecordKey:
        """Which record it is a version of."""
        return self.record.key


class Records(UnitOfWork):
    """Writers take turns: two that meet in one member would each miss the other."""

    async def serialise_writers(self) -> None:
        """Wait until no other transaction consolidates; ours then sees all that they committed."""
        await execute(self.connection, LOCK)

    async def stored_records(self, keys: Iterable[RecordKey]) -> dict[RecordKey, StoredRecord]:
        """What is held of these records."""
        rows = await fetch(self.connection, _STORED, columns(keys))
        return {
            RecordKey(*row[:2]): StoredRecord(
                RecordVersion(*row[2:4]), RecordVersion(*row[4:6]), row[6], record_of((*row[:2], *row[7:]))
            )
            for row in rows
        }

    async def save_records(self, records: Sequence[NewRecord], members: Mapping[RecordKey, str | None]) -> None:
        """Save versions, one for each record, with the member that each belongs to now, and remember what changed."""
        rows = sorted(records, key=lambda record: record.key)
        await execute(
            self.connection,
            _SAVE,
            (
                *columns(row.key for row in rows),
                *columns_of(
                    rows,
                    "newest.version",
                    "newest.digest",
                    "content.version",
                    "content.digest",
                    "written_here",
                    "record.removed",
                ),
                [orjson.dumps(row.record.written).decode() for row in rows],
                [orjson.dumps(row.record.understood).decode() for row in rows],
                *columns_of(rows, "record.siren", "record.same_as", "record.name_key", "key.own_id"),
                [members.get(row.key) for row in rows],
            ),
        )
        remembered = [row for row in rows if row.what is not None]
        if remembered:
            await execute(
                self.connection,
                _REMEMBER,
                (
                    *columns(row.key for row in remembered),
                    [row.newest.version for row in remembered],
                    [row.what for row in remembered],
                    [orjson.dumps(row.changed_fields).decode() for row in remembered],
                ),
            )

    async def count_records(self) -> int:
        """All source records, removed ones included."""
        return await fetch_value(self.connection, "select count(*) from source_records")

    async def any_unrecognised(self) -> bool:
        """Whether recognition never heard of some record: it came before there was any."""
        return await fetch_value(self.connection, _UNRECOGNISED)

    async def records_after(self, key: RecordKey | None, limit: int) -> list[SourceRecord]:
        """The next records in the order of their keys, removed ones included."""
        cluster, record_id = key or ("", "")
        rows = await fetch(self.connection, _AFTER, (cluster, record_id, limit))
        return [record_of(row) for row in rows]

    async def save_understanding(self, records: Sequence[SourceRecord]) -> None:
        """Keep what records are understood to mean now; what was written stays."""
        await execute(
            self.connection,
            _UNDERSTAND,
            (
                *columns(record.key for record in records),
                [orjson.dumps(record.understood).decode() for record in records],
                *columns_of(records, "siren", "same_as", "name_key"),
            ),
        )

    async def linked(self, keys: Iterable[RecordKey]) -> list[SourceRecord]:
        """These records, all that links lead to from them, and all that are part of one member with any of those."""
        rows = await fetch(self.connection, _LINKED, columns(sorted(keys)))
        return [record_of(row) for row in rows]

    async def known(self, keys: Iterable[RecordKey]) -> set[RecordKey]:
        """Those of these records that anybody ever told of."""
        rows = await fetch(self.connection, _KNOWN, columns(keys))
        return {RecordKey(cluster, record_id) for cluster, record_id in rows}

    async def members_by_record(self, keys: Iterable[RecordKey]) -> dict[RecordKey, str | None]:
        """The member of each of these records; None once nothing is left of it."""
        rows = await fetch(self.connection, _MEMBERS_BY_RECORD, columns(sorted(keys)))
        return {RecordKey(cluster, record_id): member_id for cluster, record_id, member_id in rows}

    async def assign(self, members: Mapping[RecordKey, str | None]) -> None:
        """Write which member each record belongs to now."""
        if not members:
            return
        keys = sorted(members)
        await execute(self.connection, _ASSIGN, (*columns(keys), [members[key] for key in keys]))

    async def members_of(self, keys: Iterable[RecordKey]) -> set[str]:
        """The members that these records belong to."""
        return set(await fetch_column(self.connection, _MEMBERS, columns(sorted(keys))))

    async def groups(self, member_ids: Iterable[str]) -> dict[str, list[SourceRecord]]:
        """The records of each member, in order of key, removed ones included. A member without any is missing."""
        rows = await fetch(self.connection, _GROUPS, (sorted(member_ids),))
        groups: dict[str, list[SourceRecord]] = {}
        for row in rows:
            record = record_of(row)
            groups.setdefault(str(record.member_id), []).append(record)
        return groups
