"""A field of a member set by hand and taken back, as staff ask for it: of a member, who is found by any of its ids.

:mod:`override_record` does it to one source record; here is which one. Without a word about it a value hangs on the
member's first record, the one whose own id is the member's id, and is taken back from all its records.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from services.membership.identity.decisions import DecisionError, Signature
from services.membership.records.record import RecordKey
from services.membership.rows import InTransaction, Rows
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import override_record
from services.membership.views.override_queries import records_of_member, records_with_override
from services.membership.views.queries import StoredView, member_by_any_id
from services.membership.views.rules import CONTACT

Find = Callable[[Rows], Awaitable[StoredView | None]]


class MemberMissingError(LookupError):
    """There is no such member; ``removed`` when there was one, and all its records are gone."""

    def __init__(self, *, removed: bool) -> None:
        super().__init__("all records of this member were removed" if removed else "there is no such member")
        self.removed = removed


class ChangedMeanwhileError(Exception):
    """The member is not as whoever asked had seen it; ``etag`` is that of its view now."""

    def __init__(self, etag: str) -> None:
        super().__init__("the member changed meanwhile")
        self.etag = etag


def _nothing(_: str) -> None:
    pass


def _as_it_is(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class OverrideRequest:
    """Which field of which member, and on which record if one was named; ``as_seen`` judges the etag of its view.

    ``permit`` is asked of the cluster of each record that changes, and raises where that is not allowed.
    """

    find: Find
    field: str
    record: RecordKey | None = None
    as_seen: Callable[[str], bool] = _as_it_is
    permit: Callable[[str], None] = _nothing


@dataclass(frozen=True, slots=True)
class Shown:
    """How a member is shown now: ``content`` is the field of its view, with ``value`` null when nobody fills it."""

    member_id: str
    etag: str
    field: str
    content: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """``{"member_id", "field", "value", "said_by", …}``."""
        return {"member_id": self.member_id, "field": self.field, **self.content}


async def set_manually(uow: MembershipUnitOfWork, asked: OverrideRequest, value: str, signature: Signature) -> Shown:
    """Set a field. Raises MemberMissingError, ChangedMeanwhileError, OverrideError and DecisionError.

    DecisionError is ``record-elsewhere`` or ``record-removed``.
    """
    member_id = await _turn_on(uow, asked)
    record = asked.record or await _first_record(uow, member_id)
    asked.permit(record.cluster)
    await override_record.set_field(uow, record, asked.field, value, signature)
    return await _shown(uow, member_id, asked.field)


async def take_back(uow: MembershipUnitOfWork, asked: OverrideRequest, signature: Signature) -> Shown:
    """Take a field back. Raises MemberMissingError, ChangedMeanwhileError and DecisionError.

    DecisionError is ``record-elsewhere``, or ``override-unknown`` when nothing was set.
    """
    member_id = await _turn_on(uow, asked)
    # A name with half a character in it, or U+0000, is no field, and no text that the database would take.
    named = asked.field if asked.field.isprintable() else ""
    with_override = await records_with_override(InTransaction(uow.connection), member_id, named)
    chosen = [record for record in with_override if asked.record in (None, record)]
    if not chosen:
        raise DecisionError("override-unknown", "no value was set by hand for this field")
    for record in chosen:
        asked.permit(record.cluster)
        await override_record.unset_field(uow, record, named, signature)
    return await _shown(uow, member_id, named)


async def present(rows: Rows, find: Find) -> StoredView:
    """The member's view. Raises MemberMissingError."""
    view = await find(rows)
    if view is None or view.member_id is None:
        raise MemberMissingError(removed=view is not None)
    return view


async def _turn_on(uow: MembershipUnitOfWork, asked: OverrideRequest) -> str:
    """The member's id, while nobody else can change it. Whoever has the turn may take it again: commands do."""
    await uow.serialise_writers()
    rows = InTransaction(uow.connection)
    view = await present(rows, asked.find)
    if asked.record is not None and asked.record not in await records_of_member(rows, str(view.member_id)):
        raise DecisionError("record-elsewhere", f"{asked.record} is no source record of this member")
    if not asked.as_seen(view.etag):
        raise ChangedMeanwhileError(view.etag)
    return str(view.member_id)


async def _first_record(uow: MembershipUnitOfWork, member_id: str) -> RecordKey:
    records = await records_of_member(InTransaction(uow.connection), member_id)
    return next(record for record in records if record.own_id == member_id)


async def _shown(uow: MembershipUnitOfWork, member_id: str, field: str) -> Shown:
    view = await member_by_any_id(InTransaction(uow.connection), member_id)
    assert view is not None, "an override neither merges members nor removes them"
    shown = orjson.loads(view.document).get("contact" if field in CONTACT else field)
    return Shown(member_id, view.etag, field, shown or {"value": None, "said_by": []})
