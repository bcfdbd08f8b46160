"""What staff set by hand on records, and the conflicts that merges brought."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from services.membership.identity.decisions import Signature
from services.membership.records.record import RecordKey
from services.membership.records.rows import columns, pair_columns
from services.membership.views.conflicts import RESPONSIBLE, Conflict, Kind
from services.membership.views.overrides import Override
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.statements import execute, fetch, fetch_value

_OVERRIDES = """
    select o.cluster, o.record_id, o.field, o.value, o.author, o.at, o.id
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    join overrides o using (cluster, record_id)
    where o.taken_back_at is null
"""


_OVERRIDE = """
    insert into overrides (cluster, record_id, field, value, author, reason, key_id)
    values ($1, $2, $3, $4, $5, $6, $7) returning id
"""


_END_OVERRIDE = """
    update overrides set taken_back_at = now(), taken_back_by = $4, taken_back_reason = $5
    where cluster = $1 and record_id = $2 and field = $3 and taken_back_at is null
"""


_CONFLICTS = """
    select conflict_id, digest, kind, a_cluster, a_record_id, b_cluster, b_record_id, member_id::text
    from merge_conflicts where member_id = any($1::uuid[]) and gone_at is null
"""


_PUT_CONFLICTS = """
    insert into merge_conflicts as held
        (conflict_id, kind, responsible, a_cluster, a_record_id, b_cluster, b_record_id, member_id, "overlaps", digest)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::uuid[], $9::json[], $10::bytea[])
    on conflict (conflict_id) do update
    set a_cluster = excluded.a_cluster, a_record_id = excluded.a_record_id, b_cluster = excluded.b_cluster,
        b_record_id = excluded.b_record_id, member_id = excluded.member_id, "overlaps" = excluded."overlaps",
        digest = excluded.digest, gone_at = null,
        found_at = case when held.gone_at is null then held.found_at else now() end
"""


_END_CONFLICTS = "update merge_conflicts set gone_at = now() where conflict_id = any($1::text[])"


@dataclass(frozen=True, slots=True)
class StoredConflict:
    """A conflict that was told of; ``digest`` is of what was told."""

    conflict_id: str
    digest: bytes
    kind: Kind
    between: tuple[RecordKey, RecordKey]
    member_id: str


class StaffValues(UnitOfWork):
    """Overrides in force, and conflicts that were announced."""

    async def overrides(self, keys: Iterable[RecordKey]) -> dict[RecordKey, list[Override]]:
        """The values that staff set on these records, and did not take back."""
        result: dict[RecordKey, list[Override]] = {}
        rows = await fetch(self.connection, _OVERRIDES, columns(keys))
        for cluster, record_id, name, value, author, at, order in rows:
            key = RecordKey(cluster, record_id)
            result.setdefault(key, []).append(Override(key, name, value, author, at, order))
        return result

    async def set_override(self, key: RecordKey, field: str, value: str, signature: Signature) -> int:
        """Keep a value, in place of the one that was set before; returns its number."""
        signed = (key.cluster, key.record_id, field, signature.author, signature.reason)
        await execute(self.connection, _END_OVERRIDE, signed)
        row = (key.cluster, key.record_id, field, value, signature.author, signature.reason, signature.key_id)
        return await fetch_value(self.connection, _OVERRIDE, row)

    async def end_override(self, key: RecordKey, field: str, signature: Signature) -> bool:
        """Take back the value that was set; False if there is none."""
        signed = (key.cluster, key.record_id, field, signature.author, signature.reason)
        return await execute(self.connection, _END_OVERRIDE, signed) > 0

    async def stored_conflicts(self, member_ids: Iterable[str]) -> list[StoredConflict]:
        """Conflicts told of these members that are not gone."""
        rows = await fetch(self.connection, _CONFLICTS, (sorted(member_ids),))
        return [
            StoredConflict(conflict_id, digest, kind, (RecordKey(ac, ar), RecordKey(bc, br)), member_id)
            for conflict_id, digest, kind, ac, ar, bc, br, member_id in rows
        ]

    async def put_conflicts(self, result: Sequence[tuple[str, Conflict, bytes]]) -> None:
        """Keep conflicts: member id, conflict, and the digest of what is told of it."""
        rows = sorted(result, key=lambda row: row[1].conflict_id)
        await execute(
            self.connection,
            _PUT_CONFLICTS,
            (
                [conflict.conflict_id for _, conflict, _ in rows],
                [conflict.kind for _, conflict, _ in rows],
                [RESPONSIBLE[conflict.kind] for _, conflict, _ in rows],
                *pair_columns(conflict.between for _, conflict, _ in rows),
                [member_id for member_id, _, _ in rows],
                [
                    orjson.dumps([overlap.as_json() for overlap in conflict.overlaps]).decode()
                    for _, conflict, _ in rows
                ],
                [digest for _, _, digest in rows],
            ),
        )

    async def end_conflicts(self, conflict_ids: Iterable[str]) -> None:
        """Mark conflicts as gone."""
        await execute(self.connection, _END_CONFLICTS, (sorted(conflict_ids),))
