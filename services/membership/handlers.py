"""What membership does with each fact: load, decide, save, consolidate."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from schemas.envelope import Envelope
from schemas.fields import AnnouncedRecord
from schemas.membership import MemberRecorded, MemberRemoved
from services.membership.domain.meaning import Meaning, meaning
from services.membership.domain.records import RecordKey, SourceRecord, as_written
from services.membership.projections import consolidate_members, consolidate_records
from services.membership.repository import Held, MembershipUnitOfWork, NewRecord, RelatedItem

_AND = "\x1f"
"""Between two ids that make one; no id can hold it."""

Recorded = Envelope[MemberRecorded] | Envelope[MemberRemoved]


async def record_members(uow: MembershipUnitOfWork, messages: Sequence[Recorded]) -> None:
    """Keep each record's newest version, then link and consolidate what that touches."""
    newest = _newest(messages)
    meanings = {key: _meaning(uow, message) for key, message in newest.items()}
    await uow.take_turn()
    held = await uow.held(newest)
    saved = [
        _new_record(key, message, meanings[key], held.get(key))
        for key, message in newest.items()
        if _is_newer(message, held.get(key))
    ]
    if saved:
        await consolidate_records(uow, saved, held)


def keep(kind: str, item_id: str) -> Callable[[MembershipUnitOfWork, Sequence[Envelope[AnnouncedRecord]]], Any]:
    """A handler that keeps what another service announces about source records, under the field ``item_id``."""

    async def keep_related(uow: MembershipUnitOfWork, messages: Sequence[Envelope[AnnouncedRecord]]) -> None:
        items = [_item(kind, getattr(message.data, item_id), message) for message in messages]
        await _keep(uow, items)

    return keep_related


async def keep_mailings(uow: MembershipUnitOfWork, messages: Sequence[Envelope[Any]]) -> None:
    """A mailing is kept once for each of its recipients; recipients add up, since nothing sent can be unsent."""
    await _keep(
        uow,
        [
            _item("mailing", f"{message.data.mailing_id}{_AND}{record_id}", message, record_id)
            for message in messages
            for record_id in message.data.recipients
        ],
    )


async def _keep(uow: MembershipUnitOfWork, items: Iterable[RelatedItem]) -> None:
    newest: dict[tuple[str, str, str], RelatedItem] = {}
    for item in items:
        name = (item.kind, item.cluster, item.item_id)
        if name not in newest or (newest[name].version, newest[name].digest) < (item.version, item.digest):
            newest[name] = item
    if not newest:
        return
    await uow.take_turn()
    touched = await uow.keep_related(list(newest.values()))
    await consolidate_members(uow, await uow.members_of(touched))


def _item(kind: str, item_id: str, message: Envelope[Any], record_id: str | None = None) -> RelatedItem:
    data = message.data
    document = message.document
    if kind == "mailing":
        # The list of all recipients is members' data that one member's view has no business with.
        document = orjson.dumps({k: v for k, v in orjson.loads(document).items() if k != "recipients"})
    return RelatedItem(
        kind,
        data.cluster,
        item_id,
        record_id or getattr(data, "record_id", None),
        getattr(data, "event_id", None) if kind == "registration" else None,
        data.version,
        message.digest,
        document,
    )


def _newest(messages: Sequence[Recorded]) -> dict[RecordKey, Recorded]:
    newest: dict[RecordKey, Recorded] = {}
    for message in messages:
        key = RecordKey(message.cluster, message.data.record_id)
        other = newest.get(key)
        if other is None or (other.data.version, other.digest) < (message.data.version, message.digest):
            newest[key] = message
    return newest


def _meaning(uow: MembershipUnitOfWork, message: Recorded) -> Meaning | None:
    """What a record means; nothing, once it is removed."""
    if isinstance(message.data, MemberRemoved):
        return None
    return meaning(message.data, uow.policy.clusters.get(message.cluster))


def _is_newer(message: Recorded, held: Held | None) -> bool:
    return held is None or (held.version, held.digest) < (message.data.version, message.digest)


def _new_record(key: RecordKey, message: Recorded, understood: Meaning | None, held: Held | None) -> NewRecord:
    """The row to save, and what its history should tell: nothing, if only the version moved on."""
    removed = isinstance(message.data, MemberRemoved)
    written = {} if removed else as_written(message.document)
    before = {} if held is None else held.written
    changed = tuple(sorted(name for name in {*written, *before} - {"version"} if written.get(name) != before.get(name)))
    if removed:
        what = "removed" if held is None or not held.removed else None
    elif held is None or held.removed:
        what = "recorded"
    else:
        what = "changed" if changed else None
    record = SourceRecord(
        key,
        written,
        {} if understood is None else understood.document,
        None if understood is None else understood.siren,
        None if understood is None else understood.same_as,
        "" if understood is None else understood.name_key,
        None if held is None else held.member_id,
        removed,
    )
    fields = () if what in {"recorded", "removed"} else changed
    correlation_id = message.correlationid or message.id
    return NewRecord(record, message.data.version, message.digest, what, fields, correlation_id)
