"""All write SQL of the events service."""

from collections.abc import Sequence

from schemas.envelope import Envelope
from schemas.events import EventRecorded, RegistrationRecorded
from services.events.tables import events, registrations
from shared.persistence.mirror import Mirror
from shared.persistence.unit_of_work import UnitOfWork


class EventsUnitOfWork(UnitOfWork):
    """One transaction of the events service."""

    async def save_events(self, messages: Sequence[Envelope[EventRecorded]]) -> list[Envelope[EventRecorded]]:
        """Mirror gatherings; returns those that were newer than what was held."""
        return await Mirror(events).save(self.connection, messages)

    async def save_registrations(
        self, messages: Sequence[Envelope[RegistrationRecorded]]
    ) -> list[Envelope[RegistrationRecorded]]:
        """Mirror registrations; returns those that were newer than what was held."""
        return await Mirror(registrations).save(self.connection, messages)
