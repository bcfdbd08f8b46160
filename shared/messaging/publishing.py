"""What a handler announces: facts put into the outbox of its transaction, so that both commit or neither does."""

from collections.abc import Iterable

from schemas.base import Announced, MirroredRecord
from schemas.envelope import CurrentRecord, encode_all, encode_current, routing_key, source_of
from shared.messaging.outbox import Outgoing
from shared.messaging.propagation import propagated
from shared.messaging.topology import EXCHANGE, OWN_PUBLISHER
from shared.messaging.unit_of_work import UnitOfWork


def publish(
    uow: UnitOfWork, fact_type: type[Announced], facts: Iterable[tuple[Announced, str | None]], to: str | None = None
) -> None:
    """Publish facts of one type when the transaction commits, each with the id of what caused it.

    ``to`` is the cluster or service that they are for, where the type addresses each message to one.
    """
    key = routing_key(OWN_PUBLISHER, fact_type, to)
    for encoded in encode_all(source_of(OWN_PUBLISHER, fact_type.service), facts, propagated()):
        uow.outbox.add(Outgoing(EXCHANGE, key, encoded.message_id, encoded.content_type, encoded.body))


def publish_mirrored(uow: UnitOfWork, fact_type: type[MirroredRecord], saved: Iterable[CurrentRecord]) -> None:
    """Publish each record that a mirror saved, when the transaction commits: under its own id and version."""
    key = routing_key(OWN_PUBLISHER, fact_type)
    for encoded in encode_current(fact_type, source_of(OWN_PUBLISHER, fact_type.service), saved, propagated()):
        uow.outbox.add(Outgoing(EXCHANGE, key, encoded.message_id, encoded.content_type, encoded.body))
