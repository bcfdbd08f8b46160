"""What membership does with each fact: load, decide, save, consolidate."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from schemas.envelope import Envelope
from schemas.membership import MemberRecorded, MemberRemoved
from services.membership.normalisation.normalised_record import meaning
from services.membership.policy import Policy
from services.membership.projections import consolidate_records
from services.membership.records.record import RecordKey, SourceRecord, as_written
from services.membership.records.repository import NEVER, OLDEST, NewRecord, RecordVersion, StoredRecord
from services.membership.unit_of_work import MembershipUnitOfWork
from shared.persistence.batches import newest_by

Recorded = Envelope[MemberRecorded] | Envelope[MemberRemoved]


async def record_members(
    uow: MembershipUnitOfWork, messages: Sequence[Recorded], *, written_here: bool = False
) -> None:
    """Keep each record's newest version, then link and consolidate what that touches.

    ``written_here`` are versions that a command of our own made.
    """
    newest = _latest_versions(messages)
    contents = {key: _content(uow, key, item.content) for key, item in newest.items() if item.content}
    await uow.serialise_writers()
    stored = await uow.stored_records(newest)
    saved = [_new_record(key, item, contents.get(key), stored.get(key), written_here) for key, item in newest.items()]
    if newer := [record for record in saved if record is not None]:
        await consolidate_records(uow, newer)


class _Latest(NamedTuple):
    """The newest that a batch says of one record, and the newest of it that says what the record holds."""

    newest: Recorded
    content: Envelope[MemberRecorded] | None


def _latest_versions(messages: Sequence[Recorded]) -> dict[RecordKey, _Latest]:
    contents = newest_contents(messages)
    return {
        key: _Latest(message, contents.get(key)) for key, message in newest_by(messages, _record, edition_of).items()
    }


def newest_contents(messages: Iterable[Recorded]) -> Mapping[RecordKey, Envelope[MemberRecorded]]:
    """The newest of some messages that says what each record holds."""
    recorded = (message for message in messages if isinstance(message.data, MemberRecorded))
    return cast("Mapping[RecordKey, Envelope[MemberRecorded]]", newest_by(recorded, _record, edition_of))


def _record(message: Recorded) -> RecordKey:
    return RecordKey(message.cluster, message.data.record_id)


def edition_of(message: Envelope[Any]) -> RecordVersion:
    """Which version of its record a message is."""
    return RecordVersion(message.data.version, message.digest)


def _content(uow: MembershipUnitOfWork, key: RecordKey, message: Envelope[MemberRecorded]) -> SourceRecord:
    taken: SourceRecord | None = uow.prepared.content(key, edition_of(message)) if uow.prepared else None
    return taken or content_of(uow.policy, key, message)


def content_of(policy: Policy, key: RecordKey, message: Envelope[MemberRecorded]) -> SourceRecord:
    """What a record says, as written and as understood."""
    means = meaning(message.data, policy.clusters.get(message.cluster))
    written = as_written(message.document)
    return SourceRecord(key, written, means.document, means.siren, means.same_as, means.name_key, None)


def _new_record(
    key: RecordKey, latest: _Latest, content: SourceRecord | None, stored: StoredRecord | None, written_here: bool
) -> NewRecord | None:
    """The row to save, and what its history should tell: nothing, if only the version moved on. None if nothing did."""
    before = stored or StoredRecord(NEVER, NEVER, False, SourceRecord(key, {}, {}, None, None, "", None, removed=True))
    newest, content_version = edition_of(latest.newest), edition_of(latest.content) if latest.content else NEVER
    if before.written_here and not written_here:
        before = replace(before, newest=OLDEST, content=OLDEST)
    moves_on = newest > before.newest
    has_newer_content = content is not None and content_version > before.content
    if not moves_on and not has_newer_content:
        return None
    removed = isinstance(latest.newest.data, MemberRemoved) if moves_on else before.record.removed
    # What came before a removal is kept too, in whatever order the two arrive.
    answer = content if content is not None and has_newer_content else before.record
    record = replace(answer, member_id=before.record.member_id, removed=removed)
    changed = _changed(before.record.written, record.written)
    what = _what(changed, removed=removed, stored=stored)
    return NewRecord(
        record,
        newest if moves_on else before.newest,
        content_version if has_newer_content else before.content,
        what,
        changed if what == "changed" else (),
        stored is None or bool(changed) or removed != before.record.removed,
        written_here,
        latest.newest.correlationid or latest.newest.id,
    )


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(name for name in {*before, *now} - {"version"} if before.get(name) != now.get(name)))


def _what(changed: Sequence[str], *, removed: bool, stored: StoredRecord | None) -> str | None:
    existed = stored is not None and not stored.record.removed
    if removed:
        return "removed" if stored is None or existed else None
    if not existed:
        return "recorded"
    return "changed" if changed else None
