"""Keep what other services announce about source records, and write the views that show it."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import orjson

from schemas.base import AnnouncedRecord
from schemas.envelope import Envelope
from services.membership.projections import consolidate_members
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.views.repository import RelatedItem
from shared.persistence.batches import newest_by

SECTION_OF = {
    "invoice": "account",
    "payment": "account",
    "event": "participation",
    "registration": "participation",
    "consent": "preferences",
}
"""The section that covers items of a kind: once it is announced of a record, its items change no view."""
_OF_THE_LIST = frozenset({"recipients", "addresses", "part", "parts"})
_AND = "\x1f"
"""Between two ids that make one; no id can hold it."""


def keep(kind: str, item_id: str) -> Callable[[MembershipUnitOfWork, Sequence[Envelope[AnnouncedRecord]]], Any]:
    """A handler that keeps what another service announces about source records, under the field ``item_id``.

    A section of the view is kept like an item, under the id of its record.
    """

    async def keep_related(uow: MembershipUnitOfWork, messages: Sequence[Envelope[AnnouncedRecord]]) -> None:
        # What is known of an address alone reaches the records that have it by their preferences.
        of_records = [message for message in messages if getattr(message.data, "record_id", "") is not None]
        items = [_item(kind, getattr(message.data, item_id), message) for message in of_records]
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
    newest = newest_by(items, attrgetter("kind", "cluster", "item_id"), attrgetter("newness"))
    if not newest:
        return
    await uow.serialise_writers()
    touched = await uow.keep_related(list(newest.values()))
    if section := SECTION_OF.get(next(iter(newest.values())).kind):
        touched -= await uow.with_section(section, touched)
    await consolidate_members(uow, await uow.members_of(touched))


def _item(kind: str, item_id: str, message: Envelope[Any], record_id: str | None = None) -> RelatedItem:
    data = message.data
    document = message.document
    if kind == "mailing":
        # The list of all recipients is members' data that one member's view has no business with.
        document = orjson.dumps({k: v for k, v in orjson.loads(document).items() if k not in _OF_THE_LIST})
    return RelatedItem(
        kind,
        data.cluster,
        item_id,
        record_id or getattr(data, "record_id", None),
        getattr(data, "event_id", None) if kind == "registration" else None,
        getattr(data, "applied_late", 0),
        data.version,
        message.digest,
        document,
    )
