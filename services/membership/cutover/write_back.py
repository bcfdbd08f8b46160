"""What is written here, told to the former system in its own columns, and listed before a rollback."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.membership import MemberRecorded
from schemas.membership_write_back import MemberWritten
from services.common.republish import CAUSE, PAGE
from services.membership.legacy import PLAIN, PRODUCTS, reading_of
from services.membership.legacy.export import Written, file_of, write
from services.membership.legacy.import_rules import RULES
from services.membership.legacy.lines import made_here
from services.membership.legacy.way_back import Row, import_files
from services.membership.legacy.way_back import left_out as columns_not_imported
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from shared.messaging.publishing import publish
from shared.persistence.database import rows_of

SERVICE = "membership"
AT_ONCE = 100
"""Records turned round between two moments in which others get on: each takes up to a millisecond."""

# What was written here goes through record_changes, which is as small as what was done here; a mirror may be large.
# Of late messages about one record the one that was decided last counts: applied, both sides hold the same.
_WHICH = """
    with dismissed as (
        select record_id from (
            select distinct on (record_id) record_id, state from (
                select convert_from(body, 'UTF8')::json #>> '{data,record_id}' as record_id, state, decided_at, id
                from quarantine where cluster = $1 and state <> 'waiting'
                    and decided_at >= (select max(at) from stage_history where cluster = $1 and stage = 'live')
            ) decided order by record_id, decided_at desc, id desc
        ) newest where state = 'dismissed'
    ), here as (
        select distinct s.record_id from record_changes c join source_records s using (cluster, record_id)
        where c.cluster = $1 and s.written_here
    ), n as (select record_id from here union select record_id from dismissed)
"""
_DIGESTS = f"""
    {_WHICH}
    select n.record_id, case when s.removed then null else s.written_digest end
    from n left join source_records s on s.cluster = $1 and s.record_id = n.record_id
    where n.record_id > $2 order by n.record_id limit $3
"""
_UNCONFIRMED = f"""
    {_WHICH}
    select n.record_id, n.record_id in (select record_id from dismissed),
           array(select distinct c.command from record_changes c
                 where c.cluster = $1 and c.record_id = n.record_id and s.written_here order by c.command),
           case when s.removed then null else s.written_digest end,
           case when s.removed then null else s.written::text end
    from n left join source_records s on s.cluster = $1 and s.record_id = n.record_id
    where n.record_id = any($2) order by n.record_id
