"""All write SQL of membership."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.domain.consolidation import Related, View
from services.membership.domain.records import RecordKey, SourceRecord
from shared.persistence.database import rows_of
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.clusters import Cluster

_LIST = "\x1f"
"""Between the items of a list on its way to an array; a lineage's label may hold spaces."""

LOCK = "select pg_advisory_xact_lock(hashtext('consolidation'))"

_RECORD = "cluster, record_id, written, understood, siren, same_as, name_key, member_id, removed"

_HELD = """
    select held.cluster, held.record_id, held.version, held.digest, held.written, held.siren, held.same_as,
           held.member_id, held.removed
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join source_records held using (cluster, record_id)
"""
_SAVE = """
    insert into source_records as held
        (cluster, record_id, version, digest, removed, written, understood, siren, same_as, name_key, own_id, member_id)
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::boolean[], $6::json[], $7::json[],
                         $8::text[], $9::text[], $10::text[], $11::uuid[], $12::uuid[])
    on conflict (cluster, record_id) do update
    set version = excluded.version, digest = excluded.digest, removed = excluded.removed, written = excluded.written,
        understood = excluded.understood, siren = excluded.siren, same_as = excluded.same_as,
        name_key = excluded.name_key, member_id = excluded.member_id
    where (held.version, held.digest) < (excluded.version, excluded.digest)
"""
_REMEMBER = """
    insert into record_history (cluster, record_id, version, what, fields)
    select cluster, record_id, version, what, array(select jsonb_array_elements_text(fields))
    from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::jsonb[])
        as n (cluster, record_id, version, what, fields)
"""
_NEIGHBOURS = f"""
    with near as (
        select cluster, record_id from source_records where siren = any($1::text[])
        union
        select cluster, record_id from source_records where member_id = any($2::uuid[])
        union
        select s.cluster, s.record_id
        from unnest($3::text[], $4::text[]) as n (cluster, record_id) join source_records s using (cluster, record_id)
        union
        select s.cluster, s.record_id
        from unnest($3::text[], $4::text[]) as n (cluster, record_id)
        join source_records s on s.cluster = n.cluster and s.same_as = n.record_id
    )
    select {_RECORD} from near join source_records using (cluster, record_id)
"""
_ASSIGN = """
    update source_records s set member_id = n.member_id
    from unnest($1::text[], $2::text[], $3::uuid[]) as n (cluster, record_id, member_id)
    where s.cluster = n.cluster and s.record_id = n.record_id and s.member_id is distinct from n.member_id
"""
_GROUPS = f"""
    select {_RECORD} from source_records where member_id = any($1::uuid[]) and not removed order by cluster, record_id
"""
_MEMBERS = """
    select distinct s.member_id
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join source_records s using (cluster, record_id)
    where s.member_id is not null
"""
_KEEP_RELATED = """
    with held as (
        select r.kind, r.cluster, r.item_id, r.record_id from related r
        join unnest($1::text[], $2::text[], $3::text[]) as n (kind, cluster, item_id) using (kind, cluster, item_id)
    ), kept as (
        insert into related as held (kind, cluster, item_id, record_id, event_id, version, digest, document)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bytea[],
                             $8::json[])
        on conflict (kind, cluster, item_id) do update
        set record_id = excluded.record_id, event_id = excluded.event_id, version = excluded.version,
            digest = excluded.digest, document = excluded.document
        where (held.version, held.digest) < (excluded.version, excluded.digest)
        returning kind, cluster, item_id, record_id
    )
    select kept.cluster, kept.record_id from kept where kept.record_id is not null
    union
    select held.cluster, held.record_id from held join kept using (kind, cluster, item_id)
    where held.record_id is not null
    union
    select r.cluster, r.record_id from kept
    join related r on r.kind = 'registration' and r.cluster = kept.cluster and r.event_id = kept.item_id
    where kept.kind = 'event'
"""
_RELATED = """
    select r.kind, r.cluster, r.record_id, r.item_id, r.document, e.document as event
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join related r using (cluster, record_id)
    left join related e on e.kind = 'event' and e.cluster = r.cluster and e.item_id = r.event_id
"""
_PUT_VIEWS = """
    insert into views as v (member_id, document, etag, summary, sort_key, search, sirens, clusters, lineages,
                            departement, paid_until, exempt, active)
    select member_id, document, etag, summary, sort_key, search, string_to_array(sirens, chr(31)),
           string_to_array(clusters, chr(31)), string_to_array(lineages, chr(31)), departement, paid_until::date,
           exempt, active
    from unnest($1::uuid[], $2::bytea[], $3::text[], $4::jsonb[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::boolean[], $13::boolean[])
        as n (member_id, document, etag, summary, sort_key, search, sirens, clusters, lineages, departement, paid_until,
              exempt, active)
    on conflict (member_id) do update
    set document = excluded.document, etag = excluded.etag, summary = excluded.summary, sort_key = excluded.sort_key,
        search = excluded.search, sirens = excluded.sirens, clusters = excluded.clusters,
        lineages = excluded.lineages, departement = excluded.departement, paid_until = excluded.paid_until,
        exempt = excluded.exempt, active = excluded.active, updated_at = now()
    where v.etag <> excluded.etag
"""
_DROP_VIEWS = "delete from views where member_id = any($1::uuid[])"


