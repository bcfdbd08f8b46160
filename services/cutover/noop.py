"""Late messages that say just what is held, so that no person need be asked about them.

A former system is told of what is written here, and many publish every change that they make: what was told comes back.
Others publish all that they hold every night. Applied, such a message would change nothing but a version.
"""

from collections.abc import Sequence
from typing import Any

from schemas.base import Fact
from schemas.digests import record_digest
from schemas.envelope import Envelope
from services.cutover.parity.mirror_reader import Kind, read_mirror
from shared.messaging.unit_of_work import UnitOfWork


async def matches_current(mirrored: Sequence[Kind], uow: UnitOfWork, messages: Sequence[Envelope[Any]]) -> list[bool]:
    """Of each of these messages of one type, whether it says just what is held of its record now.

    The type is of one of the ``mirrored`` kinds.

    Contents are compared as a parity compares them: by what facts say, without their versions.
    """
    # What is held now must be held when this is committed.
    await uow.serialise_writers()
    kind = kind_of(mirrored, type(messages[0].data))
    named = [(message.cluster, getattr(message.data, kind.key)) for message in messages]
    mirror = await read_mirror(uow.connection, kind, set(named))
    digests = {record: record_digest(fact) for record, fact in mirror.items()}
    return [
        _states(kind, message.data, mirror.get(record), digests.get(record))
        for message, record in zip(messages, named, strict=True)
    ]


def kind_of(mirrored: Sequence[Kind], fact: type[Fact]) -> Kind:
    """The kind of record that a fact of a former system tells of. Raises LookupError if nothing mirrors it."""
    for kind in mirrored:
        if fact in (kind.fact, kind.removal):
            return kind
    raise LookupError(f"nothing mirrors {fact.type_name()}")


def _states(kind: Kind, fact: Fact, stored: Fact | None, digest: str | None) -> bool:
    if kind.removal is not None and isinstance(fact, kind.removal):
        return stored is None
    if stored is None:
        return False
    for name in kind.adds_up:
        # Applied, it would leave the list as long as it is if it names nobody who is not in it.
        theirs = getattr(stored, name)
        if not set(theirs).issuperset(getattr(fact, name)):
            return False
        fact = fact.model_copy(update={name: theirs})
    if kind.left_out:
        fact = fact.model_copy(update=dict.fromkeys(kind.left_out))
    return record_digest(fact) == digest
