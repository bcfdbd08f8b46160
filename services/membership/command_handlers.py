"""Commands on source records as they come by the broker: carried out, or refused for good with a reason.

What is refused is parked as a dead letter. Once the reason is gone, say after a switch, it can be replayed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.commands import ChangeContacts, ChangeMember, CreateMember, EndMembership, RecordCommand
from schemas.envelope import Envelope
from services.cutover.fence import NotOursError
from services.cutover.stages import lock_stages
from services.membership.records.editing import CONTACT, CommandName, DoubtfulError, FieldsRefusedError, contact, ending
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.edit_record import (
    By,
    ClusterUnknownError,
    Command,
    Patch,
    RecordChangedError,
    RecordExistsError,
    RecordMissingError,
    execute_command,
)
from shared.messaging.failures import Refusal
from shared.runtime.clock import PARIS, Clock

Read = Callable[[Envelope[Any], datetime], Command]
"""From a message and this instant to the command."""


@dataclass(frozen=True, slots=True)
class RecordCommandHandler:
    """A handler that carries commands out one after the other. Raises Refusal for the first that cannot be.

    Its transaction is then undone, and tried again without the guilty one.
    """

    read: Read
    clock: Clock = field(default_factory=Clock)

    async def __call__(self, uow: MembershipUnitOfWork, messages: Sequence[Envelope[Any]]) -> None:
        """Carry out, in order of arrival."""
        # All stages before the first turn, and in one order: nobody may wait for a switch while others wait for him.
        await lock_stages(uow.connection, {message.data.cluster for message in messages})
        for message in messages:
            await _carried_out(uow, self.read(message, self.clock.now()))


def create(message: Envelope[CreateMember], now: datetime) -> Command:
    """Create a member."""
    return _command(message, now, "create", lambda _: message.data.fields)


def change(message: Envelope[ChangeMember], now: datetime) -> Command:
    """Change some fields."""
    return _command(message, now, "change", lambda _: message.data.fields)


def end(message: Envelope[EndMembership], now: datetime) -> Command:
    """End a membership."""
    today = now.astimezone(PARIS).date()
    return _command(message, now, "end", lambda written: ending(written, message.data.on, today))


def change_contacts(message: Envelope[ChangeContacts], now: datetime) -> Command:
    """Replace whom to write to."""
    patch = contact(message.data.model_dump(include=set(CONTACT)))
    return _command(message, now, "contact", lambda _: patch)


def _command(message: Envelope[Any], now: datetime, name: CommandName, patch: Patch) -> Command:
    data: RecordCommand = message.data
    expected = getattr(data, "expected_version", None)
    return Command(
        name,
        RecordKey(data.cluster, data.record_id),
        patch,
        By(data.author, data.reason),
        message.correlationid or message.id,
        now,
        getattr(data, "accept_doubtful", False),
        lambda version, _etag: expected in (None, version),
    )


async def _carried_out(uow: MembershipUnitOfWork, command: Command) -> None:
    try:
        await execute_command(uow, command)
    except ClusterUnknownError:
        raise Refusal("cluster-unknown", "there is no such cluster") from None
    except NotOursError as error:
        raise Refusal("not-the-authority", str(error)) from None
    except RecordMissingError as error:
        if error.removed:
            raise Refusal("record-removed", str(error)) from None
        raise Refusal("record-unknown", str(error)) from None
    except RecordExistsError as error:
        raise Refusal("record-exists", str(error)) from None
    except RecordChangedError as error:
        raise Refusal("record-changed-meanwhile", str(error)) from None
    except FieldsRefusedError as error:
        raise Refusal("invalid-field", str(error)) from None
    except DoubtfulError as error:
        raise Refusal("value-not-understood", str(error)) from None