"""


@dataclass(frozen=True, slots=True)
class UnconfirmedChange:
    """A record that the former system has not said as it is here. ``written`` is None where we hold no such record.

    ``digest`` is that of what we hold; ``commands`` are the kinds of those that changed it here; ``dismissed`` is
    whether a late message about it was.
    """

    record_id: str
    digest: bytes | None
    commands: tuple[str, ...]
    dismissed: bool
    new_id: bool
    written: Written | None

    @property
    def not_imported(self) -> tuple[str, ...]:
        """The columns that the import of the former system's product cannot take: they are for a person."""
        row = _row(self)
        return () if row is None else columns_not_imported(row)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The fields that the former system has no way to say."""
        return () if self.written is None else self.written.left_out

    def as_json(self) -> dict[str, Any]:
        """For programs: what it is about, without what it says."""
        return {
            "record_id": self.record_id,
            "commands": self.commands,
            "dismissed": self.dismissed,
            "new_id": self.new_id,
            "removed": self.written is None,
            "file": None if self.written is None else self.written.file,
            "left_out": self.left_out,
            "not_imported": self.not_imported,
        }


async def publish_write_back(uow: MembershipUnitOfWork, cluster: str, fact: MemberRecorded, cause: str) -> None:
    """Tell the former system, when the transaction commits, of a version that was written here.

    What is told has a number of its own, given under the writers' turn. The record's version would not do: it may go
    back when a late message is applied, and what is said again after a dismissal must not look like the message before.
    """
    publish(uow, MemberWritten, [(_current_message(uow, cluster, fact, await uow.next_version()), cause)], to=cluster)


async def publish_current(uow: MembershipUnitOfWork, cluster: str, document: Mapping[str, Any], cause: str) -> None:
    """Tell the former system what we hold of the record that it spoke of, or that we hold none."""
    key = RecordKey(cluster, document["record_id"])
    await uow.serialise_writers()
    stored = (await uow.stored_records([key])).get(key)
    if stored is not None and not stored.record.removed:
        fact = MemberRecorded.model_validate({**stored.record.written, "version": stored.newest.version})
        await publish_write_back(uow, cluster, fact, cause)
        return
    written = _gone(uow, cluster, key.record_id, await uow.next_version())
    publish(uow, MemberWritten, [(written, cause)], to=cluster)


async def republish_unconfirmed(uow: MembershipUnitOfWork, cluster: str, after: str) -> list[str]:
    """Tell the former system again of records that it has not said as they are here: the next :data:`PAGE` after one.

    Returns their ids, in order. What its queue held may be lost, as after a restore.
    """
    await uow.serialise_writers()
    rows = await _unconfirmed(uow, cluster, list(await digests(uow, cluster, after, PAGE)))
    version = await uow.next_version()
    published = [
        _gone(uow, cluster, record_id, version)
        if written is None
        else _current_message(uow, cluster, MemberRecorded.model_validate_json(written), version)
        for record_id, _, _, _, written in rows
    ]
    publish(uow, MemberWritten, [(written, CAUSE) for written in published], to=cluster)
    return [written.record_id for written in published]


async def digests(
    uow: MembershipUnitOfWork, cluster: str, after: str = "", limit: int | None = None
) -> dict[str, bytes | None]:
    """Every record that was written here and that its former system has not said since, and every one of which a late
    message was dismissed since the last switch: by id, the digest of what we hold of it, None if we hold nothing.
    """
    return dict(rows_of(await uow.connection.exec_driver_sql(_DIGESTS, (cluster, after, limit))))


async def unconfirmed(
    uow: MembershipUnitOfWork, cluster: str, record_ids: Sequence[str]
) -> AsyncGenerator[UnconfirmedChange]:
    """Those of these records that the former system has not said as they are here, turned round."""
    for first in range(0, len(record_ids), AT_ONCE):
        rows = await _unconfirmed(uow, cluster, record_ids[first : first + AT_ONCE])
        for record_id, dismissed, commands, digest, written in rows:
            fact = None if written is None else MemberRecorded.model_validate_json(written)
            back = None if fact is None else _written(uow, cluster, fact)[1]
            yield UnconfirmedChange(record_id, digest, tuple(commands), dismissed, made_here(record_id), back)


async def _unconfirmed(uow: MembershipUnitOfWork, cluster: str, record_ids: Sequence[str]) -> Sequence[Any]:
    return rows_of(await uow.connection.exec_driver_sql(_UNCONFIRMED, (cluster, list(record_ids))))


def files(records: Iterable[UnconfirmedChange]) -> dict[str, bytes]:
    """The records as files that the former system's product imports: by kind, those of which there are any.

    What its import has no column for, or would refuse, is in a list for a person. A plain table is its own form.
    """
    changed = [record for record in records if record.written is not None]
    plain = [record.written for record in changed if record.written is not None and record.written.file not in RULES]
    result = {
        kind.name: file_of(kind, written)
        for kind in PRODUCTS
        if (written := [item for item in plain if item.file == kind.name])
    }
    return result | import_files(row for item in changed if (row := _row(item)) is not None)


def _row(record: UnconfirmedChange) -> Row | None:
    written = record.written
    if written is None or written.file not in RULES:
        return None
    return Row(written.file, record.record_id, written.name, written.columns, written.rows)


def _current_message(uow: MembershipUnitOfWork, cluster: str, fact: MemberRecorded, version: int) -> MemberWritten:
    software, written = _written(uow, cluster, fact)
    return MemberWritten(
        version=version,
        cluster=cluster,
        record_id=fact.record_id,
        product=software,
        file=written.file,
        columns=written.columns,
        rows=written.rows,
        left_out=written.left_out,
        new_id=made_here(fact.record_id),
    )


def _gone(uow: MembershipUnitOfWork, cluster: str, record_id: str, version: int) -> MemberWritten:
    return MemberWritten(
        version=version,
        cluster=cluster,
        record_id=record_id,
        product=_product(uow, cluster)[0],
        file="",
        columns=(),
        rows=(),
        removed=True,
    )


def _written(uow: MembershipUnitOfWork, cluster: str, fact: MemberRecorded) -> tuple[str, Written]:
    software, added = _product(uow, cluster)
    return software, write(fact, software, added, reading_of(uow.policy.clusters[cluster]))


def _product(uow: MembershipUnitOfWork, cluster: str) -> tuple[str, tuple[str, ...]]:
    configured = uow.policy.clusters[cluster]
    return configured.products.get(SERVICE, PLAIN), configured.added_columns.get(SERVICE, ())
