"""What other services hold about source records, and the documents that are served."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.membership.records.record import RecordKey, Related
from services.membership.records.rows import columns
from services.membership.views.consolidation import View
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import columns_of
from shared.persistence.database import json_of
from shared.persistence.statements import execute, fetch

_LIST = "\x1f"
"""Between the items of a list on its way to an array; a lineage's label may hold spaces."""

_KEEP_RELATED = """
    with held as (
        select r.kind, r.cluster, r.item_id, r.record_id from related r
        join unnest($1::text[], $2::text[], $3::text[]) as n (kind, cluster, item_id) using (kind, cluster, item_id)
    ), kept as (
        insert into related as held
            (kind, cluster, item_id, record_id, event_id, applied_late, version, digest, document)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
                             $8::bytea[], $9::json[])
        on conflict (kind, cluster, item_id) do update
        set record_id = excluded.record_id, event_id = excluded.event_id, applied_late = excluded.applied_late,
            version = excluded.version, digest = excluded.digest, document = excluded.document
        where (held.applied_late, held.version, held.digest)
            < (excluded.applied_late, excluded.version, excluded.digest)
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
_WITH_SECTION = """
    select r.cluster, r.record_id from unnest($2::text[], $3::text[]) as n (cluster, record_id)
    join related r on r.kind = $1 and r.cluster = n.cluster and r.item_id = n.record_id
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
        exempt = excluded.exempt, active = excluded.active,
        updated_at = case when v.etag <> excluded.etag then now() else v.updated_at end
    where v.etag <> excluded.etag or v.search <> excluded.search
"""
_DROP_VIEWS = "delete from views where member_id = any($1::uuid[])"


@dataclass(frozen=True, slots=True)
class RelatedItem:
    """One item that another service announced about a source record, or an event that records register for."""

    kind: str
    cluster: str
    item_id: str
    record_id: str | None
    event_id: str | None
    applied_late: int
    version: int
    digest: bytes
    document: bytes

    @property
    def newness(self) -> tuple[int, int, bytes]:
        """Of two writings of one item the larger is the newer."""
        return self.applied_late, self.version, self.digest


class Views(UnitOfWork):
    """Items by source record, and views by member."""

    async def keep_related(self, items: Sequence[RelatedItem]) -> set[RecordKey]:
        """Keep what is newer, one for each item; returns the source records whose views it changes."""
        rows = sorted(items, key=lambda item: (item.kind, item.cluster, item.item_id))
        result = await fetch(
            self.connection,
            _KEEP_RELATED,
            (
                *columns_of(
                    rows, "kind", "cluster", "item_id", "record_id", "event_id", "applied_late", "version", "digest"
                ),
                [row.document.decode() for row in rows],
            ),
        )
        return {RecordKey(cluster, record_id) for cluster, record_id in result}

    async def related(self, keys: Iterable[RecordKey]) -> dict[RecordKey, list[Related]]:
        """What other services hold about these records."""
        result: dict[RecordKey, list[Related]] = {}
        rows = await fetch(self.connection, _RELATED, columns(keys))
        for kind, cluster, record_id, item_id, document, event in rows:
            key = RecordKey(cluster, record_id)
            item = Related(kind, key, item_id, json_of(document), json_of(event) if event else None)
            result.setdefault(key, []).append(item)
        return result

    async def with_section(self, kind: str, keys: Iterable[RecordKey]) -> set[RecordKey]:
        """Those of these records whose section of this kind was announced."""
        rows = await fetch(self.connection, _WITH_SECTION, (kind, *columns(keys)))
        return {RecordKey(cluster, record_id) for cluster, record_id in rows}

    async def put_views(self, views: Sequence[View]) -> None:
        """Store documents; one that is the same as before is left alone.

        Where only what is searched is another, as after an upgrade, nothing changed for those who ask since when.
        """
        rows = sorted(views, key=lambda view: view.member_id)
        await execute(
            self.connection,
            _PUT_VIEWS,
            (
                *columns_of(rows, "member_id", "document", "etag"),
                [row.summary.decode() for row in rows],
                [row.sort_key for row in rows],
                [row.search for row in rows],
                [_LIST.join(row.sirens) for row in rows],
                [_LIST.join(row.clusters) for row in rows],
                [_LIST.join(row.lineages) for row in rows],
                *columns_of(rows, "departement", "paid_until", "exempt", "active"),
            ),
        )

    async def drop_views(self, member_ids: Iterable[str]) -> None:
        """Delete the documents of members that are now part of another, or have no record left."""
        if removed := sorted(member_ids):
            await execute(self.connection, _DROP_VIEWS, (removed,))
