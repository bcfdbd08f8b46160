"""Commands on one source record of a cluster that has been moved over: create, change, end, contact.

Where the former system was the authority it wrote the record's next version; where we are, a command does. From there
on the way is the same: save, recognise, consolidate, announce. The stage is read first, and in the same transaction,
so that a switch has no gap.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

from schemas.envelope import Envelope, source_of
from schemas.membership import MemberRecorded
from services.cutover.fence import require_ours
from services.cutover.stages import StageState
from services.membership.cutover.write_back import publish_write_back
from services.membership.records.audit import Change, save_change
from services.membership.records.editing import CommandName, NextVersion, check_understood, edit
from services.membership.records.record import RecordKey
from services.membership.records.repository import StoredRecord
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.keep_records import record_members
from shared.runtime.clock import PARIS

SERVICE = "membership"


class ClusterUnknownError(LookupError):
    """No such cluster is configured."""


class RecordMissingError(LookupError):
    """There is no such source record; ``removed`` when there was one."""

    def __init__(self, *, removed: bool) -> None:
        super().__init__("the source record was removed" if removed else "there is no such source record")
        self.removed = removed


class RecordExistsError(ValueError):
    """A record that is to be created is there already, or was."""


class RecordChangedError(Exception):
    """The record is not as whoever asked had seen it; it is at ``version`` now, with this ``etag``."""

    def __init__(self, version: int, etag: str) -> None:
        super().__init__(f"the source record changed meanwhile: it is at version {version}")
        self.version, self.etag = version, etag


@dataclass(frozen=True, slots=True)
class By:
    """Who asks, and why if they say. ``key_id`` is the API key that it came with; None if it came by the broker."""

    author: str
    reason: str | None = None
    key_id: str | None = None


def _as_it_is(_version: int, _etag: str) -> bool:
    return True


Patch = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""From what is written now to a merge patch of it."""


@dataclass(frozen=True, slots=True)
class Command:
    """One change of one record.

    ``as_seen`` judges the record's version and etag before it is changed. ``command_id`` is carried to all that the
    change causes. Values that nobody understands are refused unless ``accept_doubtful``.
    """

    name: CommandName
    record: RecordKey
    patch: Patch
    by: By
    command_id: str
    now: datetime
    accept_doubtful: bool = False
    as_seen: Callable[[int, str], bool] = field(default=_as_it_is)


@dataclass(frozen=True, slots=True)
class Done:
    """The record's version and etag after a command; ``changed`` is empty when all was as it should be before."""

    record: RecordKey
    version: int
    etag: str
    changed: tuple[str, ...]
    state: StageState


async def execute_command(uow: MembershipUnitOfWork, command: Command) -> Done:
    """Change the record, write every view that changes by it, keep who did what and why, and tell the former system.

    Raises ClusterUnknownError, NotOursError, RecordMissingError, RecordExistsError, RecordChangedError,
    FieldsRefusedError and DoubtfulError.
    """
    key = command.record
    if key.cluster not in uow.policy.clusters:
        raise ClusterUnknownError(key.cluster)
    # The stage before the turn, as consumers do: two orders would meet in a deadlock.
    state = await require_ours(uow.connection, key.cluster, SERVICE)
    await uow.serialise_writers()
    stored = (await uow.stored_records([key])).get(key)
    _check_exists(command, stored)
    following = _next_version(command, stored)
    if not following.changed and stored is not None:
        return Done(key, stored.newest.version, etag_of(*stored.newest), (), state)
    envelope = _envelope(command, following.fact)
    await record_members(uow, [envelope], written_here=True)
    by, version = command.by, following.fact.version
    await save_change(
        uow.connection, Change(key, version, command.name, by.author, by.key_id, by.reason, following.changed)
    )
    if state.stage == "live":
        # Once it is retired nobody reads its queue any more.
        await publish_write_back(uow, key.cluster, following.fact, command.command_id)
    return Done(key, version, etag_of(version, envelope.digest), following.changed, state)


def etag_of(version: int, digest: bytes) -> str:
    """Another whenever the record is another, and never that of another record's version by chance."""
    return blake2b(str(version).encode() + b" " + digest, digest_size=16).hexdigest()


def _check_exists(command: Command, stored: StoredRecord | None) -> None:
    if command.name == "create":
        if stored is not None:
            raise RecordExistsError("there is a source record of this id already")
        return
    if stored is None or stored.record.removed:
        raise RecordMissingError(removed=stored is not None)
    etag = etag_of(*stored.newest)
    if not command.as_seen(stored.newest.version, etag):
        raise RecordChangedError(stored.newest.version, etag)


def _next_version(command: Command, stored: StoredRecord | None) -> NextVersion:
    written = {} if stored is None else stored.record.written
    # The former system counted its own way, or by its own clock, which may have been ahead of ours.
    version = max(0 if stored is None else stored.newest.version + 1, int(command.now.timestamp() * 1_000_000))
    today = command.now.astimezone(PARIS).date()
    following = edit(written, command.patch(written), record_id=command.record.record_id, version=version, on=today)
    if not command.accept_doubtful:
        check_understood(written, following)
    return following


def _envelope(command: Command, fact: MemberRecorded) -> Envelope[MemberRecorded]:
    """The version as its former system would have told of it."""
    return Envelope[MemberRecorded](
        specversion="1.0",
        id=command.command_id,
        source=source_of(command.record.cluster, SERVICE),
        type=MemberRecorded.type_name(),
        data=fact,
    )