@dataclass(frozen=True, slots=True)
class Held:
    """What the table holds of a record before a newer version replaces it."""

    version: int
    digest: bytes
    written: Mapping[str, Any]
    siren: str | None
    same_as: str | None
    member_id: str | None
    removed: bool


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A version of a record to be saved; ``what`` and ``changed_fields`` go to its history when they say anything.

    ``record.member_id`` is the member that it belonged to before.
    """

    record: SourceRecord
    version: int
    digest: bytes
    what: str | None
    changed_fields: tuple[str, ...]

    @property
    def key(self) -> RecordKey:
        """Which record it is a version of."""
        return self.record.key


@dataclass(frozen=True, slots=True)
class RelatedItem:
    """One item that another service announced about a source record, or an event that records register for."""

    kind: str
    cluster: str
    item_id: str
    record_id: str | None
    event_id: str | None
    version: int
    digest: bytes
    document: bytes


class MembershipUnitOfWork(UnitOfWork):
    """One transaction of membership. Writers take turns: two that meet in one member would each miss the other."""

    def __init__(self, connection: AsyncConnection, clusters: Mapping[str, Cluster]) -> None:
        super().__init__(connection)
        self.clusters = clusters

    async def take_turn(self) -> None:
        """Wait until no other transaction consolidates; ours then sees all that they committed."""
        await self.connection.exec_driver_sql(LOCK)

    async def held(self, keys: Iterable[RecordKey]) -> dict[RecordKey, Held]:
        """What is held of these records."""
        rows = await self.connection.exec_driver_sql(_HELD, _columns(keys))
        return {
            RecordKey(cluster, record_id): Held(
                version,
                digest,
                _object(written),
                siren,
                same_as,
                None if member_id is None else str(member_id),
                removed,
            )
            for cluster, record_id, version, digest, written, siren, same_as, member_id, removed in rows_of(rows)
        }

    async def save_records(self, records: Sequence[NewRecord], members: Mapping[RecordKey, str | None]) -> None:
        """Save versions, one for each record, with the member that each belongs to now, and remember what changed."""
        rows = sorted(records, key=lambda record: record.key)
        await self.connection.exec_driver_sql(
            _SAVE,
            (
                *_columns(row.key for row in rows),
                [row.version for row in rows],
                [row.digest for row in rows],
                [row.record.removed for row in rows],
                [orjson.dumps(row.record.written).decode() for row in rows],
                [orjson.dumps(row.record.understood).decode() for row in rows],
                [row.record.siren for row in rows],
                [row.record.same_as for row in rows],
                [row.record.name_key for row in rows],
                [row.key.own_id for row in rows],
                [members.get(row.key) for row in rows],
            ),
        )
        told = [row for row in rows if row.what is not None]
        if told:
            await self.connection.exec_driver_sql(
                _REMEMBER,
                (
                    *_columns(row.key for row in told),
                    [row.version for row in told],
                    [row.what for row in told],
                    [orjson.dumps(row.changed_fields).decode() for row in told],
                ),
            )

    async def neighbours(
        self, sirens: Iterable[str], member_ids: Iterable[str], keys: Iterable[RecordKey]
    ) -> list[SourceRecord]:
        """Every record that shares a SIREN or a member, has one of the keys, or says that it is the same as one."""
        rows = await self.connection.exec_driver_sql(
            _NEIGHBOURS, (sorted(sirens), sorted(member_ids), *_columns(sorted(keys)))
        )
        return [_record(row) for row in rows]

    async def assign(self, members: Mapping[RecordKey, str | None]) -> None:
        """Write which member each record belongs to now."""
        if not members:
            return
        keys = sorted(members)
        await self.connection.exec_driver_sql(_ASSIGN, (*_columns(keys), [members[key] for key in keys]))

    async def keep_related(self, items: Sequence[RelatedItem]) -> set[RecordKey]:
        """Keep what is newer, one for each item; returns the source records whose views it changes."""
        rows = sorted(items, key=lambda item: (item.kind, item.cluster, item.item_id))
        result = await self.connection.exec_driver_sql(
            _KEEP_RELATED,
            (
                [row.kind for row in rows],
                [row.cluster for row in rows],
                [row.item_id for row in rows],
                [row.record_id for row in rows],
                [row.event_id for row in rows],
                [row.version for row in rows],
                [row.digest for row in rows],
                [row.document.decode() for row in rows],
            ),
        )
        return {RecordKey(cluster, record_id) for cluster, record_id in rows_of(result)}

    async def members_of(self, keys: Iterable[RecordKey]) -> set[str]:
        """The members that these records belong to."""
        return set((await self.connection.exec_driver_sql(_MEMBERS, _columns(sorted(keys)))).scalars())

    async def groups(self, member_ids: Iterable[str]) -> dict[str, list[SourceRecord]]:
        """The records of each member, in order of key. A member without any is missing."""
        rows = await self.connection.exec_driver_sql(_GROUPS, (sorted(member_ids),))
        groups: dict[str, list[SourceRecord]] = {}
        for row in rows:
            record = _record(row)
            groups.setdefault(str(record.member_id), []).append(record)
        return groups

    async def related(self, keys: Iterable[RecordKey]) -> dict[RecordKey, list[Related]]:
        """What other services hold about these records."""
        found: dict[RecordKey, list[Related]] = {}
        rows = await self.connection.exec_driver_sql(_RELATED, _columns(keys))
        for kind, cluster, record_id, item_id, document, event in rows_of(rows):
            key = RecordKey(cluster, record_id)
            item = Related(kind, key, item_id, _object(document), _object(event) if event else None)
            found.setdefault(key, []).append(item)
        return found

    async def put_views(self, views: Sequence[View]) -> None:
        """Store documents; one that is the same as before is left alone."""
        rows = sorted(views, key=lambda view: view.member_id)
        await self.connection.exec_driver_sql(
            _PUT_VIEWS,
            (
                [row.member_id for row in rows],
                [row.document for row in rows],
                [row.etag for row in rows],
                [row.summary.decode() for row in rows],
                [row.sort_key for row in rows],
                [row.search for row in rows],
                [_LIST.join(row.sirens) for row in rows],
                [_LIST.join(row.clusters) for row in rows],
                [_LIST.join(row.lineages) for row in rows],
                [row.departement for row in rows],
                [row.paid_until for row in rows],
                [row.exempt for row in rows],
                [row.active for row in rows],
            ),
        )

    async def drop_views(self, member_ids: Iterable[str]) -> None:
        """Delete the documents of members that are now part of another, or have no record left."""
        if gone := sorted(member_ids):
            await self.connection.exec_driver_sql(_DROP_VIEWS, (gone,))


def _columns(keys: Iterable[RecordKey]) -> tuple[list[str], list[str]]:
    listed = list(keys)
    return [key.cluster for key in listed], [key.record_id for key in listed]


def _object(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _record(row: Any) -> SourceRecord:
    cluster, record_id, written, understood, siren, same_as, name_key, member_id, removed = row
    return SourceRecord(
        RecordKey(cluster, record_id),
        _object(written),
        _object(understood),
        siren,
        same_as,
        name_key,
        None if member_id is None else str(member_id),
        removed,
    )
