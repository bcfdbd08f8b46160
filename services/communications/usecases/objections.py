"""Keeps what people told by the link of a mail: that they want no more of it, or that they take that back."""

from collections.abc import Sequence

from schemas.envelope import Envelope
from schemas.objections import ObjectionReceived
from services.communications.deliveries.objections import keep
from services.communications.mirror.repository import CommunicationsUnitOfWork


async def receive(uow: CommunicationsUnitOfWork, messages: Sequence[Envelope[ObjectionReceived]]) -> None:
    """Suppress, or lift, as people told the gateway; in the order of the time when they did."""
    await keep(uow.connection, uow.keyring, [message.data for message in messages])
